// What our widgets have in common: what anywidget hands over, and the page around them.

import type { Lost } from "./host";

/** What anywidget hands over (https://anywidget.dev/en/afm/). */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: "msg:custom", listener: (content: unknown) => void): void;
  off(name: "msg:custom", listener: (content: unknown) => void): void;
  widget_manager?: object;
}

/** The parts that we need of JupyterLab's `IKernelConnection`. */
interface Connection {
  id: string;
  status: string;
  connectionStatus: string;
  requestCommInfo(about: { target_name: string }): Promise<{ content: { comms?: object } }>;
}

/** The parts that we need of JupyterLab's `ISessionContext`. */
export interface Kernel {
  session?: { kernel?: Connection | null } | null;
  statusChanged: Signal;
  connectionStatusChanged: Signal;
  kernelChanged: Signal;
}

interface Signal {
  connect(slot: () => void): unknown;
  disconnect(slot: () => void): unknown;
}

/** The kernel of the notebook that shows a widget, where the page's widget manager knows it. */
export function kernelOf(model: Model): Kernel | undefined {
  const manager = model.widget_manager as { context?: { sessionContext?: Kernel } };
  return manager?.context?.sessionContext;
}

const WIDGETS = "jupyter.widget";

/** Whether a comm of that id lives in a kernel; `undefined`: it does not say. */
export async function knows(kernel: Connection, id: string, target = WIDGETS): Promise<boolean | undefined> {
  try {
    const { comms } = (await kernel.requestCommInfo({ target_name: target })).content;
    return comms && id in comms;
  } catch {
    return undefined;
  }
}

/** Tell what becomes of a kernel in which a comm of that id lives. */
export function follow(
  kernel: Kernel | undefined,
  id: () => string,
  listener: (lost: Lost) => void,
  target = WIDGETS,
): () => void {
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
    if (back) knows(now, id(), target).then((known) => known === false && listener("gone"));
  };
  const signals = [kernel.statusChanged, kernel.connectionStatusChanged, kernel.kernelChanged];
  for (const signal of signals) signal.connect(look);
  return () => {
    for (const signal of signals) signal.disconnect(look);
  };
}

/** The module that a text is. */
export async function module<Module>(source: string): Promise<Module> {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return (await import(url)) as Module;
  } finally {
    URL.revokeObjectURL(url);
  }
}

const views = new Map<string, number>();

/** Hide what a saved notebook shows of a panel while a view of it is alive in the page. */
export function hideSaved(id: string): () => void {
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
