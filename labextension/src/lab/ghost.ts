// Inline completion: text in grey at the cursor, from models that somebody has chosen for it. Here
// is what JupyterLab is told of it at its start; what asks the models is loaded when one is chosen.

import { t } from "../words";
import {
  type Chosen,
  DEFAULTS,
  type Manager,
  modelsOf,
  type Provider,
  SHOWN,
  SLOTS,
} from "./completion/types";
import type {
  Application,
  Apputils,
  Packages,
  Palette,
  Plugin,
  SettingRegistry,
  Settings,
  StatusBar,
  Token,
} from "./jupyter";
import { load, type Modules } from "./load";
import { Server } from "./server";

/** How JupyterLab calls what offers text: with the slot behind it. */
const PROVIDER = `${NAME}:completion-`;
/** Milliseconds after which JupyterLab waits no longer: a model may have to be loaded. */
const TIMEOUT = 120_000;
const CATEGORY = "Jan";

type Completer = InstanceType<Modules["completion"]["Completer"]>;

/** What is set, as it is now. */
class Choice {
  private settings: Settings | null = null;
  private listeners: (() => void)[] = [];

  async follow(registry: SettingRegistry): Promise<void> {
    this.settings = await registry.load(`${NAME}:completion`);
    this.settings.changed.connect(() => this.tell());
    this.tell();
  }

  get now(): Chosen {
    return { ...DEFAULTS, ...(this.settings?.composite as Partial<Chosen> | undefined) };
  }

  get isOn(): boolean {
    return modelsOf(this.now).some(Boolean);
  }

  async set(values: Partial<Chosen>): Promise<void> {
    for (const [name, value] of Object.entries(values)) await this.settings?.set(name, value);
  }

