// What happens to models, as the server tells it while somebody looks: one socket for a page.

import { t } from "../words";
import type { Memory, ModelEvent, Overview, Told } from "../overview";
import type { House } from "./protocol";

/** A model in memory, on its way there, or one elsewhere that is answering us. */
export interface Held {
  model: string;
  engine: string;
  /** queued, loading, ready, answering, unloading */
  state: string;
  /** Bytes; 0 where it is not known. */
  memory: number;
  /** 0 … 1 while it loads. */
  progress: number | null;
  /** Answers that it writes, for whomever. */
  busy: number;
  /** Those of this server, which can be stopped, and their tokens so far. */
  ours: number;
  tokens: number;
  /** Its memory is another machine's, or another program's. */
  elsewhere: boolean;
}

export interface Pull {
  id: string;
  /** What goes on with it. */
  source: string;
  /** Bytes; 0: it is not known yet. */
  done: number;
  total: number;
  /** How far it is and how fast, in words; or why it comes no longer. */
  message: string;
  /** It comes just now; else it was stopped, and may go on. */
  running: boolean;
}

/**
 * off: nobody looks; calling: not heard yet; open; away: the server is, it is called again; absent:
 * it does not know jan_jupyter.
 */
export type State = "off" | "calling" | "open" | "away" | "absent";

/** Milliseconds after which a lost server is called again: the first, and the longest. */
const [SOON, LATE] = [500, 30_000];
/** Milliseconds after which a page that is not seen hears no more. */
const UNSEEN = 60_000;

const NOTHING: Overview = { models: [], generating: [], pulls: [], memory: { free: 0, total: 0 } };

export class Live {
  state: State = "off";
  held: Held[] = [];
  pulls: Pull[] = [];
  memory: Memory | null = null;
  /** Why nothing is heard, in one line. */
  why = "";
  private overview: Overview = NOTHING;
  /** How far pulls are, in words, by their names. */
  private said = new Map<string, string>();
  private socket: WebSocket | null = null;
  private hearers = new Set<(event: ModelEvent) => void>();
  private watchers = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = SOON;
  private readonly seen = () => this.look();

  constructor(private readonly house: House) {}

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    if (this.watchers.size === 1) {
      document.addEventListener("visibilitychange", this.seen);
      this.look();
    }
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size) return;
      document.removeEventListener("visibilitychange", this.seen);
      this.hangUp("off");
    };
  }

  /** What happens, one by one, while somebody watches. */
  listen(hears: (event: ModelEvent) => void): () => void {
    this.hearers.add(hears);
    return () => this.hearers.delete(hears);
  }

  /** Call at once, where it waits to do so. */
  again(): void {
    this.wait = SOON;
    if (!this.socket) this.call();
  }

  /** A page that nobody sees needs no news. */
  private look(): void {
    clearTimeout(this.timer);
    if (!document.hidden) {
      if (!this.socket) this.call();
    } else if (this.socket) this.timer = setTimeout(() => this.hangUp("off"), UNSEEN);
  }

  private call(): void {
    clearTimeout(this.timer);
    if (this.state === "off") this.state = "calling";
    let opened = false;
    const socket = this.house.socket("events/socket");
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      opened = true;
      this.wait = SOON;
      if (this.socket === socket) this.hear(JSON.parse(data as string) as Told);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.held = [];
      this.said.clear();
      void this.lose(opened);
    };
    this.tell();
  }

  /** It was open once: then it is away. Else it is asked over HTTP, which says why. */
  private async lose(opened: boolean): Promise<void> {
    this.state = "away";
    this.why = t("The Jupyter server does not answer.");
    this.tell();
    if (!opened) {
      let [state, why]: [State, string] = ["away", this.why];
      try {
        await this.house.get("engines");
        why = t("The server answers, but not over a WebSocket: a proxy is in between, or its jan_jupyter is older.");
      } catch (error) {
        const { status, message } = error as { status?: number; message: string };
        if (status) [state, why] = [status === 404 ? "absent" : "away", message];
      }
      if (this.socket || (this.state as State) === "off") return; // it has called again meanwhile, or hung up
      [this.state, this.why] = [state, why];
      this.tell();
    }
    if (!this.watchers.size || this.socket || document.hidden) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.call(), this.state === "absent" ? LATE : this.wait);
    this.wait = Math.min(2 * this.wait, LATE);
  }

  private hangUp(state: State): void {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    this.state = state;
    socket?.close();
  }

  private hear(message: Told): void {
    this.state = "open";
    this.why = "";
    if (message.type === "event") return this.happen(message.event);
    const now = (this.overview = message.type === "snapshot" ? { ...NOTHING, ...message.state } : { ...this.overview, ...message.state });
    this.held = heldOf(now);
    this.memory = now.memory;
    this.pulls = now.pulls.map(({ active, message, ...pull }) => ({
      ...pull,
      running: active,
      message: (active && this.said.get(pull.id)) || wordsOf(pull.id, message),
    }));
    this.tell();
  }

  /** What comes is told of five times a second, and how much has come now and then. */
  private happen(event: ModelEvent): void {
    for (const hears of this.hearers) hears(event);
    if (event.state !== "downloading") this.said.delete(event.model);
    else {
      this.said.set(event.model, wordsOf(event.model, event.message));
      const pull = this.pulls.find(({ id }) => id === event.model);
      if (!pull) return;
      pull.message = this.said.get(event.model)!;
      if (event.progress) pull.done = Math.max(pull.done, event.progress * pull.total);
    }
    this.tell();
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

/** Without the name, which stands beside it. */
const wordsOf = (id: string, message = ""): string => (message.startsWith(`${id}: `) ? message.slice(id.length + 2) : message);

function heldOf({ models, generating }: Overview): Held[] {
  const of = (model: string) => generating.filter((one) => one.model === model);
  const counted = (model: string) => ({ ours: of(model).length, tokens: of(model).reduce((sum, one) => sum + one.tokens, 0) });
  const here = models.map(({ id, answers, ...more }) => ({ ...more, model: id, busy: answers, ...counted(id), elsewhere: false }));
  const others = [...new Set(generating.map(({ model }) => model))].filter((model) => !models.some(({ id }) => id === model));
  return [
    ...here.map((one) => ({ ...one, busy: Math.max(one.busy, one.ours) })),
    ...others.map((model) => ({
      model,
      engine: of(model)[0]!.engine,
      state: "answering",
      memory: 0,
      progress: null,
      busy: of(model).length,
      ...counted(model),
      elsewhere: true,
    })),
  ];
}

/** One of all that look at the same server. */
let only: Live | undefined;

export const liveOf = (house: House): Live => (only ??= new Live(house));
