// Two texts line by line, with the words that differ marked. Pure.

import { parts, type Part } from "../compare/diff";

export interface Line {
  kind: Part["kind"];
  /** What of it stands in both texts, and what does not. */
  runs: { text: string; changed: boolean }[];
}

const textOf = ({ runs }: Line): string => runs.map((run) => run.text).join("");

/** The lines of both texts, what was removed before what was added in its place. */
export function lines(before: string, after: string): Line[] {
  const found: Line[] = [];
  let removed: Line[] = [];
  let added: Line[] = [];
  let old: Line["runs"] = [];
  let now: Line["runs"] = [];
  const flush = () => {
    found.push(...withoutSame(removed, added));
    [removed, added] = [[], []];
  };
  // With a line break at the end of both, a line that is added at the end touches none before it.
  for (const { kind, text } of parts(`${before}\n`, `${after}\n`)) {
    const [inOld, inNow] = [kind !== "added", kind !== "removed"];
    text.split("\n").forEach((piece, at) => {
      if (at > 0) {
        if (inOld) removed.push({ kind: "removed", runs: old });
        if (inNow) added.push({ kind: "added", runs: now });
        if (inOld) old = [];
        if (inNow) now = [];
        if (!old.length && !now.length && removed.length && removed.length === added.length) flush();
      }
      const run = { text: piece, changed: kind !== "same" };
      if (piece && inOld) old.push(run);
      if (piece && inNow) now.push(run);
    });
  }
  flush();
  return found;
}

/** Lines that begin, or end, both sides are the same. */
function withoutSame(removed: Line[], added: Line[]): Line[] {
  const same = (line: Line): Line => ({ kind: "same", runs: line.runs.map(({ text }) => ({ text, changed: false })) });
  const most = Math.min(removed.length, added.length);
  let head = 0;
  while (head < most && textOf(removed[head]!) === textOf(added[head]!)) head++;
  let tail = 0;
  while (tail < most - head && textOf(removed.at(-1 - tail)!) === textOf(added.at(-1 - tail)!)) tail++;
  return [
    ...removed.slice(0, head).map(same),
    ...removed.slice(head, removed.length - tail),
    ...added.slice(head, added.length - tail),
    ...removed.slice(removed.length - tail).map(same),
  ];
}
