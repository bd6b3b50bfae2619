// What an open notebook holds, as texts and pictures that may go with a question. Pure, but for what
// it reads.

import type { SavedCell, Cell, NotebookPanel, SavedOutput } from "../jupyter";

/** Escape sequences, as tracebacks are coloured by. */
const ANSI = /\x1b\[[0-9;?]*[ -/]*[@-~]/g;
/** What models see. */
const PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif"];

export const joined = (text: unknown): string => (Array.isArray(text) ? text.join("") : typeof text === "string" ? text : "");

export const sourceOf = (cell: SavedCell): string => joined(cell.source);

/** All cells, in their order. */
export function cellsOf(panel: NotebookPanel): { view: Cell; cell: SavedCell }[] {
  return panel.content.widgets.map((view) => ({ view, cell: view.model.toJSON() }));
}

export function activeOf(panel: NotebookPanel): SavedCell | null {
  return panel.content.activeCell?.model.toJSON() ?? null;
}

/** The error of a cell, as it was shown; empty: it has none. */
export function errorOf(cell: SavedCell): string {
  const error = (cell.outputs ?? []).findLast((output) => output.output_type === "error");
  if (!error) return "";
  const traceback = joined(error.traceback?.join("\n")).replace(ANSI, "").trim();
  return traceback || `${error.ename ?? "Error"}: ${error.evalue ?? ""}`;
}

/** What a cell has put out, as text. */
export function outputOf(cell: SavedCell): string {
  const texts = (cell.outputs ?? []).map((output) =>
    output.output_type === "error" ? errorOf({ ...cell, outputs: [output] }) : textOf(output),
  );
  return texts.filter(Boolean).join("\n").trim();
}

function textOf({ output_type, text, data }: SavedOutput): string {
  if (output_type === "stream") return joined(text).replace(ANSI, "");
  return joined(data?.["text/markdown"]) || joined(data?.["text/plain"]) || joined(data?.["text/html"]);
}

/** Its pictures, as `data:` addresses. */
export function picturesOf(cell: SavedCell): string[] {
  return (cell.outputs ?? []).flatMap(({ data }) => {
    const type = PICTURES.find((one) => data?.[one]);
    return type ? [`data:${type};base64,${joined(data![type]).replace(/\s/g, "")}`] : [];
  });
}

/** What is selected in the cell in use; else the cells that are, if there are several. */
export function selectionOf(panel: NotebookPanel): string {
  const { activeCell, widgets } = panel.content;
  const source = activeCell ? activeCell.model.sharedModel.getSource() : "";
  const marked = activeCell?.editor?.getSelections().map(({ start, end }) => {
    const [from, to] = [start, end].map((place) => activeCell.editor!.getOffsetAt(place)).sort((a, b) => a - b);
    return source.slice(from, to);
  });
  const text = marked?.filter(Boolean).join("\n") ?? "";
  if (text) return text;
  const cells = widgets.filter((cell) => panel.content.isSelectedOrActive(cell));
  return cells.length > 1 ? cells.map((cell) => cell.model.sharedModel.getSource()).join("\n\n") : "";
}

/** How a cell is called: `[3]`, or by where it stands. */
export const nameOf = (cell: SavedCell, at: number): string => (cell.execution_count ? `[${cell.execution_count}]` : `cell ${at + 1}`);

/** Letters of an output that go with a whole notebook. */
const SHORT = 400;

/**
 * All cells with what they have put out, in `most` characters: the nearest to the one at `active` are
 * whole. `cut`: how many characters of sources are left out.
 */
export function notebookOf(cells: SavedCell[], active: number, most: number): { text: string; cut: number } {
  const written = cells.map((cell, at) => {
    const output = outputOf(cell);
    const shown = output.length > SHORT ? `${output.slice(0, SHORT)} …` : output;
    return `# ${nameOf(cell, at)}, ${cell.cell_type}\n${sourceOf(cell)}${shown ? `\n# puts out:\n${shown}` : ""}`;
  });
  const near = cells.map((_, at) => at).sort((a, b) => Math.abs(a - active) - Math.abs(b - active));
  const kept = new Set<number>();
  let left = most;
  for (const at of near) {
    left -= written[at]!.length + 2;
    if (left < 0 && kept.size) break;
    kept.add(at);
  }
  let cut = 0;
  let gap = 0;
  const parts: string[] = [];
  const close = () => {
    if (gap) parts.push(`… (${gap} cells left out)`);
    gap = 0;
  };
  written.forEach((text, at) => {
    if (kept.has(at)) {
      close();
      parts.push(text);
    } else {
      gap += 1;
      cut += sourceOf(cells[at]!).length;
    }
  });
  close();
  return { text: parts.join("\n\n"), cut };
}
