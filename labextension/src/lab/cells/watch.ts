// What a notebook's cells look like: `%%jan` ones as a prompt, and below an error the way to have it
// explained. It is only what the page shows; nothing of it is saved.

import type { Signal } from "../jupyter";
import type { Cell, CellModel, Change, NotebookPanel } from "../notebook";
import { errorOf, isPrompt } from "./about";

/** What the user has set. */
export interface Wishes {
  highlight: boolean;
  explainErrors: boolean;
}

export interface Marks {
  /** The MIME type of `%%jan` cells. */
  prompt: string;
  /** Until editors can show a language. */
  loaded(mime: string): Promise<void>;
  wishes: Wishes;
  /** What the button below an error says, and what it does. */
  label: string;
  caption: string;
  explain(panel: NotebookPanel, cell: Cell): void;
}

/** Follow a notebook until it is closed; the function looks at all of it again. */
export function watch(panel: NotebookPanel, marks: Marks): () => void {
  const { content } = panel;
  const followed = new Map<CellModel, Follower>();
  let cells: Signal | undefined;
  const look = () => {
    const models = new Set(content.model?.cells ?? []);
    for (const [model, follower] of followed) {
      if (models.has(model)) continue;
      follower.stop();
      followed.delete(model);
    }
    for (const model of models) {
      if (model.type === "code" && !followed.has(model)) followed.set(model, new Follower(panel, model, marks));
    }
  };
  const open = () => {
    cells?.disconnect(look);
    cells = content.model?.cells.changed;
    cells?.connect(look);
    look();
  };
  content.modelChanged.connect(open);
  panel.disposed.connect(() => {
    // Another view may show the same cells.
    cells?.disconnect(look);
    for (const follower of followed.values()) follower.stop();
    followed.clear();
  });
  open();
  return () => {
    for (const follower of followed.values()) follower.look();
  };
}

/** `%%jan` and the character that ends the word. */
const MAGIC = 6;

class Follower {
  /** Beyond this place in the source nothing changes what the cell is. */
  private edge = 0;
  private place: HTMLElement | null = null;
  private readonly typed = (_: unknown, { sourceChange }: Change) => {
    if (sourceChange && (sourceChange[0]?.retain ?? 0) < this.edge) this.dress();
  };
  private readonly dress = () => this.highlight();
  private ours = false;
  private due = false;
  private stopped = false;
  /** Once for all outputs that come together, and when the notebook has made the cell, too. */
  private readonly put = () => {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      if (!this.stopped) this.button();
    });
  };

  constructor(
    private readonly panel: NotebookPanel,
    private readonly model: CellModel,
    private readonly marks: Marks,
  ) {
    model.sharedModel.changed.connect(this.typed);
    // The notebook sets all of its cells when a kernel tells its language.
    model.mimeTypeChanged.connect(this.dress);
    model.outputs?.changed.connect(this.put);
    this.look();
  }

  look(): void {
    this.highlight();
    this.put();
  }

  stop(): void {
    this.stopped = true;
    this.model.sharedModel?.changed.disconnect(this.typed);
    this.model.mimeTypeChanged.disconnect(this.dress);
    this.model.outputs?.changed.disconnect(this.put);
    this.place?.remove();
  }

  private highlight(): void {
    const source = this.model.sharedModel.getSource();
    this.edge = /^\s*/.exec(source)![0].length + MAGIC;
    const { prompt, wishes, loaded } = this.marks;
    const ours = wishes.highlight && isPrompt(source);
    const { mimeType } = this.model;
    this.ours = ours;
    if (ours === (mimeType === prompt)) return;
    if (!ours) this.model.mimeType = this.panel.content.codeMimetype;
    // An editor shows the language last that comes last, be it that of a type which the cell has had: what
    // it has been told is to have come.
    else void loaded(mimeType).then(() => this.ours && !this.stopped && (this.model.mimeType = prompt));
  }

  /** Our own errors say how they are mended. */
  private button(): void {
    const { wishes } = this.marks;
    const wanted =
      wishes.explainErrors && errorOf(this.model) !== null && !isPrompt(this.model.sharedModel.getSource());
    if (wanted === (this.place !== null)) return;
    this.place?.remove();
    this.place = null;
    const cell = this.panel.content.widgets.find(({ model }) => model === this.model);
    if (!wanted || !cell?.outputArea) return;
    this.place = this.made(cell);
    cell.outputArea.node.append(this.place);
  }

  private made(cell: Cell): HTMLElement {
    const place = document.createElement("div");
    place.className = "jan-explain-error";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.marks.label;
    button.title = this.marks.caption;
    button.addEventListener("click", () => this.marks.explain(this.panel, cell));
    // To the notebook these keys mean that the cell is to be edited, or scrolled.
    button.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.shiftKey) event.stopPropagation();
    });
    place.append(button);
    return place;
  }
}
