// Cells: `%%jan` ones look like what they are, and what may be asked about any: commands, a button in the
// cell's toolbar, the menus. What they do is loaded with the first notebook.

import { t } from "../../words";
import { SPARK } from "../icon";
import type {
  Application,
  Commands,
  Packages,
  Palette,
  Plugin,
  SettingRegistry,
  ToolbarRegistry,
} from "../jupyter";
import { load } from "../load";
import type { Cell, NotebookPanel, Notebooks } from "../notebook";
import { Server } from "../server";
import { wanted } from "../services";
import { errorOf, isPrompt } from "./about";
import type { Languages } from "./language";
import type { Task } from "./prompts";
import type { Marks } from "./watch";

const ASK = "jan:ask";
const CATEGORY = "Jan";

/** The commands, in their order in menus. */
interface About {
  id: string;
  label: string;
  caption: string;
  /** `null`: not a question of the panel's. */
  task: Task | null;
  /** For which cells; for all if there is nothing. */
  fits?(cell: Cell): boolean;
}

const failed = ({ model }: Cell) => errorOf(model) !== null;
const isCode = ({ model }: Cell) => model.type === "code" && !isPrompt(model.sharedModel.getSource());

function commandsOf(): About[] {
  return [
    {
      id: "jan:explain-cell",
      label: t("Explain"),
      caption: t("Ask a model what this cell does"),
      task: "explain",
    },
    {
      id: "jan:fix-cell",
      label: t("Fix This Error"),
      caption: t("Ask a model for a cell without this error; it changes nothing before you accept it"),
      task: "fix",
      fits: failed,
    },
    {
      id: "jan:explain-error",
      label: t("Explain the Error"),
      caption: t("Ask a model what this error means, and for a corrected cell"),
      task: "error",
      fits: failed,
    },
    {
      id: "jan:improve-cell",
      label: t("Improve"),
      caption: t("Ask a model for a better cell; it changes nothing before you accept it"),
      task: "improve",
    },
    {
      id: "jan:document-cell",
      label: t("Add a Docstring"),
      caption: t("Ask a model to document this cell; it changes nothing before you accept it"),
      task: "document",
      fits: isCode,
    },
    {
      id: "jan:explain-output",
      label: t("Explain This Output"),
      caption: t("Ask a model what this output shows"),
      task: "output",
      fits: ({ model }) => Boolean(model.outputs?.length),
    },
    {
      id: "jan:compare-cell",
      label: t("Compare Models on This Cell…"),
      caption: t("Let several models answer side by side"),
      task: null,
    },
  ];
}

interface Services {
  tracker: Notebooks;
  palette: Palette;
  toolbars: ToolbarRegistry;
  languages: Languages;
  settings: SettingRegistry;
}

export function cells(packages: Packages): Plugin {
  const { notebook, apputils, codemirror, settings } = packages;
  const id = `${NAME}:cells`;
  const { optional, found } = wanted<Services>({
    tracker: notebook?.INotebookTracker,
    palette: apputils?.ICommandPalette,
    toolbars: apputils?.IToolbarWidgetRegistry,
    languages: codemirror?.IEditorLanguageRegistry,
    settings: settings?.ISettingRegistry,
  });
  return {
    id,
    description: "Prompts in cells, and what may be asked about a cell.",
    autoStart: true,
    requires: [],
    optional,
    activate(app, ...rest) {
      const { tracker, palette, toolbars, languages, settings } = found(rest);
      if (!tracker) return;
      const made = new Cells(packages, app as Application, tracker);
      // Asked for at the start, it would be changed before Notebook 7 is ready to hear of that.
      const wishes = settings && (app as Application).restored.then(() => settings.load(id));
      made.begin(palette, toolbars, languages, wishes);
    },
  };
}

class Cells {
  private readonly commands: Commands;
  private readonly about: About[];
  private readonly wishes = { highlight: true, explainErrors: true };
  private readonly again = new Set<() => void>();

  constructor(
    private readonly packages: Packages,
    private readonly app: Application,
    private readonly tracker: Notebooks,
  ) {
    this.commands = app.commands;
    this.about = commandsOf();
  }

  begin(
    palette: Palette | null,
    toolbars: ToolbarRegistry | null,
    languages: Languages | null,
    settings: ReturnType<SettingRegistry["load"]> | null,
  ): void {
    for (const about of this.about) {
      this.add(about);
      palette?.addItem({ command: about.id, category: CATEGORY });
    }
    toolbars?.addFactory("Cell", "jan", (cell) => this.toolbarButton(cell as Cell));
    const marks = this.marks(languages);
    void settings?.then((found) => {
      const read = () => {
        this.wishes.highlight = found.composite.highlight !== false;
        this.wishes.explainErrors = found.composite.explainErrors !== false;
        for (const look of this.again) look();
      };
      found.changed.connect(read);
      read();
    }, console.warn);
    const follow = (panel: NotebookPanel) => void this.follow(panel, marks).catch(console.warn);
    this.tracker.forEach(follow);
    this.tracker.widgetAdded.connect((_, panel) => follow(panel));
  }

  // Commands -----------------------------------------------------------------------------------------

  private add({ id, label, caption, task, fits }: About): void {
    const may = (args: Record<string, unknown>) => {
      const cell = this.place(args)?.cell;
      return Boolean(cell && this.commands.hasCommand(ASK) && (fits?.(cell) ?? true));
    };
    this.commands.addCommand(id, {
      label,
      caption,
      isEnabled: may,
      isVisible: may,
      describedBy: { args: { type: "object", properties: { pointer: { type: "boolean" } } } },
      execute: async (args) => {
        const place = this.place(args);
        if (!place) return;
        const { panel, cell } = place;
        await this.tell(task ? this.ask(task, panel, cell, args.pointer === true) : this.compare(panel, cell));
      },
    });
  }