  watch(listener: () => void): void {
    this.listeners.push(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** What a page may have. */
interface Services {
  registry?: SettingRegistry | null;
  palette?: Palette | null;
  bar?: StatusBar | null;
}

export function completion(packages: Packages): Plugin {
  const { apputils, completer, settings, statusbar } = packages;
  const optional: Record<keyof Services, Token | undefined> = {
    registry: settings?.ISettingRegistry,
    palette: apputils?.ICommandPalette,
    bar: statusbar?.IStatusBar,
  };
  const there = Object.entries(optional).filter((one): one is [string, Token] => !!one[1]);
  return {
    id: `${NAME}:completion`,
    description: "Offers what may stand at the cursor, from models that you choose.",
    autoStart: true,
    requires: completer ? [completer.ICompletionProviderManager] : [],
    optional: there.map(([, token]) => token),
    activate(app, manager, ...found) {
      const services: Services = Object.fromEntries(there.map(([name], place) => [name, found[place]]));
      if (completer) new Ghost(packages, app as Application, services).start(manager as Manager);
    },
  };
}

class Ghost {
  private readonly choice = new Choice();
  private readonly problems = new Map<string, string>();
  private readonly draw: () => void;
  private made: Promise<Completer> | undefined;
  private ready: Completer | undefined;

  constructor(
    private readonly packages: Packages,
    private readonly app: Application,
    private readonly services: Services,
  ) {
    const { bar } = services;
    const show = bar && statusItem(packages, bar, () => void app.commands.execute(CHOOSE));
    this.draw = () => show?.(modelsOf(this.choice.now).filter(Boolean), this.problems);
  }

  start(manager: Manager): void {
    for (const slot of SLOTS) manager.registerInlineProvider(this.provider(slot));
    this.choice.watch(() => {
      this.problems.clear();
      this.draw();
      if (this.choice.isOn) void this.completer(); // so that the first text does not wait for it
    });
    const { registry } = this.services;
    // Asked for at the start, it would be changed before Notebook 7 is ready to hear of that.
    if (registry) void this.app.restored.then(() => this.choice.follow(registry));
    this.draw();
    this.addCommands();
    document.addEventListener("keydown", (event) => this.key(event), true);
  }

  private completer(): Promise<Completer> {
    return (this.made ??= load("completion").then(({ Completer }) => {
      const server = new Server(this.packages, this.app);
      const tell = (model: string, problem: string) => this.tell(model, problem);
      const one = new Completer(server, () => this.choice.now, tell, PROVIDER);
      this.app.commands.commandExecuted.connect((_, { id }) => {
        if (id === "inline-completer:next" || id === "inline-completer:previous") one.cycled();
        else if (id === "inline-completer:accept") one.accepted();
      });
      return (this.ready = one);
    }));
  }

  private provider(slot: number): Provider {
    const { choice } = this;
    const completer = () => this.completer();
    return {
      identifier: `${PROVIDER}${slot}`,
      schema: { default: { enabled: true, timeout: TIMEOUT, debouncerDelay: 0, autoFillInMiddle: true } },
      get name() {
        return modelsOf(choice.now)[slot] || (slot ? t("Second model of Jan") : t("Model of Jan"));
      },
      async fetch(_request, context) {
        return choice.isOn ? (await completer()).fetch(slot, context) : { items: [] };
      },
      async *stream(token) {
        yield* (await completer()).stream(token);
      },
    };
  }

  private tell(model: string, problem: string): void {
    if ((this.problems.get(model) ?? "") === problem) return;
    this.problems.set(model, problem);
    this.draw();
  }

  private addCommands(): void {
    const { commands } = this.app;
    commands.addCommand(CHOOSE, {
      label: t("Choose Models for Inline Completion…"),
      caption: t("Models whose text is offered at the cursor while you type, or none."),
      isEnabled: () => !!this.services.registry && !!this.packages.apputils?.showDialog,
      describedBy: { args: { type: "object", properties: { model: TEXT, secondModel: TEXT } } },
      execute: (given) => this.choose(given),
    });
    const takes = { word: t("Accept Next Word of Inline Completion"), line: t("Accept Next Line of Inline Completion") };
    for (const what of ["word", "line"] as const) {
      commands.addCommand(TAKE + what, {
        label: takes[what],
        isEnabled: () => !!this.ready?.isShown,
        describedBy: { args: { type: "object", properties: {} } },
        execute: () => this.ready?.take(what),
      });
    }
    for (const command of [CHOOSE, `${TAKE}word`, `${TAKE}line`]) {
      this.services.palette?.addItem({ command, category: CATEGORY });
    }
  }

  /** By the given models, else by those that are chosen in a dialog. */
  private async choose(given: Record<string, unknown>): Promise<void> {
    const { agree, choose, reader } = await load("completion");
    const apputils = this.packages.apputils as Apputils;
    const list = await (await this.completer()).models.list(true);
    const now = this.choice.now;
    const chosen =
      given.model === undefined && given.secondModel === undefined
        ? await choose(apputils, this.packages.lumino, list, now)
        : { model: String(given.model ?? ""), secondModel: String(given.secondModel ?? "") };
    if (!chosen) return;
    const agreedHosts = [...now.agreedHosts];
    for (const id of modelsOf({ ...now, ...chosen })) {
      const model = list.find((one) => one.id === id);
      if (!model || model.local || agreedHosts.includes(reader(model))) continue;
      if (!(await agree(apputils, model))) return;
      agreedHosts.push(reader(model));
    }
    const isNew = agreedHosts.length > now.agreedHosts.length;
    await this.choice.set({ ...(isNew && { agreedHosts }), ...chosen });
  }

  /** CodeMirror has a use of its own for such keys, and JupyterLab hears of them after it only. */
  private key(event: KeyboardEvent): void {
    const { target } = event;
    if (!this.ready?.isShown || !(target instanceof Element) || target.closest(".jp-mod-completer-active")) return;
    const pressed = this.packages.commands?.CommandRegistry.keystrokeForKeydownEvent(event);
    const { commands } = this.app;
    const meant = commands.keyBindings.find(
      ({ keys, selector }) =>
        selector.includes(SHOWN) && keys.length === 1 && keys[0] === pressed && target.closest(selector),
    );
    if (!meant) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void commands.execute(meant.command);
  }
}

const CHOOSE = "jan:choose-completion";
const TAKE = "jan:accept-";
const TEXT = { type: "string" };

/** Whose text is offered, in the status bar. */
function statusItem(
  { lumino }: Packages,
  bar: StatusBar,
  choose: () => void,
): (models: string[], problems: ReadonlyMap<string, string>) => void {
  const button = document.createElement("button");
  button.addEventListener("click", choose);
  const style = document.createElement("style");
  style.textContent = STYLE;
  const item = new lumino.Widget();
  item.addClass("jp-mod-highlighted");
  item.addClass("jan-completion-status");
  document.head.append(style);
  item.node.append(button);
  bar.registerStatusItem(`${NAME}:completion`, { item, align: "right", rank: 900 });
  return (models, problems) => {
    const problem = models.map((model) => problems.get(model)).find(Boolean) ?? "";
    const names = models.join(", ");
    button.textContent = `${problem ? "⚠ " : ""}${names ? t("Completion: %1", names) : t("Completion: off")}`;
    button.title = problem || t("Choose models for inline completion");
    button.setAttribute("aria-label", `${button.textContent}. ${button.title}`);
  };
}

const STYLE = `
  .jan-completion-status { display: flex }
  .jan-completion-status button {
    all: unset; box-sizing: border-box; height: 100%; max-width: 24em; padding: 0 4px; cursor: pointer;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
  .jan-completion-status button:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: -2px }
  @media (forced-colors: active) { .jan-completion-status button:focus-visible { outline-color: Highlight } }`;

/** Written in by lab.mjs. */
declare const NAME: string;
