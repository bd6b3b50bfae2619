// What we need of JupyterLab's notebooks, cells, outputs and editors, as those of 4.2 have it.

import type { Signal, Widget } from "./jupyter";

/** `@jupyter/ydoc`: what changed in a text, as Yjs tells it. */
export interface Change {
  sourceChange?: { retain?: number; insert?: string; delete?: number }[];
}

/** `@jupyterlab/cells`. */
export interface CellModel {
  id: string;
  type: string;
  mimeType: string;
  mimeTypeChanged: Signal;
  sharedModel: { getSource(): string; changed: Signal<unknown, Change> };
  /** Of code cells only. */
  outputs?: Outputs;
  executionCount?: number | null;
}

export interface Outputs {
  length: number;
  get(index: number): Output;
  changed: Signal;
}

export interface Output {
  type: string;
  toJSON(): OutputData;
}

/** As notebooks save one (nbformat). */
export interface OutputData {
  output_type: string;
  name?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
  traceback?: string[];
}

export interface Cell extends Widget {
  model: CellModel;
  /** Of code cells only. */
  outputArea?: Widget & { widgets: readonly Widget[] };
}

/** `@jupyterlab/notebook`. */
export interface NotebookModel {
  cells: Iterable<CellModel> & { changed: Signal };
  getMetadata?(key: string): unknown;
  sharedModel: {
    insertCell(index: number, cell: { cell_type: string; source: string; metadata: object }): { id?: string };
  };
}

export interface Notebook extends Widget {
  model: NotebookModel | null;
  modelChanged: Signal;
  widgets: readonly Cell[];
  activeCell: Cell | null;
  activeCellIndex: number;
  deselectAll(): void;
  /** The MIME type of its kernel's language. */
  codeMimetype: string;
}

export interface NotebookPanel extends Widget {
  content: Notebook;
  context: { path: string };
  disposed: Signal;
}

export interface Notebooks {
  currentWidget: NotebookPanel | null;
  forEach(each: (panel: NotebookPanel) => void): void;
  widgetAdded: Signal<unknown, NotebookPanel>;
}
