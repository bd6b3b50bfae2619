// The language of `%%jan` cells: the line of the magic as code, what is below it as Markdown, as
// JupyterLab's own Markdown cells have it. Made of the page's CodeMirror, which there can be one of only.

import type { Packages } from "../jupyter";

/** What `%%jan` cells are as long as they are open; nothing of it is saved. */
export const PROMPT = "text/x-jan-prompt";
/** JupyterLab's Markdown with formulas. */
export const MARKDOWN = "text/x-ipythongfm";

/** `@lezer/common`. */
interface Input {
  length: number;
  read(from: number, to: number): string;
}
type NodeType = object;
interface Tree {
  length: number;
}
interface Lezer {
  NodeType: { define(about: { id: number; name: string; top?: boolean; props?: unknown[] }): NodeType };
  Tree: new (type: NodeType, children: Tree[], positions: number[], length: number) => Tree;
  Parser: abstract new () => object;
  parseMixed(nest: (node: { type: NodeType }) => object | null): (parse: object, ...rest: unknown[]) => object;
}

/** `@lezer/highlight`: a tag for each name. */
interface Highlight {
  styleTags(styles: Record<string, unknown>): unknown;
  tags: Record<string, unknown>;
}

/** `@codemirror/language`. */
interface Language {
  parser: object;
}
interface Support {
  language: Language;
  support: unknown;
}
interface CodeMirror {
  Language: new (data: unknown, parser: object, extensions: unknown[], name: string) => Language;
  LanguageSupport: new (language: Language, support?: unknown) => Support;
  defineLanguageFacet(): unknown;
  languageDataProp: { add(types: Record<string, unknown>): unknown };
}

/** `@jupyterlab/codemirror`. */
export interface Languages {
  addLanguage(language: {
    name: string;
    displayName: string;
    mime: string;
    load: () => Promise<Support>;
  }): void;
  findByMIME(mime: string): object | null;
  getLanguage(language: string | object): Promise<{ support?: Support } | null>;
}

const TOKENS = ["Magic", "Option", "Key", "Text", "Number", "Word"] as const;
type Token = (typeof TOKENS)[number];

/** What stands in the line of a magic, from left to right. */
const PART =
  /(?<Magic>%%jan(?!\S))|(?<Option>(?<=\s)--?[A-Za-z][\w-]*)|(?<Key>[A-Za-z_][\w.]*)(?==)|(?<Text>"[^"]*"?|'[^']*'?)|(?<Number>(?<![\w.:-])-?\d+(?:\.\d+)?(?![\w.:-]))|(?<Word>[^\s=,]+)/g;

/** The tokens of a line, with their places in it. */
export function tokens(line: string): { token: Token; from: number; to: number }[] {
  return [...line.matchAll(PART)].map((match) => ({
    token: TOKENS.find((name) => match.groups![name] !== undefined)!,
    from: match.index,
    to: match.index + match[0].length,
  }));
}

/** Where the line of the magic ends; blank lines may stand above it. */
export function lineEnd(text: string): number {
  const end = text.indexOf("\n", /^\s*/.exec(text)![0].length);
  return end < 0 ? text.length : end;
}

/** The longest line that is looked at. */
const LONGEST = 4000;

export async function promptLanguage(share: Packages["share"], languages: Languages): Promise<Support> {
  const [lezer, highlight, code, markdown] = await Promise.all([
    share<Lezer>("@lezer/common"),
    share<Highlight>("@lezer/highlight"),
    share<CodeMirror>("@codemirror/language"),
    languages.getLanguage(MARKDOWN),
  ]);
  const below = markdown?.support;
  if (!lezer || !highlight || !code || !below) throw new Error("This page shares no CodeMirror 6.");
  const data = code.defineLanguageFacet();
  const { tags } = highlight;
  const styles = highlight.styleTags({
    Magic: tags.meta,
    Option: tags.attributeName,
    Key: tags.propertyName,
    Text: tags.string,
    Number: tags.number,
    Word: tags.variableName,
  });
  const top = lezer.NodeType.define({
    id: 1,
    name: "Prompt",
    top: true,
    props: [code.languageDataProp.add({ Prompt: data })],
  });
  const body = lezer.NodeType.define({ id: 2, name: "Body" });
  const types = Object.fromEntries(
    TOKENS.map((name, i) => [name, lezer.NodeType.define({ id: 3 + i, name, props: [styles] })]),
  );
  const { Tree } = lezer;
  const tree = (input: Input): Tree => {
    const head = input.read(0, Math.min(input.length, LONGEST));
    const end = lineEnd(head);
    const found = tokens(head.slice(0, end));
    const children = found.map(({ token, from, to }) => new Tree(types[token]!, [], [], to - from));
    const positions = found.map(({ from }) => from);
    if (end < input.length) {
      children.push(new Tree(body, [], [], input.length - end));
      positions.push(end);
    }
    return new Tree(top, children, positions, input.length);
  };
  const mixed = lezer.parseMixed((node) => (node.type === body ? { parser: below.language.parser } : null));
  class PromptParser extends lezer.Parser {
    createParse(input: Input, ...rest: unknown[]): object {
      const whole = { parsedPos: input.length, stoppedAt: null, stopAt() {}, advance: () => tree(input) };
      return mixed(whole, input, ...rest);
    }
  }
  const language = new code.Language(data, new PromptParser(), [], "jan-prompt");
  return new code.LanguageSupport(language, below.support);
}
