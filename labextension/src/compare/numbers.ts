// Numbers as they are shown.

import type { Estimate, Score } from "./protocol";
import { t } from "../words";

/** So many digits as tell something. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return short(value, 1);
  return short(value, size && size < 0.1 ? 3 : 2);
}

const short = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

export function seconds(value: number): string {
  if (value < 0.001 && value > 0) return "under 1 ms";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${value < 10 ? short(value, 1) : Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const speed = (value: number): string => t("%1 tokens/s", number(value));

export function money(value: number): string {
  return value && value < 0.01 ? `$${Number(value.toPrecision(2))}` : `$${value.toFixed(2)}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return t(`%1 ${n === 1 ? one : many}`, n.toLocaleString("en-US"));
}

/** Low and high of an interval, if there is one. */
export function range(estimate: Estimate, shown: (value: number) => string): string {
  const { low, high } = estimate;
  return low === null || high === null ? "" : t("%1 to %2", shown(low), shown(high));
}

/** A score in a word. */
export function scored(score: Score): string {
  if (score.value === null) return t("no score");
  if (typeof score.value === "boolean") return score.value ? "✓" : "✗";
  return number(score.value);
}
