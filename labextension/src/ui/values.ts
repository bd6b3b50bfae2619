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
