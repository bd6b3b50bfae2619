// Markdown as models write it -> tokens -> HTML that holds nothing but text, structure and links.
//
// No HTML of the source gets through: what is not Markdown is text. Images are links to themselves:
// an address that a model made up must not be called just because it was shown.

import MarkdownIt, {
  type Env,
  type StateBlock,
  type StateCore,
  type StateInline,
  type Token,
} from "markdown-it";

export type { Env, Token };

const LINK = /^(?:https?:\/\/|mailto:)/i;

function make() {
  const md = new MarkdownIt({ html: false, linkify: true, breaks: false });
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false }); // main.py is a file, not a host in Paraguay
  md.validateLink = (url) => LINK.test(url.trim());
  md.block.ruler.before("fence", "formula", blockFormula, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  md.inline.ruler.before("escape", "formula", inlineFormula);
  md.inline.ruler.before("autolink", "line_break_tag", lineBreakTag);
  md.core.ruler.push("tasks", tasks);
  md.renderer.rules.link_open = (tokens, index, options, _env, self) => {
    const token = tokens[index]!;
    token.attrSet("target", "_blank");
    token.attrSet("rel", "noopener noreferrer");
    return self.renderToken(tokens, index, options);
  };
  for (const cell of ["th_open", "td_open"]) {
    md.renderer.rules[cell] = (tokens, index, options, _env, self) => {
      const token = tokens[index]!;
      const align = /left|center|right/.exec(String(token.attrGet("style") ?? ""));
      token.attrs = align ? [["data-align", align[0]]] : null;
      return self.renderToken(tokens, index, options);
    };
  }
  md.renderer.rules.image = (tokens, index) => {
    const token = tokens[index]!;
    const src = md.utils.escapeHtml(String(token.attrGet("src") ?? ""));
    const alt = md.utils.escapeHtml(token.content || "image");
    return `<a class="image" href="${src}" target="_blank" rel="noopener noreferrer">${alt}</a>`;
  };
  md.renderer.rules.fence = (tokens, index) => {
    const token = tokens[index]!;
    return codeHtml(token.content, language(token.info));
  };
  md.renderer.rules.code_block = (tokens, index) => codeHtml(tokens[index]!.content, "");
  md.renderer.rules.formula = (tokens, index) => {
    const token = tokens[index]!;
    const kind = token.block || token.info === "display" ? "display" : "inline";
    const tag = token.block ? "div" : "span";
    return `<${tag} class="formula" data-kind="${kind}">${md.utils.escapeHtml(token.content)}</${tag}>`;
  };
  return md;
}

export const md = make();

/** A language as the first word of a fence names it, in lower case. */
export function language(info: string): string {
  return md.utils.unescapeAll(info).trim().split(/\s+/, 1)[0]!.toLowerCase();
}

export function codeHtml(code: string, lang: string): string {
  const attribute = lang ? ` data-language="${md.utils.escapeHtml(lang)}"` : "";
  return `<pre${attribute}><code>${md.utils.escapeHtml(code)}</code></pre>`;
}

/** The whole of a text as one parse gives it. */
export function renderWhole(text: string): string {
  return md.render(text);
}

// Formulas: $…$, $$…$$, \(…\), \[…\]

const OPENERS: Record<string, string> = { $$: "$$", "\\[": "\\]" };

/**
 * A displayed formula that begins a line. It ends with its closer or, unfinished, with the text; a
 * blank line before that says that it was none.
 */
function blockFormula(state: StateBlock, start: number, end: number, silent: boolean): boolean {
  const begin = state.bMarks[start]! + state.tShift[start]!;
  const opener = state.src.slice(begin, begin + 2);
  const closer = OPENERS[opener];
  if (closer === undefined || state.sCount[start]! - state.blkIndent >= 4) return false;
  let content = "";
  let line = start;
  for (; line < end; line++) {
    const from = line === start ? begin + 2 : state.bMarks[line]! + state.tShift[line]!;
    const to = state.eMarks[line]!;
    if (line > start && (from >= to || state.sCount[line]! < state.blkIndent)) return false;
    const text = state.src.slice(from, to);
    const at = text.indexOf(closer);
    if (at >= 0) {
      if (text.slice(at + 2).trim()) return false; // goes on: the inline rule's business
      content += text.slice(0, at);
      break;
    }
    content += `${text}\n`;
  }
  // Its list or quotation ended before it; a table ends where one begins.
  if (line === end && state.level > 0 && state.parentType !== "table") return false;
  if (!content.trim() && line < end && line === start) return false; // $$$$
  if (silent) return true;
  const token = state.push("formula", "div", 0);
  token.block = true;
  token.content = content.trim();
  token.info = line < end ? "" : "open";
  token.map = [start, Math.min(line + 1, end)];
  state.line = Math.min(line + 1, end);
  return true;
}

function inlineFormula(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  const char = src[pos];
  if (char !== "$" && char !== "\\") return false;
  const two = src.slice(pos, pos + 2);
  let opener: string;
  let closer: string;
  if (two === "$$" || two === "\\[") [opener, closer] = [two, OPENERS[two]!];
  else if (two === "\\(") [opener, closer] = [two, "\\)"];
  else if (char === "$") [opener, closer] = ["$", "$"];
  else return false;
  const from = pos + opener.length;
  let to = src.indexOf(closer, from);
  while (closer[0] === "$" && to > 0 && src[to - 1] === "\\") to = src.indexOf(closer, to + 1);
  if (to < 0 || to + closer.length > posMax) return false;
  const content = src.slice(from, to);
  if (!content.trim() || content.includes("`")) return false;
  // As pandoc does, so that prices stay prices: $5 and $6.
  if (opener === "$" && (/^\s|\s$/.test(content) || /\d/.test(src[to + 1] ?? ""))) return false;
  if (!silent) {
    const token = state.push("formula", "span", 0);
    token.content = content.trim();
    token.info = opener === "$$" || opener === "\\[" ? "display" : "";
  }
  state.pos = to + closer.length;
  return true;
}

/** `<br>`: the one tag that models need, for tables have no other line break. */
function lineBreakTag(state: StateInline, silent: boolean): boolean {
  const match = /^<br ?\/?>/i.exec(state.src.slice(state.pos, state.pos + 6));
  if (!match) return false;
  if (!silent) state.push("hardbreak", "br", 0);
  state.pos += match[0].length;
  return true;
}

/** `- [ ] …` and `- [x] …` */
function tasks(state: StateCore): void {
  for (let i = 2; i < state.tokens.length; i++) {
    const token = state.tokens[i]!;
    if (token.type !== "inline" || state.tokens[i - 2]!.type !== "list_item_open") continue;
    const first = token.children?.[0];
    const match = first?.type === "text" ? /^\[([ xX])\] /.exec(first.content) : null;
    if (first && match) {
      first.content = `${match[1] === " " ? "☐" : "☑"} ${first.content.slice(4)}`;
      state.tokens[i - 2]!.attrJoin("class", "task");
    }
  }
}
