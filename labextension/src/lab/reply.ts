// What the extension loads for the first answer, or saved conversation, of a page.

import type { Parts } from "../host";
import { makeConversation, makeReply } from "../reply/element";
import type { Continued, Deeds, ModelName, Place } from "../reply/place";
import { CONVERSATION, conversationIn, type Data } from "../reply/protocol";
import { Store } from "../reply/store";
import type { Source } from "../ui/painters";
import type { Cell, CodeConsole, Notebook, NotebookPanel } from "./jupyter";
import type { Around, Drawn } from "./renderer";
import { Server } from "./server";

export function draw(node: HTMLElement, data: Data, around: Around): Drawn {
  const place = new LabPlace(node, around);
  return CONVERSATION in data ? drawConversation(node, data, place) : drawReply(node, data, place);
}

function drawReply(node: HTMLElement, data: Data, place: Place): Drawn {
  const store = new Store(place, data);
  node.append(makeReply(store));
  return { load: (data) => store.load(data), close: () => store.close() };
}

function drawConversation(node: HTMLElement, data: Data, place: Place): Drawn {
  const view = makeConversation(place);
  const load = (data: Data) => {
    const conversation = conversationIn(data);
    // The panel that shows it hides this, as long as it is alive in the page (`hideSaved`).
    node.classList.add("jan-saved");
    if (conversation.panel) node.classList.add(`jan-saved-${conversation.panel}`);
    view.show(conversation);
  };
  load(data);
  node.append(view);
  return { load, close: () => {} };
}

const SOURCE: Source = {
  async part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
    const parts = { code: () => import("../code/index"), math: () => import("../math") };
    return (await parts[name]()) as unknown as Parts[Name];
  },
};

/** The side panel's command. */
const OPEN_PANEL = "jan:open-panel";

class LabPlace implements Place {
  readonly source = SOURCE;

  constructor(
    private readonly node: HTMLElement,
    private readonly around: Around,
  ) {}

  insert(code: string): boolean {
    const { notebook, console } = this;
    if (notebook) this.insertInto(notebook, code);
    else if (console?.promptCell) {
      const { sharedModel } = console.promptCell.model;
      sharedModel.setSource([sharedModel.source.trimEnd(), code].filter(Boolean).join("\n"));
    } else return false;
    return true;
  }

  deeds(): Deeds {
    const { app, packages } = this.around;
    const { notebook, console } = this;
    const deeds: Deeds = {};
    if (notebook && packages.notebook) {
      deeds.again = () => void this.runAt(notebook, this.at(notebook.widgets));
      deeds.run = (line) => void this.runAt(notebook, this.insertInto(notebook, line));
    } else if (console) deeds.run = (line) => void console.inject(line);
    if (deeds.run) deeds.models = () => this.models();
    if (app.commands.hasCommand(OPEN_PANEL)) {
      deeds.open = (about) => void this.open(about);
    }
    return deeds;
  }

  question(): string {
    const cells = this.notebook?.widgets ?? this.console?.cells.widgets ?? [];
    const source = cells[this.at(cells)]?.model.sharedModel.source ?? "";
    return source.replace(/^\s*%%jan\b.*\n?/, "").replace(/^\s*%jan\s+/, "").trim();
  }

  /** The notebook, if the output stands in one of its cells, and not in a view of its own. */
  private get notebook(): Notebook | undefined {
    const notebook = (this.around.panel as Partial<NotebookPanel> | undefined)?.content;
    return notebook?.model && this.at(notebook.widgets) >= 0 ? notebook : undefined;
  }

  private get console(): CodeConsole | undefined {
    const console = this.around.panel as CodeConsole | undefined;
    return console?.inject ? console : undefined;
  }

  private at(cells: readonly Cell[] | undefined): number {
    return cells?.findIndex(({ node }) => node.contains(this.node)) ?? -1;
  }

  private insertInto(notebook: Notebook, source: string): number {
    const at = this.at(notebook.widgets) + 1;
    notebook.model!.sharedModel.insertCell(at, { cell_type: "code", source, metadata: { trusted: true } });
    return at;
  }

  private async runAt(notebook: Notebook, at: number): Promise<void> {
    notebook.deselectAll();
    notebook.activeCellIndex = at;
    await this.around.packages.notebook!.NotebookActions.run(notebook, this.around.session!);
  }

  /** Whoever has answered goes on, where it is ready: a notebook may come from another machine. */
  private async open(about: Continued): Promise<void> {
    if ("model" in about) {
      const models = await this.models().catch(() => []);
      if (!models.some(({ id }) => id === about.model)) delete about.model;
    }
    await this.around.app.commands.execute(OPEN_PANEL, about);
  }

  private async models(): Promise<ModelName[]> {
    const { packages, app } = this.around;
    const { data } = await new Server(packages, app).get<{ data: ModelName[] }>("models");
    return data;
  }
}
