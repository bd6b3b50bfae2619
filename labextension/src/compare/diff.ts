// Word by word: what one text has that another has not. Pure; its sister in Python is
// `jan_jupyter/compare/views/diff.py`.

export interface Part {
  kind: "same" | "removed" | "added";
  text: string;
}

/** Words and signs, each with the blanks behind it, which are not looked at in matching. */
const WORDS = /[\p{L}\p{N}\p{M}_]+\s*|[^\p{L}\p{N}\p{M}_\s]\s*|\s+/gu;
const LINES = /[^\n]*\n|[^\n]+/g;
/** Steps of one diff: texts that need more are matched by lines, and what still does is replaced. */
const STEPS = 600_000;
/** Words that differ: with more, texts are matched by lines. */
const FARTHEST = 600;

/**
 * The way from `before` to `after`: what is the same and removed gives `before`, what is the same
 * and added gives `after`. Removed stands before added, and no part is empty.
 */
export function parts(before: string, after: string): Part[] {
  if (before === after) return before ? [{ kind: "same", text: before }] : [];
  return merged(withoutCrumbs(merged(words(before, after, { left: STEPS }, true))));
}

/** Whether marks help: with little in common they would cover all, and tell nothing. */
export function alike(found: Part[]): boolean {
  const size = { same: 0, removed: 0, added: 0 };
  for (const { kind, text } of found) size[kind] += text.length;
  return size.same >= 0.35 * (size.same + Math.max(size.removed, size.added));
}

/** Where two texts part: the number of the first word that differs, from 1, and what both have there. */
export function parting(one: string, other: string): { word: number; left: string; right: string } {
  const [left, right] = [one, other].map((text) => text.split(/\s+/).filter(Boolean)) as [string[], string[]];
  let at = 0;
  while (at < Math.min(left.length, right.length) && left[at] === right[at]) at++;
  const few = (found: string[]) => found.slice(at, at + 4).join(" ");
  return { word: at + 1, left: few(left), right: few(right) };
}

function words(before: string, after: string, steps: { left: number }, whole: boolean): Part[] {
  const [old, now] = [before.match(WORDS) ?? [], after.match(WORDS) ?? []];
  const way = matched(old.map(bare), now.map(bare), steps);
  if (!way) return whole ? lines(before, after, steps) : replaced(before, after);
  const found: Part[] = [];
  walk(way, old, now, (a, b) => {
    // The same word, with other blanks behind it.
    const word = a === b ? a : bare(a);
    found.push({ kind: "same", text: word }, ...replaced(a.slice(word.length), b.slice(word.length)));
  }, (a, b) => found.push(...replaced(a.join(""), b.join(""))));
  return found;
}

function lines(before: string, after: string, steps: { left: number }): Part[] {
  const [old, now] = [before.match(LINES) ?? [], after.match(LINES) ?? []];
  const way = matched(old, now, steps);
  if (!way) return replaced(before, after);
  const found: Part[] = [];
  walk(way, old, now, (a) => found.push({ kind: "same", text: a }), (a, b) => {
    found.push(...words(a.join(""), b.join(""), steps, false));
  });
  return found;
}

const bare = (word: string): string => word.trimEnd();

const replaced = (old: string, now: string): Part[] => [
  { kind: "removed", text: old },
  { kind: "added", text: now },
];

/** Go along pairs of places that match; what stands between them goes to `other`. */
function walk(
  pairs: [number, number][],
  old: string[],
  now: string[],
  same: (a: string, b: string) => void,
  other: (a: string[], b: string[]) => void,
): void {
  let [i, j] = [0, 0];
  for (const [a, b] of [...pairs, [old.length, now.length] as const]) {
    if (a > i || b > j) other(old.slice(i, a), now.slice(j, b));
    if (a < old.length && b < now.length) same(old[a]!, now[b]!);
    [i, j] = [a + 1, b + 1];
  }
}

/** A longest common subsequence (Myers, "An O(ND) Difference Algorithm"); `null`: too far apart. */
function matched(old: string[], now: string[], steps: { left: number }): [number, number][] | null {
  const ids = new Map<string, number>();
  const numbers = (texts: string[]) =>
    Int32Array.from(texts, (text) => ids.get(text) ?? (ids.set(text, ids.size), ids.size - 1));
  const [a, b] = [numbers(old), numbers(now)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const inner = between(a.subarray(start, a.length - end), b.subarray(start, b.length - end), steps);
  if (!inner) return null;
  const pairs: [number, number][] = [];
  for (let i = 0; i < start; i++) pairs.push([i, i]);
  for (const [i, j] of inner) pairs.push([i + start, j + start]);
  for (let i = end; i > 0; i--) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

function between(a: Int32Array, b: Int32Array, steps: { left: number }): [number, number][] | null {
  if (!a.length || !b.length) return [];
  const most = Math.min(a.length + b.length, FARTHEST);
  const middle = most + 1;
  const reached = new Int32Array(2 * most + 3);
  const before: Int32Array[] = [];
  for (let d = 0; d <= most; d++) {
    before.push(reached.slice(middle - d - 1, middle + d + 2));
    steps.left -= d + 1;
    if (steps.left < 0) return null;
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reached[middle + k - 1]! < reached[middle + k + 1]!);
      let x = down ? reached[middle + k + 1]! : reached[middle + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reached[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return traced(a, before, k);
    }
  }
  return null;
}

/** The pairs on the way back from the end. */
function traced(a: Int32Array, before: Int32Array[], last: number): [number, number][] {
  const pairs: [number, number][] = [];
  let x = a.length;
  let k = last;
  for (let d = before.length - 1; d >= 0; d--) {
    const reached = (at: number) => before[d]![at + d + 1] ?? 0;
    const down = k === -d || (k !== d && reached(k - 1) < reached(k + 1));
    const from = down ? k + 1 : k - 1;
    const startX = d === 0 ? 0 : reached(from);
    const entered = d === 0 ? 0 : down ? startX : startX + 1;
    while (x > entered) pairs.push([--x, x - k]);
    [x, k] = [startX, from];
  }
  return pairs.reverse();
}

/** Blanks and single signs between two changes belong to the changes: so it reads better. */
function withoutCrumbs(found: Part[]): Part[] {
  return found.flatMap((part, at) => {
    const crumb = part.kind === "same" && at > 0 && at < found.length - 1 && part.text.trim().length < 2;
    return crumb ? replaced(part.text, part.text) : [part];
  });
}

/** Neighbouring changes as one each, without empty parts. */
function merged(found: Part[]): Part[] {
  const whole: Part[] = [];
  const open = { same: "", removed: "", added: "" };
  const close = () => {
    for (const kind of ["same", "removed", "added"] as const) {
      if (open[kind]) whole.push({ kind, text: open[kind] });
      open[kind] = "";
    }
  };
  for (const { kind, text } of found) {
    if (!text) continue;
    if (kind === "same" && (open.removed || open.added)) close();
    open[kind] += text;
  }
  close();
  return whole;
}
