// What is told of a cell: its source, its error, its outputs, and what above it it needs. All of that is
// untrusted text, and nothing but text here.

import type { CellModel, NotebookPanel, OutputData } from "../notebook";
import type { Subject } from "./prompts";

export interface Context {
  label: string;
  text: string;
}

/** Characters of an error, of an output, and of what stands above a cell that go along. */
const ERROR = 6000;
const OUTPUT = 8000;
const ABOVE = 4000;
/** Of an image as `data:` URL; a larger one stays here. */
const IMAGE = 8_000_000;
/** How much of an error's room its beginning gets: what has just happened stands at its end. */
const HEAD = 0.25;

export const isPrompt = (source: string) => /^\s*%%jan(?!\S)/.test(source);

export function subjectOf(panel: NotebookPanel, cell: CellModel): Subject {
  const { type } = cell;
  if (type === "code") {
    const kind = isPrompt(cell.sharedModel.getSource()) ? "prompt" : "code";
    return { kind, language: languageOf(panel) };
  }
  return { kind: type === "markdown" ? "markdown" : "raw", language: "" };
}

/** The language of a notebook's cells as its kernel, or else its file, says; "": neither does. */
function languageOf({ content }: NotebookPanel): string {
  const of = (key: string, field: string) => {
    const found = content.model?.getMetadata?.(key) as Record<string, unknown> | undefined;
    return typeof found?.[field] === "string" ? found[field] : "";
  };
  const name = of("language_info", "name") || of("kernelspec", "language");
  const known = name.replace(/[^\p{L}\p{N}+#. -]/gu, "").slice(0, 40);
  return known && known[0]!.toUpperCase() + known.slice(1);
}

export function sourceOf(cell: CellModel): Context {
  const number = cell.executionCount;
  return { label: number ? `cell [${number}]` : "cell", text: cell.sharedModel.getSource() };
}

/** The error in which a cell has ended, if it has: of one that was stopped there is nothing to explain. */
export function errorOf(cell: CellModel): OutputData | null {
  const { outputs } = cell;
  for (let i = (outputs?.length ?? 0) - 1; i >= 0; i--) {
    const output = outputs!.get(i);
    if (output.type !== "error") continue;
    const data = output.toJSON();
    return data.ename === "KeyboardInterrupt" ? null : data;
  }
  return null;
}

export function errorText({ ename = "", evalue = "", traceback = [] }: OutputData): string {
  const traced = plain(joined(traceback, "\n")).replace(/^-{20,}\n/, "");
  const last = `${ename}: ${evalue}`;
  const text = traced.includes(evalue.split("\n", 1)[0]!) && traced.trim() ? traced : `${traced}\n${last}`.trim();
  return cut(text, ERROR);
}

/** What outputs say as text, and their pictures. */
export function outputsOf(outputs: readonly OutputData[]): { text: string; images: string[] } {
  const texts: string[] = [];
  const images: string[] = [];
  for (const output of outputs) {
    if (output.output_type === "error") texts.push(errorText(output));
    else if (output.output_type === "stream") texts.push(plain(joined(output.text)));
    else {
      const image = imageOf(output.data ?? {});
      if (image) images.push(image);
      texts.push(textOf(output.data ?? {}));
    }
  }
  return { text: cut(texts.filter((text) => text.trim()).map((text) => text.trimEnd()).join("\n"), OUTPUT), images };
}

function textOf(data: Record<string, unknown>): string {
  for (const type of ["text/markdown", "text/latex", "text/plain"]) {
    if (data[type] !== undefined) return plain(joined(data[type]));
  }
  return "";
}

function imageOf(data: Record<string, unknown>): string | null {
  for (const type of ["image/png", "image/jpeg", "image/webp", "image/gif"]) {
    const base64 = joined(data[type]).replace(/\s+/g, "");
    if (/^[A-Za-z0-9+/]+=*$/.test(base64) && base64.length <= IMAGE) return `data:${type};base64,${base64}`;
  }
  return null;
}

/** Texts stand in files as one, or as a list of lines. */
function joined(text: unknown, by = ""): string {
  if (Array.isArray(text)) return text.filter((part) => typeof part === "string").join(by);
  return typeof text === "string" ? text : "";
}

// Colours and links of terminals (CSI and OSC), and other characters that are none.
// eslint-disable-next-line no-control-regex
const CONTROLS = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

export function plain(text: string): string {
  // What was written over by a carriage return (progress bars) was not seen in the end.
  return text.replace(/\r\n/g, "\n").replace(CONTROLS, "").replace(/^.*\r(?=.)/gm, "").replace(/\r/g, "");
}

/** With the middle left out if it is too long; whole lines stay. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, Math.floor(most * HEAD));
  const tail = text.slice(head.length - most);
  const first = head.slice(0, head.lastIndexOf("\n") + 1) || head;
  const last = tail.slice(tail.indexOf("\n") + 1) || tail;
  return `${first}[… ${text.length - first.length - last.length} characters left out …]\n${last}`;
}

// What a cell needs of those above it --------------------------------------------------------------

const NAME = /[\p{L}_][\p{L}\p{N}_]*/gu;
/** What a line makes, in most languages that notebooks have. */
const MADE = [
  /^[ \t]*([\p{L}_][\p{L}\p{N}_.]*(?:[ \t]*,[ \t]*[\p{L}_][\p{L}\p{N}_.]*)*)[ \t]*(?::[^=\n]+)?(?:<-|(?:[-+*/|&]|\/\/)?=(?!=))/gmu,
  /^[ \t]*(?:async[ \t]+)?(?:def|class|function|struct|type|let|const|var|val|data|macro)[ \t]+([\p{L}_][\p{L}\p{N}_]*)/gmu,
  /^[ \t]*(?:from[ \t]+[^ \t\n]+[ \t]+)?(?:import|using|library|require)\b[ \t(]*([^\n;)]*)/gmu,
];

/** The names that a source makes. */
export function madeBy(source: string): Set<string> {
  const made = new Set<string>();
  for (const pattern of MADE) {
    for (const [, names] of source.matchAll(pattern)) {
      for (const [name] of names!.matchAll(NAME)) made.add(name);
    }
  }
  return made;
}

/** The cells above that make what this one uses: the nearest first, in their own order at the end. */
export function aboveOf(cells: readonly CellModel[], cell: CellModel): Context | null {
  const wanted = namesIn(cell.sharedModel.getSource());
  const found: string[] = [];
  let room = ABOVE;
  for (let i = cells.indexOf(cell) - 1; i >= 0 && room > 0; i--) {
    const other = cells[i]!;
    const source = other.type === "code" ? other.sharedModel.getSource() : "";
    if (!source || source.length > room || isPrompt(source)) continue;
    const made = [...madeBy(source)].filter((name) => wanted.has(name));
    if (!made.length) continue;
    for (const name of made) wanted.delete(name); // an older one does not count
    // That a cell was not run is what is wrong with many a notebook.
    found.unshift(`[${other.executionCount ?? "not run"}]:\n${source}`);
    room -= source.length;
  }
  return found.length ? { label: "cells above", text: found.join("\n\n") } : null;
}

function namesIn(source: string): Set<string> {
  return new Set([...source.matchAll(NAME)].map(([name]) => name));
}
