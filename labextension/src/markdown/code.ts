// A block of code: a bar with its buttons, and lines that are highlighted as they come.

import type { highlighter, Run } from "../code/index";
import { t } from "../words";

export type Highlighter = typeof highlighter;

/** Lines that are put into one element: an edit of a long block then touches few nodes. */
export class CodeView {
  readonly node: HTMLElement;
  private readonly body: HTMLElement;
  private read: ((line: string) => Run[]) | null = null;
  private text = "";
  private lines = 0; // length of the whole lines that are shown
  private partial: HTMLElement | null = null;

  constructor(
    private readonly language: string,
    private highlight: Highlighter | null,
  ) {
    this.node = frame(language);
    this.body = this.node.querySelector("code")!;
    this.read = highlight?.(language) ?? null;
  }

  /** Show `text`, which begins as before. */
  update(text: string): void {
    if (!text.startsWith(this.text.slice(0, this.lines))) this.clear();
    this.text = text;
    this.partial?.remove();
    this.partial = null;
    const end = text.lastIndexOf("\n") + 1;
    if (end > this.lines) {
      const lines = text.slice(this.lines, end).split("\n");
      lines.pop();
      this.body.append(...lines.map((line) => this.line(line, this.read)));
      this.lines = end;
    }
    if (end < text.length) {
      this.partial = this.line(text.slice(end), null);
      this.body.append(this.partial);
    }
  }

  /** Begin to highlight, once the part that can is there. */
  highlightWith(highlight: Highlighter): void {
    if (this.highlight) return;
    this.highlight = highlight;
    if (!highlight(this.language)) return;
    const text = this.text;
    this.clear();
    this.update(text);
  }

  private clear(): void {
    this.body.textContent = "";
    this.partial = null;
    this.lines = 0;
    this.text = "";
    this.read = this.highlight?.(this.language) ?? null;
  }

  private line(text: string, read: ((line: string) => Run[]) | null): HTMLElement {
    const line = document.createElement("span");
    line.className = "line";
    if (!read) line.textContent = `${text}\n`;
    else {
      for (const run of read(text)) line.append(run.style ? styled(run) : run.text);
      line.append("\n");
    }
    return line;
  }
}

function styled(run: Run): HTMLElement {
  const span = document.createElement("span");
  span.className = `t-${run.style}`;
  span.textContent = run.text;
  return span;
}

/** What stands around code; its buttons are heard by whoever owns the view (`data-act`). */
export function frame(language: string): HTMLElement {
  const node = document.createElement("div");
  node.className = "code";
  node.dataset.language = language;
  const bar = document.createElement("div");
  bar.className = "code-bar";
  const name = document.createElement("span");
  name.className = "code-language";
  name.textContent = language || "text";
  bar.append(name, button("copy", t("Copy"), t("Copy the code")));
  if (!language || RUNS.has(language)) {
    bar.append(button("insert", t("Insert below"), t("Insert as a new cell below; you run it")));
    // Shown where cells can be replaced (base.css).
    bar.append(button("replace", t("Replace …"), t("See what would change in the cell, and decide")));
  }
  const pre = document.createElement("pre");
  pre.tabIndex = 0; // may scroll sideways
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", language ? t("Code, %1", language) : t("Code"));
  pre.append(document.createElement("code"));
  node.append(bar, pre);
  return node;
}

/** What makes sense in a code cell of a notebook. */
const RUNS = new Set(
  t("python py python3 ipython ipython3 sage r julia jl javascript js typescript ts sql bash sh shell scala kotlin java cpp rust go").split(
    " ",
  ),
);

function button(act: string, text: string, title: string): HTMLButtonElement {
  const node = document.createElement("button");
  node.type = "button";
  node.dataset.act = act;
  node.textContent = text;
  node.title = title;
  return node;
}
