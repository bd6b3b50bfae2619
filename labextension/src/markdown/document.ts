// A Markdown text that grows: blocks that are finished are parsed once and never again.
//
// Markdown is read line by line, and a line can change only the last block before it. So once a
// block stands behind another one, in whole lines, the earlier one is finished. Two things reach
// further, and are looked after: a link definition (`[a]: http://…`) turns an earlier `[a]` into a
// link, so blocks with such a label are rendered again when it comes; and a `$$` that is never
// closed turns out to be text, so nothing is finished while one is open.
//
// A fence that is open grows line by line without any parsing.

import { closed } from "./close";
import { codeHtml, language, md, type Env, type Token } from "./parser";

/** A block as it is shown: HTML, or code, which grows by itself. */
export interface Block {
  html: string;
  code?: { text: string; language: string; open: boolean };
}

interface Finished extends Block {
  source: string;
  labels: ReadonlySet<string>;
}

interface Fence {
  closer: RegExp;
  language: string;
  /** Where its first line of code begins. */
  from: number;
}

const DEFINITION = "reference_definition";

type References = NonNullable<Env["references"]>;

export class MarkdownDocument {
  /** Blocks that stay as they are, but for those whose index `render` names. */
  readonly finished: Finished[] = [];
  private text = "";
  private held = ""; // a carriage return that may be half of a line break
  private start = 0; // where the first block that is not finished begins
  private lines = 0; // up to where whole lines have been looked at
  private fence: Fence | null = null;
  private readonly env: Env = { references: {} };
  private linked = 0; // how many finished blocks know all definitions
  private shown: References = {}; // definitions of the unfinished part, as last rendered

  /** The whole text so far. */
  get source(): string {
    return this.text + (this.held ? "\n" : "");
  }

  append(piece: string): void {
    let text = this.held + piece;
    this.held = "";
    if (text.endsWith("\r")) {
      this.held = "\r";
      text = text.slice(0, -1);
    }
    this.text += text.replace(/\r\n?/g, "\n").replace(/\0/g, "\ufffd");
  }

  /**
   * Finish what can be, and render the rest; `changed` are finished blocks to show again.
   *
   * With `close`, markup that has only begun (`**bold`, a link's address) is completed or hidden.
   */
  render(close = false): { tail: Block[]; changed: number[] } {
    if (this.held) {
      this.text += "\n";
      this.held = "";
    }
    this.finish();
    const tail: Block[] = [];
    let references: References = {};
    if (this.fence) {
      tail.push(this.codeBlock(this.codeSoFar(this.fence), true));
    } else {
      const rest = this.text.slice(this.start);
      const env: Env = { references: { ...this.env.references } };
      for (const tokens of blocks(md.parse(close ? closed(rest) : rest, env))) {
        if (tokens[0]!.type !== DEFINITION) tail.push(block(tokens, env));
      }
      references = env.references ?? {};
    }
    return { tail, changed: this.link(references) };
  }

  private finish(): void {
    const end = this.text.lastIndexOf("\n") + 1;
    if (end <= this.lines) return;
    if (this.fence) {
      if (!this.closeFence(end)) return;
    }
    this.lines = end;
    for (;;) {
      const part = this.text.slice(this.start, end);
      const tokens: Token[] = [];
      md.block.parse(part, md, { references: { ...this.env.references } }, tokens);
      const found = [...blocks(tokens)];
      const last = found.at(-1)?.[0];
      if (!last || last.info === "open") return;
      const titled = found.findIndex((tokens) => mayGetTitle(part, tokens));
      const settled = found.slice(0, titled < 0 ? -1 : titled);
      while (settled.at(-1)?.[0]!.type === DEFINITION) settled.pop();
      const before = settled.at(-1)?.[0];
      if (before?.map) this.keep(offsetOfLine(part, before.map[1]));
      if (last.type !== "fence") return;
      if (!this.openFence() || !this.closeFence(end)) return;
    }
  }

  /** What stands between `start` and `start + length` is finished. */
  private keep(length: number): void {
    const source = this.text.slice(this.start, this.start + length);
    this.start += length;
    // With a blank line behind it, so that nothing in it looks as if it were still to be closed.
    for (const tokens of blocks(md.parse(`${source}\n`, this.env))) {
      if (tokens[0]!.type === DEFINITION) continue;
      this.finished.push({ ...block(tokens, this.env), ...this.sourceOf(tokens, source) });
    }
  }

