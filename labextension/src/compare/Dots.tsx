// Numbers with their intervals: a dot on a line, all of one kind on one scale. Each stands beside
// its figures, so it is hidden from those who are read to.

import type { Estimate } from "./protocol";

export interface Scale {
  low: number;
  high: number;
}

/** One that holds all; from 0 to 1 for what lies there, and from zero for what has one. */
export function scaleOf(estimates: (Estimate | null | undefined)[], kind: "score" | "amount" | "difference"): Scale {
  const ends = estimates.flatMap((one) => (one ? [one.value, one.low ?? one.value, one.high ?? one.value] : []));
  if (!ends.length) return { low: 0, high: 1 };
  let [low, high] = [Math.min(...ends), Math.max(...ends)];
  if (kind === "difference") {
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    return { low: -most, high: most };
  }
  if (kind === "score" && low >= 0 && high <= 1) return { low: 0, high: 1 };
  if (kind === "amount") low = Math.min(0, low);
  if (high <= low) [low, high] = [low - 0.5, high + 0.5];
  return { low, high };
}

const percent = (scale: Scale, value: number): string => {
  const share = (value - scale.low) / (scale.high - scale.low);
  return `${(2 + 96 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
};

/** `mark`: a dashed line, as at the baseline. */
export function Dot({ estimate, scale, mark, word }: { estimate: Estimate; scale: Scale; mark?: number | null; word?: string }) {
  const { value, low, high } = estimate;
  return (
    <svg class="dot" data-word={word} width="100%" height="18" aria-hidden="true" focusable="false">
      <line class="axis" x1="2%" x2="98%" y1="9" y2="9" />
      {mark !== null && mark !== undefined && (
        <line class="mark" x1={percent(scale, mark)} x2={percent(scale, mark)} y1="1" y2="17" />
      )}
      {low !== null && high !== null && (
        <line class="span" x1={percent(scale, low)} x2={percent(scale, high)} y1="9" y2="9" />
      )}
      <circle class="value" cx={percent(scale, value)} cy="9" r="4.5" />
    </svg>
  );
}
