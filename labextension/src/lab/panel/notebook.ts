// What is put into the open notebook: each is one step of its undo, and nothing runs.

import type { Proposal, Target } from "../../host";
import { t } from "../../words";
import type { Application, SavedCell, Cell, NotebookPanel, NotebookTracker } from "../jupyter";
import { nameOf } from "./book";

/** Commands of `jupyterlab-diff`: its own view of a cell's change, with accept and reject. */
const DIFF = "jupyterlab-diff:split-cell-diff";

export class IntoNotebook {
  constructor(
    private readonly app: Application,
    private readonly tracker: NotebookTracker | null,
  ) {}

  /** The notebook that was used last. */
  get panel(): NotebookPanel | null {
    return this.tracker?.currentWidget ?? null;
  }

  /** Put cells below the one in use. Whether there was a notebook. */
  insert(cells: Partial<SavedCell>[]): boolean {
    const content = this.panel?.content;
    const shared = content?.model?.sharedModel;
    if (!content || !shared || !cells.length) return false;
    const at = content.widgets.length ? content.activeCellIndex + 1 : 0;
    shared.insertCells(at, cells);
    content.deselectAll();
    content.activeCellIndex = at + cells.length - 1;
    void content.scrollToItem?.(content.activeCellIndex);
    return true;
  }

  /** Code for a cell: what it would change. A text: why there is no such cell; `null`: another view shows it. */
  async propose(code: string, target: Target | undefined): Promise<Proposal | string | null> {
    const panel = target ? this.tracker?.find((one) => one.context.path === target.path) : this.panel;
    if (!panel) return target ? `${target.path.split("/").at(-1)} is not open` : "No notebook here";
    const { content } = panel;
    const cell = target ? content.widgets.find((one) => one.model.id === target.cell) : content.activeCell;
    if (!cell) return target ? t("The cell is not there any more") : t("No cell here");
    const before = cell.model.sharedModel.getSource();
    if (this.app.commands.hasCommand(DIFF)) {
      const about = { cellId: cell.model.id, notebookPath: panel.context.path, originalSource: before, newSource: code };
      await this.app.commands.execute(DIFF, { ...about, showActionButtons: true, openDiff: true });
      this.show(panel, cell);
      return null;
    }
    const at = content.widgets.indexOf(cell);
    return {
      title: `Replace ${nameOf(cell.model.toJSON(), at)} of ${panel.context.path.split("/").at(-1)}?`,
      before,
      after: code,
      accept: () => this.replace(panel, cell, before, code),
      refuse: () => {},
    };
  }

  private replace(panel: NotebookPanel, cell: Cell, before: string, code: string): string {
    const shared = cell.model.sharedModel;
    if (panel.isDisposed || cell.isDisposed) return t("The cell is not there any more.");
    if (shared.getSource() !== before) return t("The cell has been changed meanwhile: refuse, and look again.");
    if (cell.model.toJSON().metadata?.editable === false) return t("The cell may not be edited.");
    shared.transact(() => shared.setSource(code));
    this.show(panel, cell);
    return "";
  }

  private show(panel: NotebookPanel, cell: Cell): void {
    const at = panel.content.widgets.indexOf(cell);
    panel.content.activeCellIndex = at;
    void panel.content.scrollToItem?.(at);
    this.app.shell.activateById(panel.id);
  }
}
