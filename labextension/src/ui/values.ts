import type { SettingRow } from "../protocol";

/** The value that was typed, or why it is none. */
export function parsed(row: SettingRow, typed: string): unknown {
  const text = typed.trim();
  if (!text) return null;
  if (row.type === "list") return text.split(/\s*,\s*/).filter(Boolean);
  if (row.type === "text") return typed;
  const value = Number(text);
  if (!Number.isFinite(value)) return `${row.name} must be a number.`;
  if (row.type === "integer" && !Number.isInteger(value)) return `${row.name} must be a whole number.`;
  if (row.min !== null && value < row.min) return `${row.name} must be at least ${row.min}.`;
  if (row.max !== null && value > row.max) return `${row.name} must be at most ${row.max}.`;
  return value;
}

/** What people call it; its technical name stands beside. */
export const NAMES: Record<string, string> = {
  temperature: "Variety",
  max_tokens: "Longest answer",
  top_p: "Likely words: share",
  top_k: "Likely words: number",
  min_p: "Unlikely words: limit",
  repeat_penalty: "Repeat less",
  frequency_penalty: "Avoid frequent words",
  presence_penalty: "Avoid words already used",
  seed: "Seed",
  stop: "End at",
  ctx_len: "Context",
  ngl: "Layers on the GPU",
  cpu_threads: "Processor threads",
};
