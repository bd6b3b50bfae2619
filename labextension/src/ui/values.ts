import type { SettingRow } from "../protocol";
import { t } from "../words";

/** The value that was typed, or why it is none. */
export function parsed(row: SettingRow, typed: string): unknown {
  const text = typed.trim();
  if (!text) return null;
  if (row.type === "list") return text.split(/\s*,\s*/).filter(Boolean);
  if (row.type === "text") return typed;
  const value = Number(text);
  if (!Number.isFinite(value)) return t("%1 must be a number.", row.name);
  if (row.type === "integer" && !Number.isInteger(value)) return t("%1 must be a whole number.", row.name);
  if (row.min !== null && value < row.min) return t("%1 must be at least %2.", row.name, row.min);
  if (row.max !== null && value > row.max) return t("%1 must be at most %2.", row.name, row.max);
  return value;
}
