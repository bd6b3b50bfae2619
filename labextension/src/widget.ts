// The widget (anywidget): one session for each model of the page, one element for each view.

import { make } from "./element";
import type { Asker, Host, Lost, Outgoing, Parts } from "./host";
import type { Event } from "./protocol";
import { Session } from "./session";

/** What anywidget hands over (https://anywidget.dev/en/afm/). */
interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: "msg:custom", listener: (content: unknown) => void): void;
  off(name: "msg:custom", listener: (content: unknown) => void): void;
  widget_manager?: object;
}

class WidgetHost implements Host {
  constructor(private readonly model: Model) {}

  send(message: Outgoing): void {
    this.model.send(message);
  }

  private get kernel(): Kernel | undefined {
    const manager = this.model.widget_manager as { context?: { sessionContext?: Kernel } };
    return manager?.context?.sessionContext;
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
    const kernel = this.kernel;
    if (!kernel?.statusChanged || !kernel.connectionStatusChanged) return () => {};
    const began = kernel.session?.kernel?.id;
    let away = false;
    const look = () => {
      const now = kernel.session?.kernel;
      if (!now || now.status === "dead") return listener("dead");
      if (/starting/.test(now.status) || now.id !== began) return listener("gone");
      const back = away && now.connectionStatus === "connected";
      away = now.connectionStatus !== "connected";
      listener(away ? "away" : "");
      // It may have been restarted meanwhile.
      if (back) now.requestCommInfo({ target_name: "jupyter.widget" }).then((reply) => {
        const { comms } = reply.content;
        if (comms && !(String(this.model.get("_panel_id")) in comms)) listener("gone");
      }, () => {});
    };
    const signals = [kernel.statusChanged, kernel.connectionStatusChanged, kernel.kernelChanged];
    for (const signal of signals) signal.connect(look);
    return () => {
      for (const signal of signals) signal.disconnect(look);
    };
  }

  async part<Name extends keyof Parts>(name: Name, ask: Asker): Promise<Parts[Name]> {
    const source = await ask("part", { name });
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      return (await import(url)) as Parts[Name];
    } finally {
      URL.revokeObjectURL(url);
    }
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
  save(data: Record<string, string>, thread: string): void {
    const panel = this.model.get("_panel_id");
    for (const { outputs } of this.notebook?.cells ?? []) {
      for (let i = 0; i < (outputs?.length ?? 0); i++) {
        const output = outputs!.get(i).toJSON();
        if (output.metadata?.jan?.panel !== panel) continue;
        if (Object.keys(data).every((type) => data[type] === output.data?.[type])) continue;
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

/** The parts that we need of JupyterLab's `ISessionContext`. */
interface Kernel {
  session?: {
    kernel?: {
      id: string;
      status: string;
      connectionStatus: string;
      requestCommInfo(about: { target_name: string }): Promise<{ content: { comms?: object } }>;
    } | null;
  } | null;
  statusChanged: Signal;
  connectionStatusChanged: Signal;
  kernelChanged: Signal;
}

interface Signal {
  connect(slot: () => void): unknown;
  disconnect(slot: () => void): unknown;
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

const views = new Map<string, number>();

/** Hide what a saved notebook shows of a panel while a view of it is alive in the page. */
function hideSaved(id: string): () => void {
  const name = `jan-saved-${id}`;
  const before = views.get(id) ?? 0;
  views.set(id, before + 1);
  if (!before) {
    const style = document.createElement("style");
    style.id = name;
    const saved = `.${CSS.escape(name)}`;
    style.textContent = `.jp-OutputArea-child:has(${saved}), ${saved} { display: none !important; }`;
    document.head.append(style);
  }
  return () => {
    const left = (views.get(id) ?? 1) - 1;
    views.set(id, left);
    if (!left) document.getElementById(name)?.remove();
  };
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
