// Cells as a conversation, and a conversation as cells.

import type { Context } from "../../protocol";
import type { SavedCell } from "../jupyter";
import { joined, nameOf, outputOf, sourceOf } from "./book";

export interface Said {
  role: "user" | "assistant";
  content: string;
}

const MAGIC = /^%%jan(?:[ \t].*)?(?:\n|$)/;

/**
 * What was asked and answered in cells of `%%jan`; all other cells go along with the next question, as
 * they are. `at`: where the first of them stands.
 */
export function conversationOf(cells: SavedCell[], at = 0): { messages: Said[]; context: Context[] } {
  const messages: Said[] = [];
  const context: Context[] = [];
  cells.forEach((cell, index) => {
    const source = sourceOf(cell);
    const prompt = source.replace(MAGIC, "");
    if (cell.cell_type === "code" && MAGIC.test(source) && prompt.trim()) {
      messages.push({ role: "user", content: prompt });
      const answer = answerOf(cell);
      if (answer) messages.push({ role: "assistant", content: answer });
    } else if (source.trim()) context.push(contextOf(cell, at + index));
  });
  return { messages, context };
}

/** What the last answer of a cell says. */
function answerOf(cell: SavedCell): string {
  const ours = (cell.outputs ?? []).findLast((output) => output.metadata?.jan && output.data?.["text/plain"]);
  return joined(ours?.data?.["text/plain"]);
}

/** A cell with what it has put out, to go with a question. */
export function contextOf(cell: SavedCell, at?: number): Context {
  const output = outputOf(cell);
  const name = at === undefined && !cell.execution_count ? `cell ${sourceOf(cell).trim().split("\n", 1)[0]!.slice(0, 24)}` : nameOf(cell, at ?? 0);
  return { label: name.startsWith("[") ? `cell ${name}` : name, text: output ? `${sourceOf(cell)}\n\n# puts out:\n${output}` : sourceOf(cell) };
}

/** The cells of a notebook, as another one takes them in. */
export function cellsOf(notebook: string): Partial<SavedCell>[] {
  const { cells } = JSON.parse(notebook) as { cells: SavedCell[] };
  return cells.map(({ id: _, ...cell }) => cell);
}
