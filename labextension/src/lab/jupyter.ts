// The parts that we need of JupyterLab's own packages, which the page shares with us at run time:
// those of JupyterLab 4.2; what came later, or is not in Notebook 7, is optional.

/** A key of Lumino's plugin registry. */
export type Token = object;

/** What the page shares, by what it is called in `PACKAGES`. */
export interface Packages {
  lumino: Lumino;
  rendermime: { IRenderMimeRegistry: Token };
  services: { ServerConnection: ServerConnection };
  application?: { ILabShell: Token; ILayoutRestorer: Token };
  apputils?: { ICommandPalette: Token; IToolbarWidgetRegistry: Token } & Partial<Apputils>;
  codemirror?: { IEditorLanguageRegistry: Token };
  commands?: { CommandRegistry: { keystrokeForKeydownEvent(event: KeyboardEvent): string } };
  completer?: { ICompletionProviderManager: Token };
  launcher?: { ILauncher: Token };
  mainmenu?: { IMainMenu: Token };
  notebook?: { INotebookTracker: Token; NotebookActions: NotebookActions };
  settings?: { ISettingRegistry: Token };
  statusbar?: { IStatusBar: Token };
  translation?: { ITranslator: Token };
  ui?: { LabIcon: new (about: { name: string; svgstr: string }) => Icon };
  /** Another package of the page's, at its first use; `undefined`: it has none of that name. */
  share: <Package>(name: string) => Promise<Package | undefined>;
}

export const PACKAGES: Record<Exclude<keyof Packages, "share">, string> = {
  lumino: "@lumino/widgets",
  rendermime: "@jupyterlab/rendermime",
  services: "@jupyterlab/services",
  application: "@jupyterlab/application",
  apputils: "@jupyterlab/apputils",
  codemirror: "@jupyterlab/codemirror",
  commands: "@lumino/commands",
  completer: "@jupyterlab/completer",
  launcher: "@jupyterlab/launcher",
  mainmenu: "@jupyterlab/mainmenu",
  notebook: "@jupyterlab/notebook",
  settings: "@jupyterlab/settingregistry",
  statusbar: "@jupyterlab/statusbar",
  translation: "@jupyterlab/translation",
  ui: "@jupyterlab/ui-components",
};

/** `@jupyterlab/application`. */
export interface Application {
  commands: Commands;
  shell: Shell;
  restored: Promise<void>;
  serviceManager: { serverSettings: ServerSettings; contents: Contents };
  /** The nearest node of the place where the context menu was opened that fits. */
  contextMenuHitTest?(fits: (node: HTMLElement) => boolean): HTMLElement | undefined;
}

export interface Shell {
  /** `left`, `right`, `main`, `down` … */
  add(widget: Widget, area: string, options?: { rank?: number; mode?: string; ref?: string }): void;
  activateById(id: string): void;
  currentWidget: Widget | null;
}

export interface Restorer {
  /** Where the user had put it the last time. */
  add(widget: Widget, name: string): void;
}

/** `@lumino/commands`. */
export interface Commands {
  addCommand(id: string, command: Command): { dispose(): void };
  execute(id: string, args?: object): Promise<unknown>;
  hasCommand(id: string): boolean;
  notifyCommandChanged(id?: string): void;
  commandExecuted: Signal<unknown, { id: string }>;
  keyBindings: readonly { command: string; keys: readonly string[]; selector: string }[];
}

type Given<Value> = Value | ((args: Record<string, unknown>) => Value);

export interface Command {
  label?: Given<string>;
  caption?: Given<string>;
  icon?: Given<Icon | undefined>;
  isEnabled?(args: Record<string, unknown>): boolean;
  isVisible?(args: Record<string, unknown>): boolean;
  isToggled?(args: Record<string, unknown>): boolean;
  /** What agents and the palette are told of the arguments; since JupyterLab 4.4. */
  describedBy?: object;
  execute(args: Record<string, unknown>): unknown;
}

/** `@jupyterlab/ui-components`. */
export interface Icon {
  name: string;
  svgstr: string;
}

/** `@jupyterlab/services`. */
export interface ServerSettings {
  baseUrl: string;
  wsUrl: string;
  token: string;
  appendToken: boolean;
  WebSocket: typeof WebSocket;
}

export interface ServerConnection {
  /** Adds the token, or the cookie and its protection. */
  makeRequest(url: string, init: RequestInit, settings: ServerSettings): Promise<Response>;
}

/** The files of the server, by their paths from its root. */
export interface Contents {
  /** Of the drive that a path begins with (`RTC:…`); "" of the first one. */
  driveName(path: string): string;
  get(path: string, options?: { content?: boolean; type?: string; format?: string }): Promise<FileModel>;
  newUntitled(options: { path?: string; type: string; ext?: string }): Promise<FileModel>;
  save(path: string, options: Partial<FileModel>): Promise<FileModel>;
}

export interface FileModel {
  name: string;
  path: string;
  type: string;
  format: string | null;
  /** Of a folder: what is in it, without its content. */
  content: unknown;
  size?: number | null;
}

/** `@jupyterlab/apputils`. */
export interface Palette {
  addItem(item: { command: string; category: string; args?: object; rank?: number }): unknown;
}