  private sourceOf(tokens: Token[], within: string): { source: string; labels: Set<string> } {
    const [from, to] = tokens[0]!.map!;
    const source = within.slice(offsetOfLine(within, from), offsetOfLine(within, to));
    const labels = new Set<string>();
    for (const match of source.matchAll(/\[((?:[^[\]\\]|\\[^])+)\]/g)) {
      labels.add(md.utils.normalizeReference(match[1]!));
    }
    return { source: labels.size ? source : "", labels };
  }

  /** If the unfinished part is a fence at the margin, read it from now on line by line. */
  private openFence(): boolean {
    const match = /^(?:[ \t]*\n)*(`{3,}|~{3,})([^\n]*)\n/.exec(this.text.slice(this.start));
    if (!match) return false;
    const mark = match[1]!;
    this.fence = {
      closer: new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*$`),
      language: language(match[2]!),
      from: this.start + match[0].length,
    };
    this.lines = this.fence.from;
    return true;
  }

  /** Look through the new whole lines for the end of the fence. */
  private closeFence(end: number): boolean {
    const fence = this.fence!;
    for (let at = this.lines; at < end; ) {
      const next = this.text.indexOf("\n", at) + 1;
      if (fence.closer.test(this.text.slice(at, next - 1))) {
        const code = this.codeBlock(this.text.slice(fence.from, at), false);
        this.finished.push({ ...code, source: "", labels: new Set() });
        this.fence = null;
        this.start = this.lines = next;
        return true;
      }
      at = next;
    }
    this.lines = end;
    return false;
  }

  /** The code of the open fence; its last line may be half there, or be the one that closes it. */
  private codeSoFar(fence: Fence): string {
    const begin = this.text.lastIndexOf("\n") + 1;
    const last = this.text.slice(begin);
    const shown = last.trim() && !fence.closer.test(last) ? `${last}\n` : "";
    return this.text.slice(fence.from, begin) + shown;
  }

  private codeBlock(text: string, open: boolean): Block {
    const lang = this.fence!.language;
    return { html: open ? "" : codeHtml(text, lang), code: { text, language: lang, open } };
  }

  /** Render finished blocks again whose labels a definition has appeared for, or changed. */
  private link(now: References): number[] {
    const changed = new Set<string>();
    for (const label of new Set([...Object.keys(now), ...Object.keys(this.shown)])) {
      const [a, b] = [now[label], this.shown[label]];
      if (a?.href !== b?.href || a?.title !== b?.title) changed.add(label);
    }
    this.shown = this.fence ? { ...this.env.references } : { ...now };
    const env: Env = { references: this.shown };
    const again: number[] = [];
    const fresh = this.linked; // blocks since then were rendered without the latest definitions
    this.linked = this.finished.length;
    this.finished.forEach((old, index) => {
      if (!old.source || (index < fresh && !changed.size)) return;
      if (index < fresh && ![...old.labels].some((label) => changed.has(label))) return;
      const tokens = [...blocks(md.parse(`${old.source}\n`, env))][0];
      const html = tokens ? block(tokens, env).html : "";
      if (html !== old.html) {
        old.html = html;
        again.push(index);
      }
    });
    return again;
  }
}

/** The tokens of each block at the top. */
function* blocks(tokens: Token[]): Generator<Token[]> {
  let from = 0;
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.level === 0 && tokens[i]!.nesting <= 0) {
      yield tokens.slice(from, i + 1);
      from = i + 1;
    }
  }
}

function block(tokens: Token[], env: Env): Block {
  const first = tokens[0]!;
  const html = md.renderer.render(tokens, md.options, env);
  if (first.type === "fence" || first.type === "code_block") {
    const lang = first.type === "fence" ? language(first.info) : "";
    return { html, code: { text: first.content, language: lang, open: false } };
  }
  return { html };
}

/**
 * Whether the lines behind a block, up to a blank one, may still become the title of a link definition with
 * which it ends: also in a quote or an item, which such lines belong to then.
 */
function mayGetTitle(text: string, block: Token[]): boolean {
  const last = block.findLast(({ nesting }) => nesting >= 0)!;
  if (last.type !== DEFINITION || !last.map) return false;
  const rest = text.slice(offsetOfLine(text, last.map[1]));
  return /^[ \t]*["'(]/.test(rest) && !/\n[ \t]*\n/.test(rest);
}

function offsetOfLine(text: string, line: number): number {
  let offset = 0;
  for (; line > 0; line--) {
    const next = text.indexOf("\n", offset);
    if (next < 0) return text.length;
    offset = next + 1;
  }
  return offset;
}
