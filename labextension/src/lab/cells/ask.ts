// The commands on cells: what each asks of the side panel (`jan:ask`). Nothing here changes a notebook but
// a comparison that somebody has asked for, which is a new cell.

import { isPlain, written } from "../../names";
import { REPLY, replyIn } from "../../reply/protocol";
import type { Commands } from "../jupyter";
import type { Cell, CellModel, NotebookPanel, OutputData } from "../notebook";
import { aboveOf, type Context, errorOf, errorText, outputsOf, sourceOf, subjectOf } from "./about";
import { question, type Task } from "./prompts";

/** What `jan:ask` is given. */
export interface Asked {
  text: string;
  context: Context[];
  images: string[];
  /** The cell that an answer's code may take the place of. */
  target: { path: string; cell: string };
  /** The models that answer side by side. */
  columns?: string[];
}

/** About a cell, or, of an output, about that one (`undefined`: about all that the cell has). */
export function asked(task: Task, panel: NotebookPanel, cell: Cell, output?: number): Asked {
  const { model } = cell;
  const context: Context[] = [];
  let images: string[] = [];
  if (task === "output") {
    const all = outputs(model);
    const about = outputsOf(output === undefined ? all : all.slice(output, output + 1));
    images = about.images;
    context.push(sourceOf(model));
    if (about.text) context.push({ label: "output", text: about.text });
  } else {
    const above = task === "document" ? null : aboveOf([...panel.content.model!.cells], model);
    if (above) context.push(above);
    context.push(sourceOf(model));
    const error = task === "error" || task === "fix" ? errorOf(model) : null;
    if (error) context.push({ label: "error", text: errorText(error) });
  }
  return {
    text: question(task, subjectOf(panel, model)),
    context,
    images,
    target: { path: panel.context.path, cell: model.id },
  };
}

function outputs({ outputs }: CellModel): OutputData[] {
  return Array.from({ length: outputs?.length ?? 0 }, (_, i) => outputs!.get(i).toJSON());
}

/** The number of the output that stands in a node; `undefined`: in none. */
export function outputAt(cell: Cell, node: Node | undefined): number | undefined {
  const found = cell.outputArea?.widgets.findIndex((one) => node && one.node.contains(node)) ?? -1;
  return found < 0 ? undefined : found;
}

// Comparing ------------------------------------------------------------------------------------------

/** Ask others what a `%%jan` cell asks: a new cell below it, which is run. */
export async function compareBelow(
  commands: Commands,
  panel: NotebookPanel,
  cell: Cell,
  models: readonly string[],
): Promise<void> {
  const { content } = panel;
  const at = content.widgets.indexOf(cell);
  if (at < 0 || !content.model) return;
  const source = comparison([...content.model.cells], cell.model, models);
  content.model.sharedModel.insertCell(at + 1, { cell_type: "code", source, metadata: { trusted: true } });
  content.deselectAll(); // else all of them would run
  content.activeCellIndex = at + 1;
  await commands.execute("notebook:run-cell");
}

/**
 * The words for it. Beside the answer that is there, where a line can mean this cell's: it has a name, or is
 * what has been asked last. Else a comparison that asks the cell's own models, too, anew.
 */
export function comparison(cells: readonly CellModel[], cell: CellModel, models: readonly string[]): string {
  const others = models.filter(isPlain).map(written);
  const name = answerName(cells, cell);
  if (name !== null) return ["%jan compare with", ...others, ...(name ? ["--of", name] : [])].join(" ");
  const source = cell.sharedModel.getSource().trimStart();
  const [line, ...body] = source.split("\n");
  const words = ["%%jan", ...own(line!), ...others.flatMap((other) => ["-m", other])];
  return [words.join(" "), ...body].join("\n");
}

/** Whether a comparison of this cell is one only if two others are named. */
export function needsTwo(cells: readonly CellModel[], cell: CellModel): boolean {
  const [line] = cell.sharedModel.getSource().trimStart().split("\n", 1);
  return answerName(cells, cell) === null && !own(line!).some((word) => /^(-m|--model)/.test(word));
}

/**
 * By what a cell's answer is known: its output says that, else it may be in a variable; "": it is the last that
 * was given; `null`: nobody knows.
 */
function answerName(cells: readonly CellModel[], cell: CellModel): string | null {
  const number = cell.executionCount ?? 0;
  if (!number) return null;
  const told = outputs(cell).map(({ data }) => (data && REPLY in data ? replyIn(data).name : ""));
  const names = told.filter(Boolean);
  if (names.length === 1) return names[0]!;
  const name = /\s--as[ =]([^\s"']+)/.exec(cell.sharedModel.getSource().trimStart().split("\n", 1)[0]!)?.[1];
  if (name) return isPlain(name) ? name : null;
  const later = cells.some((one) => (one.executionCount ?? 0) > number && ASKS.test(one.sharedModel.getSource()));
  return later ? null : "";
}

/** The model and the options of a `%%jan` line, as options. */
function own(line: string): string[] {
  const words = line.split(/\s+/).slice(1).filter(Boolean);
  return words[0] && !words[0].startsWith("-") ? ["-m", ...words] : words;
}

/** What may have asked a model by a line of ours. */
const ASKS = /^\s*(?:[\w.]+\s*=\s*)?%%?jan(?!\S)/m;
