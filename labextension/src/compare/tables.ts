// What is worked out of a document for the lists: pure.

import type { Case, Comparison, Row } from "./protocol";
import type { View } from "./view";

/** Answers by case, contestant and repeat. */
export type Table = (Row[] | undefined)[][];

export function tableOf(comparison: Comparison): Table {
  const table: Table = comparison.cases.map(() => []);
  for (const row of comparison.rows) place(table, row);
  return table;
}

/** Put an answer at its place, instead of one that is there. */
export function place(table: Table, row: Row): void {
  const [at, contestant, repeat] = row.call;
  const cells = (table[at] ??= []);
  const rows = (cells[contestant] ??= []);
  const known = rows.findIndex((one) => one.call[2] >= repeat);
  if (known < 0) rows.push(row);
  else rows.splice(known, rows[known]!.call[2] === repeat ? 1 : 0, row);
}

/** Repeats that say the same. */
export interface Group {
  text: string;
  rows: Row[];
}

/** The texts that came, the most frequent first; errors and what was left out stand for themselves. */
export function groupsOf(rows: Row[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    const text = row.text ?? "";
    const known = row.text === null || row.error ? undefined : groups.find((one) => one.text === text && !one.rows[0]!.error);
    if (known) known.rows.push(row);
    else groups.push({ text, rows: [row] });
  }
  return groups.sort((a, b) => b.rows.length - a.rows.length);
}

/** Over the repeats: right is 1, wrong is 0; `null`: none has a score. */
export function meanScore(rows: Row[] | undefined, scorer: string): number | null {
  let [sum, n] = [0, 0];
  for (const row of rows ?? []) {
    const value = row.scores[scorer]?.value;
    if (value === null || value === undefined) continue;
    sum += Number(value);
    n++;
  }
  return n ? sum / n : null;
}

export interface Looked {
  /** Places of the cases, in the order in which they are shown. */
  cases: number[];
  /** Of the contestants that are shown. */
  contestants: number[];
  baseline: number;
  scorer: string;
}

export function contestantsOf(comparison: Comparison, view: View): { contestants: number[]; baseline: number } {
  const all = comparison.contestants.map((_, at) => at);
  const shown = all.filter((at) => !view.hidden.includes(comparison.contestants[at]!.name));
  const named = comparison.contestants.findIndex((one) => one.name === view.baseline);
  return { contestants: shown.length ? shown : all, baseline: Math.max(0, named) };
}

export function scorerOf(comparison: Comparison, view: View): string {
  return comparison.scorers.includes(view.scorer) ? view.scorer : (comparison.scorers[0] ?? "");
}

/** What a case's contestants lose (below 0) or gain against the baseline: the worst and the best of it. */
export function changes(cells: Table[number], looked: Omit<Looked, "cases">): { worst: number | null; best: number | null } {
  const own = meanScore(cells[looked.baseline], looked.scorer);
  let worst: number | null = null;
  let best: number | null = null;
  if (own === null) return { worst, best };
  for (const at of looked.contestants) {
    const other = at === looked.baseline ? null : meanScore(cells[at], looked.scorer);
    if (other === null) continue;
    worst = Math.min(worst ?? Infinity, other - own);
    best = Math.max(best ?? -Infinity, other - own);
  }
  return { worst, best };
}

/** Whether what was answered is not the same with all that are shown. */
export function differs(cells: Table[number], contestants: number[]): boolean {
  let first: string | null = null;
  for (const at of contestants) {
    for (const row of cells[at] ?? []) {
      if (row.text === null) continue;
      const text = row.error || row.text.trim();
      if (first !== null && text !== first) return true;
      first = text;
    }
  }
  return false;
}

/** The cases that a view shows, in its order. */
export function look(comparison: Comparison, table: Table, view: View): Looked {
  const { contestants, baseline } = contestantsOf(comparison, view);
  const looked = { contestants, baseline, scorer: scorerOf(comparison, view) };
  const wanted = view.text.trim() ? finder(view.text.trim()) : null;
  const order = orderOf(comparison, view);
  const measured = looked.scorer && (order !== "asked" || view.score);
  const key = new Float64Array(comparison.cases.length);
  const cases: number[] = [];
  for (let at = 0; at < comparison.cases.length; at++) {
    const cells = table[at] ?? [];
    const { worst, best } = measured ? changes(cells, looked) : { worst: null, best: null };
    if (view.differs && !differs(cells, contestants)) continue;
    if (view.errors && !contestants.some((one) => cells[one]?.some((row) => row.error))) continue;
    if (view.score === "worse" && !(worst !== null && worst < 0)) continue;
    if (view.score === "better" && !(best !== null && best > 0)) continue;
    if (view.score === "low" && !contestants.some((one) => (meanScore(cells[one], looked.scorer) ?? 1) < 1)) continue;
    if (wanted && !holds(comparison.cases[at]!, cells, contestants, wanted)) continue;
    // What has no score stands behind what has.
    key[at] = order === "worse" ? (worst ?? Infinity) : order === "better" ? -(best ?? -Infinity) : 0;
    cases.push(at);
  }
  if (order !== "asked") cases.sort((a, b) => (key[a] === key[b] ? a - b : key[a]! < key[b]! ? -1 : 1));
  return { cases, ...looked };
}

/** The biggest regression first, where there is a score to tell it by. */
export function orderOf(comparison: Comparison, view: View): "asked" | "worse" | "better" {
  const able = comparison.scorers.length > 0 && comparison.contestants.length > 1;
  return !able ? "asked" : view.order || "worse";
}

function finder(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
}

function holds(one: Case, cells: Table[number], contestants: number[], wanted: RegExp): boolean {
  if (wanted.test(one.name) || (one.expected !== null && wanted.test(one.expected))) return true;
  if (one.messages.some((message) => wanted.test(message.text))) return true;
  return contestants.some((at) => cells[at]?.some((row) => wanted.test(row.text ?? "") || wanted.test(row.error)));
}
