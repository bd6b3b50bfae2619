// The widget (anywidget): one session for each model of the page, one element for each view.

import { follow, hideSaved, kernelOf, module, type Kernel, type Model } from "./anywidget";
import { make } from "./element";
import type { Asker, Host, Lost, Outgoing, Parts } from "./host";
import { KERNEL } from "./kernel";
import type { Event } from "./protocol";
import { Session } from "./session";

class WidgetHost implements Host {
  readonly words = KERNEL;

  constructor(private readonly model: Model) {}

  send(message: Outgoing): void {
    this.model.send(message);
  }

  private get kernel(): Kernel | undefined {
    return kernelOf(this.model);
  }

  get idle(): boolean {
    return this.kernel?.session?.kernel?.status === "idle";
  }

  private get place(): string {
    return `jan-draft-${this.model.get("_place")}`;
  }

  get draft(): string {
    try {
      return sessionStorage.getItem(this.place) ?? "";
    } catch {
      return ""; // not in every frame
    }
  }

  set draft(text: string) {
    try {
      if (text) sessionStorage.setItem(this.place, text);
      else sessionStorage.removeItem(this.place);
    } catch {
      // It is full, or there is none: then the view alone has it.
    }
  }

  listen(listener: (event: Event) => void): () => void {
    const take = (content: unknown) => listener(content as Event);
    this.model.on("msg:custom", take);
    return () => this.model.off("msg:custom", take);
  }

  follow(listener: (lost: Lost) => void): () => void {
    return follow(this.kernel, () => String(this.model.get("_panel_id")), listener);
  }

  async part<Name extends keyof Parts>(name: Name, ask: Asker): Promise<Parts[Name]> {
    return module<Parts[Name]>(await ask("part", { name }));
  }

  /**
   * A widget has no say over the notebook, but the widget manager of JupyterLab and Notebook 7
   * knows the document that it serves. Elsewhere there is none: the code is copied instead.
   */
  insertCell(element: Element, code: string): boolean {
    const notebook = this.notebook?.sharedModel;
    const at = placeOf(element);
    if (!notebook || at === null) return false;
    notebook.insertCell(at + 1, {
      cell_type: "code",
      source: code,
      metadata: { trusted: true },
    });
    return true;
  }

  /**
   * JupyterLab and Notebook 7 listen for clicks on what names one of their commands, outside of
   * shadow roots; in a notebook that is not trusted they ask first. The command runs the cells that
   * are selected in the notebook that has the focus: a click has made that ours, but for a selection
   * of several, and for places (a view of its own) where there is no cell around.
   */
  runButton(element: Element): HTMLButtonElement | null {
    const cell = element.closest(".jp-NotebookPanel .jp-Notebook .jp-Cell");
    if (!cell || !this.notebook) return null;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.commandlinkerCommand = "notebook:run-cell";
    button.addEventListener("click", (event) => {
      const selected = cell.closest(".jp-Notebook")!.querySelectorAll(".jp-Cell.jp-mod-selected");
      const alone = selected.length <= 1 && cell.classList.contains("jp-mod-active");
      if (!alone) event.stopPropagation();
    });
    return button;
  }

  /**
   * The kernel does this itself while the page lives that ran the cell; a page that was opened
   * later knows no display ids, and hears of it here.
   */
  save(data: Record<string, unknown>, thread: string): void {
    const panel = this.model.get("_panel_id");
    for (const { outputs } of this.notebook?.cells ?? []) {
      for (let i = 0; i < (outputs?.length ?? 0); i++) {
        const output = outputs!.get(i).toJSON();
        if (output.metadata?.jan?.panel !== panel) continue;
        // What is no text (a form) tells of the same.
        const texts = Object.keys(data).filter((type) => typeof data[type] === "string");
        if (texts.every((type) => data[type] === output.data?.[type])) continue;
        outputs!.set(i, { ...output, data, metadata: { jan: { panel, thread } } });
      }
    }
  }

  private get notebook(): Notebook | null {
    const manager = this.model.widget_manager as { context?: { model?: Partial<Notebook> } };
    const model = manager?.context?.model;
    return model?.sharedModel && model.cells ? (model as Notebook) : null;
  }
}

/** Which cell of its notebook an element stands in, from 0. */
function placeOf(element: Element): number | null {
  const cell = element.closest<HTMLElement>(".jp-Cell");
  if (!cell) return null;
  const at =
    Number(cell.dataset.windowedListIndex ?? Number.NaN) ||
    [...(cell.parentElement?.querySelectorAll(":scope > .jp-Cell") ?? [])].indexOf(cell);
  return Math.max(0, at);
}

/** The parts that we need of JupyterLab's `INotebookModel`. */
interface Notebook {
  sharedModel: { insertCell(index: number, cell: Record<string, unknown>): unknown };
  cells: Iterable<{ outputs?: Outputs }>;
}

interface Outputs {
  length: number;
  get(index: number): { toJSON(): Output };
  set(index: number, output: unknown): void;
}

interface Output {
  data?: Record<string, unknown>;
  metadata?: { jan?: { panel?: unknown } };
}

// The listeners of a view end with it; those of `initialize` live as long as the widget. So the
// session is made there, and found by the views through the panel's own name: within the notebook
// (its widget manager), for two of a page may show the same kernel.
const sessions = new WeakMap<object, Map<string, Session>>();

function sessionsBeside(model: Model): Map<string, Session> {
  const manager = model.widget_manager ?? sessions;
  let beside = sessions.get(manager);
  if (!beside) sessions.set(manager, (beside = new Map()));
  return beside;
}

function sessionOf(model: Model): Session {
  const id = String(model.get("_panel_id"));
  const beside = sessionsBeside(model);
  let session = beside.get(id);
  if (!session) beside.set(id, (session = new Session(new WidgetHost(model))));
  return session;
}

export default {
  initialize({ model }: { model: Model }): () => void {
    const id = String(model.get("_panel_id"));
    const session = sessionOf(model);
    return () => {
      session.close();
      if (sessionsBeside(model).get(id) === session) sessionsBeside(model).delete(id);
    };
  },
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const element = make(sessionOf(model));
    element.style.setProperty("--jan-height", String(model.get("height") ?? ""));
    el.append(element);
    const show = hideSaved(String(model.get("_panel_id")));
    return () => {
      element.remove();
      show();
    };
  },
};
