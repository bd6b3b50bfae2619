// The side panel's place and commands. What it shows is loaded when it is seen, or needed, first.

import { t } from "../words";
import type {
  Application,
  SavedCell,
  Lumino,
  NotebookPanel,
  NotebookTracker,
  Packages,
  Palette,
  Plugin,
  Restorer,
  SettingRegistry,
  Settings,
  Widget,
} from "./jupyter";
import { load } from "./load";
import type { Opening, Question, SidePanel } from "./panel";
import { Server } from "./server";
import { wanted } from "./services";

const ID = "jan-side-panel";
const CATEGORY = "Jan";
/** Near the end: what the page itself has at the side comes first. */
const RANK = 600;
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M2.5 2h11A1.5 1.5 0 0 1 15 3.500v7a1.500 1.500 0 0 1-1.500 1.500H8.600L5 15v-3H2.500A1.500 1.500 0 0 1 1 10.500v-7A1.500 1.500 0 0 1 2.500 2zm1.700 3v1.200h7.600V5zm0 2.700v1.200h5.200V7.700z"/></svg>';

interface Services {
  palette: Palette;
  restorer: Restorer;
  tracker: NotebookTracker;
  settings: SettingRegistry;
}

export function side({ lumino, services, apputils, application, notebook, settings, ui }: Packages): Plugin {
  const { optional, found } = wanted<Services>({
    palette: apputils?.ICommandPalette,
    restorer: application?.ILayoutRestorer,
    tracker: notebook?.INotebookTracker,
    settings: settings?.ISettingRegistry,
  });
  const id = `${NAME}:panel`;
  return {
    id,
    description: "The chat at the side: with the open notebook, and without a kernel.",
    autoStart: true,
    requires: [],
    optional,
    activate(given, ...rest) {
      const app = given as Application;
      const { palette, restorer, tracker, settings } = found(rest);
      // Not before JupyterLab has its own shortcuts: it stumbles over those of a plugin that come first.
      const chosen: Promise<Settings | null> = app.restored.then(() => settings?.load(id) ?? null).catch(() => null);
      const panel = new (placeOf(lumino.Widget))(async (node) => {
        const model = String((await chosen)?.composite.model ?? "");
        const { SidePanel } = await load("panel");
        return SidePanel.open(node, { app, server: new Server({ services }, app), tracker, model });
      });
      panel.id = ID;
      panel.title.caption = t("Jan: chat with models");
      if (ui) panel.title.icon = new ui.LabIcon({ name: `${NAME}:panel`, svgstr: ICON });
      else panel.title.label = "Jan";
      add(app, panel, chosen);
      restorer?.add(panel, ID);
      commands(app, panel, tracker, palette);
      tracker?.widgetAdded.connect((_, opened) => void beside(app, panel, opened));
    },
  };
}

/** The panel at the side that the settings say, from the beginning and when they change. */
function add(app: Application, panel: Widget, chosen: Promise<Settings | null>): void {
  const sideOf = (settings: Settings | null) => (settings?.composite.side === "left" ? "left" : "right");
  let now = "right";
  app.shell.add(panel, now, { rank: RANK });
  void chosen.then((settings) => {
    const move = () => {
      if (sideOf(settings) === now) return;
      now = sideOf(settings);
      app.shell.add(panel, now, { rank: RANK });
    };
    settings?.changed.connect(move);
    move();
  });
}

/** A notebook may ask for the chat beside it (metadata `jan: {"panel": true}`): it is seen, no more. */
async function beside(app: Application, place: Place, notebook: NotebookPanel): Promise<void> {
  await Promise.all([app.restored, notebook.context.ready]);
  const about = notebook.content.model?.sharedModel.getMetadata("jan") as { panel?: unknown } | undefined;
  if (about?.panel !== true || !notebook.isVisible) return;
  place.takesFocus = false;
  app.shell.activateById(ID);
}

interface Place extends Widget {
  /** Whether the next time that it is activated is for writing in it. */
  takesFocus: boolean;
  /** What is in it, made now if it was not. */
  open(): Promise<SidePanel>;
}

/** A widget that is empty until somebody sees it. */
function placeOf(Base: Lumino["Widget"]): new (make: (node: HTMLElement) => Promise<SidePanel>) => Place {
  return class extends Base implements Place {
    private made: Promise<SidePanel> | null = null;
    takesFocus = true;

    constructor(private readonly make: (node: HTMLElement) => Promise<SidePanel>) {
      super();
      this.node.style.minWidth = "300px";
    }

    open(): Promise<SidePanel> {
      if (!this.made) {
        this.node.textContent = "";
        this.made = this.make(this.node);
        this.made.catch((error) => {
          // jan_jupyter was upgraded while the page was open, or the server is away.
          this.made = null;
          this.node.textContent = t("The panel cannot be shown: reload the page. (%1)", error);
        });
      }
      return this.made;
    }

    private look(): void {
      if (this.isVisible) this.open().catch(() => {});
    }

    override onAfterAttach(message: object): void {
      super.onAfterAttach(message);
      this.look();
    }

    override onAfterShow(message: object): void {
      super.onAfterShow(message);
      this.look();
    }

    override onActivateRequest(message: object): void {
      super.onActivateRequest(message);
      const shown = this.open().catch(() => null);
      if (this.takesFocus) void focusOn(shown);
      this.takesFocus = true;
    }
  };
}

/** It is loaded when it is shown for the first time: who does something else by then is left alone. */
async function focusOn(shown: Promise<SidePanel | null>): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  for (const type of ["keydown", "pointerdown"]) {
    document.addEventListener(type, () => waiting.abort(), { capture: true, signal });
  }
  const panel = await shown;
  if (!signal.aborted) panel?.focus();
  waiting.abort();
}

function commands(
  app: Application,
  place: Place,
  tracker: NotebookTracker | null,
  palette: Palette | null,
): void {
  const shown = () => {
    app.shell.activateById(ID);
    return place.open();
  };
  const add = (id: string, label: string, execute: (args: Record<string, unknown>) => Promise<void>, listed = true) => {
    app.commands.addCommand(id, { label, execute });
    if (listed) palette?.addItem({ command: id, category: CATEGORY });
  };
  add("jan:open-panel", t("Open the Chat"), async (args) => (await shown()).show(args as Opening));
  add("jan:new-thread", t("New Conversation"), async () => (await shown()).newThread());
  add("jan:ask", t("Ask"), async (args) => (await shown()).ask(args as unknown as Question), false);
  add("jan:conversation-to-cells", t("Conversation into Cells Below"), async () => (await shown()).toCells(false));
  add("jan:conversation-to-notebook", t("Conversation as a New Notebook"), async () => (await shown()).toCells(true));
  add("jan:cells-to-conversation", t("Selected Cells as a Conversation"), async () => {
    const content = tracker?.currentWidget?.content;
    const chosen = content?.widgets.filter((cell) => content.isSelectedOrActive(cell)) ?? [];
    const cells: SavedCell[] = chosen.map((cell) => cell.model.toJSON());
    if (content && cells.length) await (await shown()).fromCells(cells, content.widgets.indexOf(chosen[0]!));
  });
  add("jan:cell-to-panel", t("Selected Cells beside the Next Question"), async () => {
    const content = tracker?.currentWidget?.content;
    const cells = content?.widgets.filter((cell) => content.isSelectedOrActive(cell)).map((cell) => cell.model.toJSON()) ?? [];
    (await shown()).attachCells(cells);
  });
}

/** Written in by lab.mjs. */
declare const NAME: string;
