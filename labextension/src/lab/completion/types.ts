// What inline completion needs of JupyterLab, and what somebody may set of it.

import type { Signal, Widget } from "../jupyter";

/** `@jupyterlab/codeeditor`; `editor` is CodeMirror's view. */
export interface Editor {
  host: HTMLElement;
  model: {
    mimeType: string;
    sharedModel: { getSource(): string; changed: Signal };
    selections: { changed: Signal };
  };
  editor: {
    dispatch(change: {
      changes: { from: number; insert: string };
      selection: { anchor: number };
      userEvent: string;
    }): void;
  };
  getCursorPosition(): object;
  getOffsetAt(position: object): number;
  getSelection(): { start: object; end: object };
  isDisposed: boolean;
}

/** Of a notebook: a cell as far as its source is asked for. */
export interface CellWidget {
  editor: Editor | null;
  model: { id: string; type: string; sharedModel: { getSource(): string } };
}

export interface Context {
  widget: Widget & { context?: { path: string }; content?: { widgets?: readonly CellWidget[] } };
  editor?: Editor | null;
  /** 0: asked for by its command; 1: something was typed. */
  triggerKind?: number;
}

/** JupyterLab keeps it, and takes away what is typed of its beginning. */
export interface Item {
  insertText: string;
  isIncomplete: boolean;
  token: string;
}

export interface Offered {
  items: Item[];
}

export interface Provider {
  name: string;
  identifier: string;
  schema: { default: Record<string, unknown> };
  fetch(request: object, context: Context): Promise<Offered>;
  stream(token: string): AsyncGenerator<{ response: Item }>;
}

/** `ICompletionProviderManager` of `@jupyterlab/completer`. */
export interface Manager {
  registerInlineProvider(provider: Provider): void;
}

/** The two that may be asked, in the order of the settings. */
export const SLOTS = [0, 1] as const;

/** The settings: `schemas/completion.json`. */
export interface Chosen {
  model: string;
  secondModel: string;
  delay: number;
  length: "block" | "line";
  prose: boolean;
  otherCells: boolean;
  characters: number;
  agreedHosts: string[];
}

export const DEFAULTS: Chosen = {
  model: "",
  secondModel: "",
  delay: 200,
  length: "block",
  prose: false,
  otherCells: true,
  characters: 6000,
  agreedHosts: [],
};

/** The model of each slot; empty: none. One that is named twice is asked once. */
export function modelsOf({ model, secondModel }: Chosen): [string, string] {
  return [model, secondModel === model ? "" : secondModel];
}

/** On the host of an editor while text of ours is shown in it: what our shortcuts look for. */
export const SHOWN = "jan-mod-ghost";
