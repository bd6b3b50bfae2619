// The parts that we need of JupyterLab's own packages, which the page shares with us at run time.

/** A key of Lumino's plugin registry. */
export type Token = object;

export interface Plugin {
  id: string;
  description: string;
  autoStart: boolean;
  requires: Token[];
  optional: Token[];
  activate(app: unknown, ...services: unknown[]): void;
}

/** `@lumino/widgets`. */
export interface Widget {
  node: HTMLElement;
  parent: Widget | null;
  isAttached: boolean;
  isDisposed: boolean;
  addClass(name: string): void;
  onAfterAttach(message: object): void;
  dispose(): void;
}

export interface Lumino {
  Widget: new () => Widget;
}

/** `@jupyterlab/rendermime`. */
export interface MimeModel {
  data: Record<string, unknown>;
  setData(change: { data: Record<string, unknown> }): void;
}

export interface Renderer extends Widget {
  renderModel(model: MimeModel): Promise<void>;
}

export interface Rendermime {
  addFactory(
    factory: {
      safe: boolean;
      mimeTypes: string[];
      createRenderer(options: object): Renderer;
    },
    rank: number,
  ): void;
}

/** `@jupyterlab/services`. */
export interface Comm {
  commId: string;
  /** Since JupyterLab 4.4. */
  subshellStarted?: Promise<void>;
  onMsg: (message: { content: { data: unknown } }) => void;
  onClose: (message: object) => void;
  open(data: object): unknown;
  send(data: object): unknown;
  close(): unknown;
  dispose(): void;
}

export interface Kernel {
  id: string;
  status: string;
  connectionStatus: string;
  requestCommInfo(about: { target_name: string }): Promise<{ content: { comms?: object } }>;
  supportsSubshells?: boolean;
  hasComm(id: string): boolean;
  createComm(target: string): Comm;
  requestExecute(content: {
    code: string;
    silent: boolean;
    store_history: boolean;
  }): { done: Promise<{ content: { status: string; evalue?: string } }> };
}

/** `@jupyterlab/apputils`. */
export interface SessionContext {
  session?: { kernel?: Kernel | null } | null;
  path: string;
  statusChanged: Signal;
  connectionStatusChanged: Signal;
  kernelChanged: Signal;
}

interface Signal {
  connect(slot: () => void): unknown;
  disconnect(slot: () => void): unknown;
}

/** `@jupyterlab/notebook`. */
export interface NotebookPanel extends Widget {
  sessionContext: SessionContext;
  content: { rendermime: Rendermime };
}

export interface NotebookTracker {
  forEach(each: (panel: NotebookPanel) => void): void;
  widgetAdded: { connect(slot: (tracker: unknown, panel: NotebookPanel) => void): unknown };
}