  /** The active cell; `pointer`: the one that the context menu was opened on, which need not be that. */
  private place({ pointer }: Record<string, unknown>): { panel: NotebookPanel; cell: Cell } | null {
    const panel = this.tracker.currentWidget;
    const node = pointer === true ? this.app.contextMenuHitTest?.((one) => one.matches(CELL)) : undefined;
    const cell = node ? panel?.content.widgets.find((one) => one.node === node) : panel?.content.activeCell;
    return panel && cell ? { panel, cell } : null;
  }

  /** What goes wrong is told where JupyterLab tells such. */
  private async tell(done: Promise<void>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.packages.apputils?.Notification?.error((error as Error).message || String(error));
    }
  }

  /** `pointer`: about the output that the context menu was opened on. */
  private async ask(task: Task, panel: NotebookPanel, cell: Cell, pointer = false): Promise<void> {
    const node = pointer ? this.app.contextMenuHitTest?.((one) => one.matches(OUTPUT)) : undefined;
    const { asked, outputAt } = await load("cells");
    await this.commands.execute(ASK, asked(task, panel, cell, outputAt(cell, node)));
  }

  private async compare(panel: NotebookPanel, cell: Cell): Promise<void> {
    const { asked, choose, compareBelow, needsTwo } = await load("cells");
    const prompt = isPrompt(cell.model.sharedModel.getSource());
    const names = this.about.filter(({ task, fits }) => task && task !== "output" && (fits?.(cell) ?? true));
    const least = !prompt || needsTwo([...panel.content.model!.cells], cell.model) ? 2 : 1;
    const choice = await choose(this.packages, new Server(this.packages, this.app), {
      title: prompt ? t("Compare with …") : t("Compare models on this cell"),
      accept: prompt ? t("Compare") : t("Ask"),
      models: t("Models"),
      search: t("Search"),
      tasks: prompt
        ? null
        : { label: t("What to do"), names: Object.fromEntries(names.map(({ task, label }) => [task, label])) },
      least,
      few: least > 1 ? t("Choose two models at least.") : t("Choose a model."),
    });
    if (!choice) return;
    if (prompt) await compareBelow(this.commands, panel, cell, choice.models);
    else {
      await this.commands.execute(ASK, { ...asked(choice.task as Task, panel, cell), columns: choice.models });
    }
  }

  /** As JupyterLab's own buttons look, but no switch that is pressed or not. */
  private toolbarButton(cell: Cell): object {
    const label = t("Ask a model about this cell");
    const button = document.createElement("jp-button"); // only such does the toolbar go to by the arrow keys
    button.className = "jp-ToolbarButtonComponent jan-cell-button";
    const about = { appearance: "stealth", title: label, "aria-label": label, "aria-haspopup": "menu" };
    for (const [name, value] of Object.entries(about)) button.setAttribute(name, value);
    button.innerHTML = SPARK;
    button.addEventListener("click", () => this.openMenu(button, cell));
    // To the notebook these keys mean that the cell is to be edited, or scrolled.
    button.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") event.stopPropagation();
    });
    const node = document.createElement("div");
    node.className = "jp-ToolbarButton";
    node.append(button);
    return new this.packages.lumino.Widget({ node });
  }

  private openMenu(button: HTMLElement, cell: Cell): void {
    const menu = new this.packages.lumino.Menu({ commands: this.commands });
    for (const { id } of this.about) menu.addItem({ command: id });
    menu.aboutToClose.connect(() => {
      if (!menu.node.contains(document.activeElement)) return;
      // JupyterLab makes toolbars anew while they are looked at.
      (cell.node.querySelector<HTMLElement>(".jan-cell-button") ?? cell.node).focus();
    });
    const { left, bottom } = button.getBoundingClientRect();
    menu.open(left, bottom);
  }

  // What cells look like -------------------------------------------------------------------------------

  private marks(languages: Languages | null): () => Promise<Marks> {
    let made: Promise<Marks> | undefined;
    return () => (made ??= this.make(languages));
  }

  private async make(languages: Languages | null): Promise<Marks> {
    const { PROMPT, MARKDOWN, promptLanguage } = await load("cells");
    let prompt = MARKDOWN;
    try {
      languages?.addLanguage({
        name: "jan-prompt",
        displayName: t("Prompt (%1)", "%%jan"),
        mime: PROMPT,
        load: () => promptLanguage(this.packages.share, languages),
      });
      // Loaded before the first cell has it, so that an editor which asks late is not answered late.
      if (await languages?.getLanguage(PROMPT)) prompt = PROMPT;
    } catch (error) {
      console.warn("Cells of %%jan are shown as Markdown.", error);
    }
    const error = this.about.find(({ task }) => task === "error")!;
    return {
      prompt,
      loaded: async (mime) => {
        await languages?.getLanguage(mime).catch(() => null);
        await new Promise((resolve) => setTimeout(resolve));
      },
      wishes: this.wishes,
      label: t("Explain the error"),
      caption: error.caption,
      explain: (panel, cell) => void this.tell(this.ask("error", panel, cell)),
    };
  }

  /** Not before the page stands: it is no part of its start. */
  private async follow(panel: NotebookPanel, marks: () => Promise<Marks>): Promise<void> {
    await this.app.restored;
    const { watch } = await load("cells");
    const made = await marks();
    if (panel.isDisposed) return;
    const look = watch(panel, made);
    this.again.add(look);
    panel.disposed.connect(() => this.again.delete(look));
  }
}

const CELL = ".jp-Cell";
const OUTPUT = ".jp-OutputArea-child";

/** Written in by lab.mjs. */
declare const NAME: string;
