// What goes to a model: what stands before the cursor, and behind it. What changes least stands
// first, and its beginning stays where it is while somebody types: so the model's memory of it holds.

import { holdsSecret } from "./secrets";

export interface Cell {
  source: string;
  type: string;
}

export interface Asked {
  prompt: string;
  suffix: string;
}

/** Between two cells. */
const GAP = "\n\n\n";
/** Magics whose cells are Python all the same. */
const PYTHON = /^%%(?:time|timeit|capture|prun)\b[^\n]*\n?/;

/**
 * `before` and `after` are the cell's own, `cells` those before and behind it; `budget` says of how
 * many characters at most, `remote` whether it leaves this machine: then cells with keys stay here.
 */
export function asked(
  { before, after, prose }: { before: string; after: string; prose: boolean },
  cells: { earlier: Cell[]; later: Cell[] },
  budget: number,
  remote: boolean,
): Asked {
  const write = (cell: Cell) => (remote && holdsSecret(cell.source) ? "" : written(cell, prose));
  const earlier = cells.earlier.map(write).filter(Boolean);
  const room = budget >> 2;
  const later = cells.later.map(write).filter(Boolean);
  const suffix = firstLines([after, ...(room > after.length ? later : [])].join(GAP).trimEnd(), room);
  return { prompt: lastBlocks([...earlier, before], budget - suffix.length), suffix };
}

/** A cell as it stands beside others: in code, text is a comment; in text, code has its fence. */
function written({ source, type }: Cell, prose: boolean): string {
  const text = source.trim();
  if (!text) return "";
  if (prose) return type === "code" && !text.startsWith("%%") ? `\`\`\`\n${text}\n\`\`\`` : text;
  if (type === "markdown") return text.replace(/^/gm, "# ");
  const code = type === "code" ? text.replace(PYTHON, "") : "";
  return code.startsWith("%%") ? "" : code;
}

/** The end of them, within the budget: it begins at the same place for a quarter of it. */
function lastBlocks(texts: string[], budget: number): string {
  const whole = texts.join(GAP);
  if (whole.length <= budget) return whole;
  const block = Math.max(budget >> 2, 1);
  const from = Math.ceil((whole.length - budget) / block) * block;
  let start = 0;
  for (const text of texts.slice(0, -1)) {
    start += text.length + GAP.length;
    if (start >= from) return whole.slice(start);
  }
  return whole.slice(whole.indexOf("\n", from) + 1 || from);
}

function firstLines(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = text.lastIndexOf("\n", room);
  return text.slice(0, end > 0 ? end : room);
}
