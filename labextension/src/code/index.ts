// Highlighting, line by line: a line costs the same whether it is the first or the thousandth, so
// code may be highlighted while it streams. The modes are those of CodeMirror, whose colours
// JupyterLab's themes define.

import { c, cpp, csharp, java, kotlin, scala } from "@codemirror/legacy-modes/mode/clike";
import { css } from "@codemirror/legacy-modes/mode/css";
import { diff } from "@codemirror/legacy-modes/mode/diff";
import { dockerFile } from "@codemirror/legacy-modes/mode/dockerfile";
import { go } from "@codemirror/legacy-modes/mode/go";
import { javascript, json, typescript } from "@codemirror/legacy-modes/mode/javascript";
import { julia } from "@codemirror/legacy-modes/mode/julia";
import { python } from "@codemirror/legacy-modes/mode/python";
import { r } from "@codemirror/legacy-modes/mode/r";
import { rust } from "@codemirror/legacy-modes/mode/rust";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { standardSQL } from "@codemirror/legacy-modes/mode/sql";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { html, xml } from "@codemirror/legacy-modes/mode/xml";
import { yaml } from "@codemirror/legacy-modes/mode/yaml";
import { LineStream } from "./stream";

interface Mode {
  startState?(indentUnit: number): unknown;
  token(stream: unknown, state: unknown): string | null;
  blankLine?(state: unknown, indentUnit: number): void;
}

const MODES: [string, unknown][] = [
  ["python py python3 ipython ipython3 pycon sage", python],
  ["javascript js jsx mjs node", javascript],
  ["typescript ts tsx", typescript],
  ["json jsonc json5 ipynb", json],
  ["bash sh shell zsh console shell-session", shell],
  ["sql sqlite mysql postgresql postgres duckdb", standardSQL],
  ["c h", c],
  ["cpp c++ cc hpp cuda", cpp],
  ["csharp cs c#", csharp],
  ["java", java],
  ["kotlin kt", kotlin],
  ["scala", scala],
  ["css scss", css],
  ["xml svg", xml],
  ["html vue", html],
  ["yaml yml", yaml],
  ["r", r],
  ["julia jl", julia],
  ["rust rs", rust],
  ["go golang", go],
  ["toml ini cfg", toml],
  ["diff patch", diff],
  ["dockerfile docker", dockerFile],
];

const BY_NAME = new Map(
  MODES.flatMap(([names, mode]) => names.split(" ").map((name) => [name, mode as Mode] as const)),
);

/** A run of one kind: `style` is a CSS class, or `""` for plain text. */
export interface Run {
  text: string;
  style: string;
}

/** Reads the lines of a piece of code in order; `null` if the language is not known. */
export function highlighter(language: string): ((line: string) => Run[]) | null {
  const mode = BY_NAME.get(language);
  if (!mode) return null;
  const state = mode.startState?.(4) ?? {};
  let broken = false;
  return (line) => {
    if (broken || line.length > 2000) return [{ text: line, style: "" }];
    try {
      return runs(mode, state, line);
    } catch {
      broken = true; // a mode's fault must not cost the text
      return [{ text: line, style: "" }];
    }
  };
}

function runs(mode: Mode, state: unknown, line: string): Run[] {
  if (!line) {
    mode.blankLine?.(state, 4);
    return [];
  }
  const stream = new LineStream(line);
  const found: Run[] = [];
  while (!stream.eol()) {
    stream.start = stream.pos;
    let style: string | null = null;
    for (let tries = 0; tries < 10 && stream.pos <= stream.start; tries++) {
      style = mode.token(stream, state);
    }
    if (stream.pos <= stream.start) stream.next();
    const name = styleOf(style);
    const last = found.at(-1);
    if (last?.style === name) last.text += stream.current();
    else found.push({ text: stream.current(), style: name });
  }
  return found;
}

/** The names that modes give, as the few classes that the style sheet knows. */
function styleOf(style: string | null): string {
  const name = (style ?? "").split(/[ .]/, 1)[0]!;
  return STYLES[name] ?? "";
}

const STYLES: Record<string, string> = {
  keyword: "kw",
  modifier: "kw",
  controlKeyword: "kw",
  definitionKeyword: "kw",
  atom: "atom",
  bool: "atom",
  null: "atom",
  self: "atom",
  number: "num",
  integer: "num",
  float: "num",
  string: "str",
  "string-2": "str",
  special: "str",
  regexp: "str",
  url: "str",
  character: "str",
  inserted: "ins",
  deleted: "del",
  comment: "com",
  lineComment: "com",
  blockComment: "com",
  meta: "meta",
  annotation: "meta",
  processingInstruction: "meta",
  def: "def",
  definition: "def",
  function: "def",
  builtin: "bi",
  "variable-2": "var",
  "variable-3": "type",
  type: "type",
  typeName: "type",
  className: "type",
  tag: "kw",
  tagName: "kw",
  attribute: "attr",
  attributeName: "attr",
  propertyName: "prop",
  property: "prop",
  operator: "op",
  heading: "def",
  header: "def",
  variableName: "",
};