/** `@jupyterlab/apputils`. */
export interface Apputils {
  showDialog<Value = unknown>(options: {
    title: string;
    body: string | (Widget & { getValue?(): Value });
    buttons: object[];
    /** Whom the focus goes to; by default to the first button that is not to cancel. */
    focusNodeSelector?: string;
  }): Promise<{ button: { accept: boolean }; value: Value | null }>;
  Dialog: {
    new <Value>(options: {
      title: string;
      body: Widget & { getValue(): Value };
      buttons: object[];
      focusNodeSelector?: string;
    }): { ready: Promise<void>; launch(): Promise<{ button: { accept: boolean }; value: Value | null }> };
    okButton(options?: { label?: string }): object;
    cancelButton(options?: { label?: string }): object;
    warnButton(options?: { label?: string }): object;
  };
  Notification: { error(text: string): string };
}

export interface ToolbarRegistry {
  addFactory(place: string, name: string, made: (main: Widget) => object): unknown;
}

/** `@jupyterlab/launcher`. */
export interface Launcher {
  add(item: { command: string; category?: string; args?: object; rank?: number }): unknown;
}

/** `@jupyterlab/settingregistry`. */
export interface SettingRegistry {
  load(plugin: string): Promise<Settings>;
}

export interface Settings {
  /** As the user has set them, over the schema's. */
  composite: Record<string, unknown>;
  changed: Signal;
  set(key: string, value: unknown): Promise<void>;
}

/** `@jupyterlab/statusbar`. */
export interface StatusBar {
  registerStatusItem(id: string, item: { item: Widget; align: "left" | "middle" | "right"; rank: number }): unknown;
}

/** `@jupyterlab/translation`. */
export interface Translator {
  load(domain: string): { __(text: string, ...values: unknown[]): string };
}

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
  id: string;
  node: HTMLElement;
  parent: Widget | null;
  title: { label: string; caption: string; icon?: Icon; closable: boolean };
  isAttached: boolean;
  isVisible: boolean;
  isDisposed: boolean;
  addClass(name: string): void;
  onAfterAttach(message: object): void;
  onAfterDetach(message: object): void;
  onAfterShow(message: object): void;
  activate(): void;
  onActivateRequest(message: object): void;
  dispose(): void;
}

export interface Lumino {
  Widget: new (options?: { node?: HTMLElement }) => Widget;
  Menu: new (options: { commands: Commands }) => Menu;
}

export interface Menu extends Widget {
  addItem(item: { command: string; args?: object }): unknown;
  aboutToClose: Signal;
  open(x: number, y: number): void;
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
  info?: Promise<{ language_info?: { name?: string } }>;
  requestExecute(content: {
    code: string;
    silent: boolean;
    store_history: boolean;
    user_expressions?: Record<string, string>;
  }): { done: Promise<{ content: { status: string; evalue?: string; user_expressions?: Record<string, unknown> } }> };
}

/** `@jupyterlab/apputils`. */
export interface SessionContext {
  session?: { kernel?: Kernel | null } | null;
  path: string;
  statusChanged: Signal;
  connectionStatusChanged: Signal;
  kernelChanged: Signal;
}

export interface Signal<Sender = unknown, Args = unknown> {
  connect(slot: (sender: Sender, args: Args) => void): unknown;
  disconnect(slot: (sender: Sender, args: Args) => void): unknown;
}

/** `@jupyterlab/notebook`. */
export interface NotebookPanel extends Widget {
  sessionContext: SessionContext;
  context: { path: string; ready: Promise<void> };
  content: Notebook;
}

export interface Notebook extends Widget {
  rendermime: Rendermime;
  /** Its cells, also those that are not drawn now. */
  widgets: readonly Cell[];
  activeCell: Cell | null;
  activeCellIndex: number;
  model: { sharedModel: SharedNotebook } | null;
  isSelectedOrActive(cell: Cell): boolean;
  deselectAll(): void;
  scrollToItem?(index: number): Promise<void>;
}

/** `@jupyterlab/cells`. */
export interface Cell extends Widget {
  model: { id: string; type: string; sharedModel: SharedCell; toJSON(): SavedCell };
  editor: { getSelections(): { start: Position; end: Position }[]; getOffsetAt(position: Position): number } | null;
}

interface Position {
  line: number;
  column: number;
}

/** `@jupyter/ydoc`: what several people may edit at once. */
export interface SharedNotebook {
  getMetadata(key: string): unknown;
  insertCell(index: number, cell: object): unknown;
  insertCells(index: number, cells: object[]): unknown;
}

export interface SharedCell {
  source: string;
  getSource(): string;
  setSource(source: string): void;
  transact(change: () => void, undoable?: boolean): void;
}

/** A cell as a notebook's file has it. */
export interface SavedCell {
  cell_type: string;
  id?: string;
  source: string | string[];
  metadata?: Record<string, unknown>;
  execution_count?: number | null;
  outputs?: SavedOutput[];
}

export interface SavedOutput {
  output_type: string;
  text?: string | string[];
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
  traceback?: string[];
}

export interface NotebookActions {
  /** Run the cells that are selected. */
  run(notebook: Notebook, session: SessionContext): Promise<boolean>;
}

/** `@jupyterlab/console`. */
export interface CodeConsole extends Widget {
  sessionContext: SessionContext;
  cells: { widgets: readonly Cell[] };
  promptCell: Cell | null;
  /** Run code as if it had been typed. */
  inject(code: string): Promise<void>;
}

export interface NotebookTracker {
  /** The one that was used last. */
  currentWidget: NotebookPanel | null;
  find(fits: (panel: NotebookPanel) => boolean): NotebookPanel | undefined;
  forEach(each: (panel: NotebookPanel) => void): void;
  widgetAdded: { connect(slot: (tracker: unknown, panel: NotebookPanel) => void): unknown };
}
