// The side panel: the chat of the UI core over a conversation of the Jupyter server. Loaded when the
// panel is seen, or needed, for the first time.

import { make, type JanChat } from "../element";
import type { Target } from "../host";
import type { Context } from "../protocol";
import { Session } from "../session";
import type { Command } from "../ui/commands";
import { t } from "../words";
import type { Application, SavedCell, NotebookTracker } from "./jupyter";
import type { Server } from "./server";
import { cellsOf, contextOf, conversationOf, type Said } from "./panel/cells";
import { dropsIn } from "./panel/drops";
import { ServerHost } from "./panel/host";
import { Memory } from "./panel/memory";
import { IntoNotebook } from "./panel/notebook";
import { referenceTo } from "./panel/references";

export interface Places {
  app: Application;
  server: Server;
  tracker: NotebookTracker | null;
  /** Who answers in conversations that begin here; empty: whoever did last. */
  model: string;
}

/** A question, of whatever else the extension adds. */
export interface Question {
  text: string;
  context?: Context[];
  images?: string[];
  /** The cell that it is about: where its answer's code belongs. */
  target?: Target;
  /** Models that answer side by side, in a conversation of their own. */
  columns?: string[];
}

export interface Opening {
  thread?: string;
  /** A conversation that begins with these. */
  messages?: Said[];
  /** Who goes on with them. */
  model?: string;
}

export class SidePanel {
  private readonly element: JanChat;
  private readonly session: Session;
  private readonly host: ServerHost;

  static async open(node: HTMLElement, places: Places): Promise<SidePanel> {
    return new SidePanel(node, places, await Memory.open(places.server.place));
  }

  private constructor(
    node: HTMLElement,
    private readonly places: Places,
    memory: Memory,
  ) {
    const into = new IntoNotebook(places.app, places.tracker);
    this.into = into;
    this.host = new ServerHost(places.app, places.server, memory, into, this.commands(), places.model);
    this.session = new Session(this.host);
    this.element = make(this.session);
    this.element.dataset.place = "side";
    this.element.dataset.replaces = "";
    node.append(this.element);
    dropsIn(node, {
      cells: (cells) => this.attachCells(cells),
      files: (paths) => this.session.bring(paths.map((path) => `${referenceTo(`/${path}`)} `).join("")),
    });
  }

  private readonly into: IntoNotebook;

  focus(): void {
    this.element.focus();
  }

  attachCells(cells: SavedCell[]): void {
    this.attach(cells.map((cell) => contextOf(cell)));
  }

  /** Put things beside what is being written. */
  private attach(context: Context[]): void {
    this.session.bring("", [], context);
  }

  async newThread(): Promise<void> {
    await this.ready();
    this.session.do({ type: "thread", id: "" });
    this.focus();
  }

  async show({ thread, messages, model }: Opening): Promise<void> {
    await this.ready();
    if (messages?.length) {
      const made = await this.places.server.send<{ id: string }>("POST", "threads", {
        title: titleOf(messages),
        ...(model && { model }),
        messages: messages.map(({ role, content }) => ({ role, content })),
      });
      thread = made.id;
    }
    if (thread) this.session.do({ type: "thread", id: thread });
    this.focus();
  }

  /** Send a question; while another is answered, and where nobody hears it, it is only written. */
  async ask({ text, context = [], images = [], target, columns }: Question): Promise<void> {
    await this.ready();
    const write = () => this.session.bring(text, images, context, target);
    if (this.session.busy || this.session.lost) return write();
    if (columns) {
      this.session.do({ type: "thread", id: "" });
      if (columns[0]) this.session.do({ type: "model", model: columns[0] });
      this.session.do({ type: "compare", models: columns.slice(1) });
    }
    if (columns && columns.length < 2) return write();
    this.session.send(text, images, context, target);
  }

  /** Cells of a notebook as a conversation; what was not asked in them goes along with what is. */
  async fromCells(cells: SavedCell[], at: number): Promise<void> {
    const { messages, context } = conversationOf(cells, at);
    if (messages.length) await this.show({ messages });
    else await this.newThread();
    if (context.length) this.attach(context);
  }

  /** The conversation as cells, below the one in use or in a notebook of its own. Says what came of it. */
  async toCells(own: boolean): Promise<void> {
    await this.ready();
    try {
      const { text } = await this.session.ask("export", { format: "ipynb" });
      if (own) await this.notebook(text);
      else if (!this.into.insert(cellsOf(text))) this.session.say(t("No notebook is open: `/notebook` makes one."));
    } catch (error) {
      this.session.say((error as Error).message);
    }
  }

  private async notebook(text: string): Promise<void> {
    const { contents } = this.places.app.serviceManager;
    const folder = this.into.panel?.context.path.split("/").slice(0, -1).join("/") ?? "";
    const made = await contents.newUntitled({ path: folder, type: "notebook" });
    await contents.save(made.path, { type: "notebook", format: "json", content: JSON.parse(text) as object });
    await this.places.app.commands.execute("docmanager:open", { path: made.path });
  }

  private commands(): Command[] {
    const command = (name: string, help: string, own: boolean): Command => ({
      name,
      argument: "",
      help,
      run: () => {
        void this.toCells(own);
        return "";
      },
    });
    return [
      command("cells", t("put this conversation into the notebook, below the cell in use"), false),
      command("notebook", t("make a notebook of this conversation"), true),
    ];
  }

  /** Until the conversation is known, or nobody hears. */
  private ready(): Promise<void> {
    const { session } = this;
    return new Promise((resolve) => {
      const look = () => {
        if (!session.ready && !session.lost) return;
        unwatch();
        resolve();
      };
      const unwatch = session.watch(look);
      look();
    });
  }
}

const titleOf = (messages: Said[]): string => messages[0]!.content.trim().split("\n", 1)[0]!.slice(0, 60);
