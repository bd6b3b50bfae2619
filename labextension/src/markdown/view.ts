// Shows a Markdown text that grows: finished blocks are put into the page once, the last one is
// changed as little as possible.

import { t } from "../words";
import { CodeView, type Highlighter } from "./code";
import { MarkdownDocument, type Block } from "./document";
import { morph } from "./morph";
import { sanitised, sanitisedMath } from "./sanitise";

/**
 * So many blocks stand in a box, and so many boxes in a chapter. What is not in sight the page lays
 * out once and then passes over, box by box; and of chapters not even the boxes are counted.
 */
const BOX = 8;
const CHAPTER = 16;

/** The parts that are fetched when a text first needs them. */
export interface Painters {
  highlighter(): Highlighter | null;
  mathml(): ((source: string, display: boolean) => string) | null;
  /** Ask for a part; `then` is called once it is there. */
  want(part: "code" | "math", then: () => void): void;
}

export class MarkdownView {
  private document = new MarkdownDocument();
  private taken = 0; // how much of the text the document has
  private placed = 0; // how many finished blocks are in the page
  private tail: Element[] = [];
  private open: CodeView | null = null; // the code at the end, while it grows
  private source = "";

  constructor(
    readonly node: HTMLElement,
    private readonly painters: Painters,
  ) {}

  /** Show `text`; `done` says that no more will come. */
  update(text: string, done: boolean): void {
    if (text.length < this.taken || !text.startsWith(this.source)) this.reset();
    if (text.length > this.taken) {
      this.document.append(text.slice(this.taken));
      this.taken = text.length;
      this.source = text;
    }
    const { tail, changed } = this.document.render(!done);
    const { finished } = this.document;
    for (const index of changed) {
      const old = this.box(index).children[index % BOX];
      if (old && index < this.placed) morph(old, this.element(finished[index]!));
    }
    if (finished.length > this.placed) this.finish(finished.slice(this.placed));
    this.placed = finished.length;
    this.showTail(tail);
  }

  private reset(): void {
    this.document = new MarkdownDocument();
    this.node.textContent = "";
    this.taken = this.placed = 0;
    this.tail = [];
    this.open = null;
    this.source = "";
  }

  /** The box of the block with that index; made if it is the next one. */
  private box(index: number): Element {
    const at = Math.floor(index / BOX);
    const known = this.boxAt(at);
    if (known) return known;
    const chapter = this.node.children[Math.floor(at / CHAPTER)] ?? made("chapter", this.node);
    const box = made("box", chapter);
    const far = this.boxAt(at - 2);
    far?.classList.add("far");
    if (far?.parentElement !== chapter) far?.parentElement?.classList.toggle("far", !far.nextElementSibling);
    return box;
  }

  private boxAt(at: number): Element | undefined {
    return this.node.children[Math.floor(at / CHAPTER)]?.children[at % CHAPTER];
  }

  private finish(blocks: Block[]): void {
    let index = this.placed;
    for (const block of blocks) {
      const box = this.box(index++);
      const first = this.tail.shift();
      const grown = this.open && first === this.open.node && block.code ? this.open : null;
      if (grown) {
        grown.update(block.code!.text);
        this.open = null;
        if (first!.parentElement !== box) box.append(first!);
      } else if (first) {
        if (this.open && first === this.open.node) this.open = null;
        const element = this.element(block);
        // Morphing keeps a selection in what the reader sees; code is put in new, highlighted.
        if (first.parentElement !== box) {
          first.remove();
          box.append(element);
        } else if (block.code || first.classList.contains("code")) first.replaceWith(element);
        else morph(first, element);
      } else box.append(this.element(block));
    }
  }

  private showTail(blocks: Block[]): void {
    blocks.forEach((block, index) => {
      const old = this.tail[index];
      if (block.code?.open) {
        if (!this.open || old !== this.open.node) {
          this.open = this.codeView(block.code.language);
          this.place(index, this.open.node);
        }
        this.open!.update(block.code.text);
        return;
      }
      if (this.open && old === this.open.node) this.open = null;
      const element = this.element(block);
      if (!old || old.localName !== element.localName || old.classList.contains("code")) {
        this.place(index, element);
      } else morph(old, element);
    });
    for (const extra of this.tail.splice(blocks.length)) {
      if (this.open && extra === this.open.node) this.open = null;
      extra.remove();
    }
    for (const element of this.tail) {
      const box = this.box(this.placed); // a new one, if the last is full
      if (element.parentElement !== box) box.append(element);
    }
  }

  private place(index: number, element: Element): void {
    const old = this.tail[index];
    if (old) old.replaceWith(element);
    else this.box(this.placed).append(element);
    this.tail[index] = element;
  }

  private codeView(language: string): CodeView {
    const highlight = this.painters.highlighter();
    const view = new CodeView(language, highlight);
    if (!highlight && language) {
      this.painters.want("code", () => {
        const now = this.painters.highlighter();
        if (now) view.highlightWith(now);
      });
    }
    return view;
  }

  private element(block: Block): Element {
    if (block.code) {
      const view = this.codeView(block.code.language);
      view.update(block.code.text);
      return view.node;
    }
    const fragment = sanitised(block.html);
    this.dress(fragment);
    return fragment.firstElementChild ?? document.createElement("p");
  }

  /** Code and formulas inside a block. */
  private dress(fragment: DocumentFragment): void {
    for (const pre of fragment.querySelectorAll("pre")) {
      const language = pre.dataset.language ?? "";
      const view = this.codeView(language);
      view.update(pre.textContent ?? "");
      pre.replaceWith(view.node);
    }
    for (const table of fragment.querySelectorAll("table")) {
      const box = document.createElement("div");
      box.className = "table";
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", t("Table"));
      table.replaceWith(box);
      box.append(table);
    }
    for (const formula of fragment.querySelectorAll<HTMLElement>(".formula")) this.paint(formula);
  }

  private paint(formula: HTMLElement): void {
    const source = formula.textContent ?? "";
    const mathml = this.painters.mathml();
    if (!mathml) {
      this.painters.want("math", () => {
        // The element may have been merged into the page: look for those that still wait.
        for (const waiting of this.node.querySelectorAll<HTMLElement>(".formula:not(.shown,.odd)")) {
          this.paint(waiting);
        }
      });
      return;
    }
    try {
      formula.replaceChildren(sanitisedMath(mathml(source, formula.dataset.kind === "display")));
      formula.classList.add("shown");
      formula.title = source;
    } catch {
      formula.classList.add("odd"); // no formula that we can read: its source stays
    }
  }
}

function made(name: string, within: Element): Element {
  const element = document.createElement("div");
  element.className = name;
  within.append(element);
  return element;
}
