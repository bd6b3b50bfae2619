// What is dragged into the panel: cells, and files of the file browser. JupyterLab has a drag of its own.

import type { SavedCell } from "../jupyter";

const CELLS = "application/vnd.jupyter.cells";
const FILES = "application/x-jupyter-icontents";

interface Drag extends Event {
  mimeData: { hasData(type: string): boolean; getData(type: string): unknown };
  proposedAction: string;
  dropAction: string;
}

export interface Drops {
  cells(cells: SavedCell[]): void;
  /** Their paths from the server's root. */
  files(paths: string[]): void;
}

export function dropsIn(node: HTMLElement, drops: Drops): void {
  const mark = (on: boolean) => node.firstElementChild?.toggleAttribute("data-dropping", on);
  const ours = (event: Event) => {
    const { mimeData } = event as Drag;
    return mimeData.hasData(CELLS) || mimeData.hasData(FILES);
  };
  const over = (event: Event) => {
    if (!ours(event)) return;
    event.preventDefault();
    event.stopPropagation();
    (event as Drag).dropAction = "copy";
    mark(event.type !== "lm-drop");
  };
  for (const type of ["lm-dragenter", "lm-dragover"]) node.addEventListener(type, over);
  node.addEventListener("lm-dragleave", () => mark(false));
  node.addEventListener("lm-drop", (event) => {
    if (!ours(event)) return;
    over(event);
    const { mimeData } = event as Drag;
    if (mimeData.hasData(CELLS)) drops.cells(mimeData.getData(CELLS) as SavedCell[]);
    else drops.files(mimeData.getData(FILES) as string[]);
  });
}
