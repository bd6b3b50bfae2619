// The front end's copy of one conversation: kept up to date by events, watched by views.

import type { Asker, Host, Lost, Outgoing, Parts } from "./host";
import { EMPTY, type Action, type Context, type Queries, type Event, type State, type Turn } from "./protocol";
import { Questions } from "./questions";

/** Milliseconds without a sign of life of an answer after which it is asked for again. */
const SILENCE = 8000;
/** Milliseconds after which a text that the kernel has not taken is spoken of. */
const PATIENCE = 700;

/** The parts that are loaded: all panels of a page that are of one build share them. */
const parts = new Map<string, Promise<unknown>>();

export interface Pending {
  /** What the kernel is told, until it has it. */
  action: Action & { type: "send" | "edit" };
  text: string;
  images: string[];
  late: boolean;
}

export class Session {
  state: State = EMPTY;
  turns = new Map<string, Turn>();
  /** A text that the kernel has not taken yet. */
  pending: Pending | null = null;
  /** One that it has refused, or cannot take any more: it goes back to where texts are written. */
  returned: { text: string; images: string[] } | null = null;
  /** A beginning for an empty composer. */
  suggested = "";
  ready = false;
  /** Nothing has been heard for long, though the kernel seems to be there. */
  slow = false;
  /** Why no kernel hears what is said here; empty: one does. */
  lost: Lost = "";
  images: string[] = [];

  private typed: string;
  private watchers = new Set<() => void>();
  private readers = new Map<string, Set<() => void>>();
  private questions = new Questions();
  private unlisten: () => void;
  private unfollow: () => void;
  private heard = Date.now();
  private timer: ReturnType<typeof setInterval>;
  private resyncing = new Set<string>();

  constructor(readonly host: Host) {
    this.typed = host.draft;
    this.unlisten = host.listen((event) => this.take(event));
    this.unfollow = host.follow((lost) => this.lose(lost));
    this.timer = setInterval(() => this.look(), 2000);
    this.tell({ type: "hello" });
  }

  close(): void {
    this.unlisten();
    this.unfollow();
    clearInterval(this.timer);
    this.questions.drop("The panel was closed.");
  }

  /** What is being typed survives a view, a kernel and a page. */
  get draft(): string {
    return this.typed;
  }
  set draft(text: string) {
    this.typed = text;
    this.keep();
  }

  /** What is on its way is kept as well, until the kernel has it. */
  private keep(): void {
    const away = this.pending ?? this.returned;
    this.host.draft = [away?.text, this.typed].filter(Boolean).join("\n\n");
  }

  /** Call `watcher` whenever something but the text of a running answer has changed. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Call `reader` whenever the text of a running answer has grown. */
  read(id: string, reader: () => void): () => void {
    const readers = this.readers.get(id) ?? new Set();
    this.readers.set(id, readers.add(reader));
    return () => readers.delete(reader);
  }

  get path(): Turn[] {
    return this.state.path.flatMap((id) => this.turns.get(id) ?? []);
  }

  /** Whether an answer is on its way: from the click on Send to its last word. */
  get busy(): boolean {
    return this.pending !== null || this.writing;
  }

  get writing(): boolean {
    return [...this.turns.values()].some((turn) => turn.status === "writing");
  }

  do(action: Action): void {
    this.tell(action);
  }

  /** Say something to the kernel; one that is gone is noticed here at the latest. */
  private tell(message: Outgoing): void {
    if (!this.deaf) {
      try {
        this.host.send(message);
        return;
      } catch {
        this.lose("gone");
      }
    }
    if ("ask" in message) this.questions.drop("The kernel is gone.");
  }

  /** Whether nobody will ever hear what is said here. */
  get deaf(): boolean {
    return this.lost === "gone" || this.lost === "dead";
  }

  /** The kernel behind it is gone, or (empty) is there again: what was being written is no more. */
  private lose(lost: Lost): void {
    if (this.lost === lost || this.lost === "gone") return;
    const back = !lost && this.lost === "away";
    this.lost = lost;
    if (this.deaf) {
      this.giveBack();
      this.questions.drop("The kernel is gone.");
      for (const [id, turn] of this.turns) {
        if (turn.status === "writing") this.turns.set(id, { ...turn, status: "interrupted", wait: "" });
      }
    }
    if (back) {
      this.questions.drop("The connection was cut: try again."); // they may be lost on the way
      this.tell({ type: "hello" });
    }
    this.changed();
  }

  send(text: string, images: string[], context: Context[] = []): void {
    this.post({ action: { type: "send", text, images, ...(context.length && { context }), key: newKey() }, text, images, late: false });
  }

  /** Ask another question in the place of one. */
  edit(id: string, text: string): void {
    this.post({ action: { type: "edit", id, text, key: newKey() }, text, images: [], late: false });
  }

  private post(pending: Pending): void {
    this.pending = pending;
    this.keep();
    setTimeout(() => {
      if (this.pending !== pending) return;
      this.pending = { ...pending, late: true };
      this.changed();
    }, PATIENCE);
    this.tell(pending.action);
    this.changed();
  }

  private giveBack(): void {
    const pending = this.pending;
    this.pending = null;
    if (pending) this.bring(pending.text, pending.images);
  }

  /** Put a text that cannot be sent from where it stands to what is being written. */
  bring(text: string, images: string[] = []): void {
    const before = this.returned;
    const texts = [before?.text, text].filter(Boolean);
    this.returned = { text: texts.join("\n\n"), images: [...(before?.images ?? []), ...images] };
    this.keep();
    this.changed();
  }

  /** Write a question for whoever may send it. */
  suggest(text: string): void {
    this.suggested = text;
    this.changed();
  }

  /** Tell whoever looks on that something is in the way. */
  say(notice: string): void {
    this.state = { ...this.state, notice };
    this.changed();
  }

  stop(id?: string): void {
    this.tell(id ? { type: "stop", id } : { type: "stop" });
  }

  ask: Asker = <Name extends keyof Queries>(type: Name, question: Queries[Name]["question"]) => {
    const answer = this.questions.ask((ask) => this.tell({ type, ask, ...question }));
    return answer as Promise<Queries[Name]["answer"]>;
  };

  part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
    let part = parts.get(name) as Promise<Parts[Name]> | undefined;
    if (!part) {
      part = this.host.part(name, this.ask);
      part.catch(() => parts.delete(name));
      parts.set(name, part);
    }
    return part;
  }

  private take(event: Event): void {
    this.heard = Date.now();
    switch (event.type) {
      case "snapshot":
        this.state = event.state;
        this.turns = new Map(event.turns.map((turn) => [turn.id, turn]));
        this.ready = true;
        this.slow = false;
        this.resyncing.clear();
        // It may be lost on the way; the kernel knows by its key whether it has come.
        if (this.pending && !this.stands) this.tell(this.pending.action);
        for (const readers of this.readers.values()) for (const reader of readers) reader();
        break;
      case "state":
        this.state = { ...this.state, ...event.state };
        break;
      case "message":
        this.turns.set(event.turn.id, event.turn);
        this.resyncing.delete(event.turn.id);
        this.grown(event.turn.id);
        break;
      case "refused":
        if (this.pending && event.key === this.pending.action.key) this.giveBack();
        break;
      case "delta":
        this.grow(event);
        return; // views follow the text by themselves
      case "wait": {
        const turn = this.turns.get(event.id);
        if (turn) this.turns.set(event.id, { ...turn, wait: event.wait });
        break;
      }
      case "saved":
        this.host.save(event.data, event.thread);
        return;
      case "answer":
        this.questions.answered(event);
        return;
    }
    if (this.pending && this.stands) {
      this.pending = null;
      this.keep();
    }
    this.changed();
  }

  private get stands(): boolean {
    return this.pending !== null && this.state.sent.includes(this.pending.action.key);
  }

  private grow(delta: Event & { type: "delta" }): void {
    const turn = this.turns.get(delta.id);
    if (!turn || delta.seq <= turn.seq) return;
    if (delta.seq !== turn.seq + 1) {
      if (!this.resyncing.has(delta.id)) {
        this.resyncing.add(delta.id);
        this.tell({ type: "resync", id: delta.id });
      }
      return;
    }
    const first = !turn.text && !turn.reasoning;
    // In place: a new object for each delta would draw the whole conversation again.
    turn.text += delta.text ?? "";
    turn.reasoning += delta.reasoning ?? "";
    turn.seq = delta.seq;
    if (first || (delta.reasoning !== undefined && turn.reasoning === delta.reasoning)) {
      this.turns.set(delta.id, { ...turn });
      this.changed();
    }
    this.grown(delta.id);
  }

  private grown(id: string): void {
    for (const reader of this.readers.get(id) ?? []) reader();
  }

  private changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** Messages may be lost on the way: an answer that is silent for long is asked for again. */
  private look(): void {
    if (this.pending?.late) this.changed(); // what it waits for may have changed
    if (this.lost || Date.now() - this.heard < SILENCE) return;
    if (this.ready && !this.busy) return;
    this.heard = Date.now();
    this.tell({ type: "hello" });
    if (this.ready || this.slow) return;
    this.slow = true;
    this.changed();
  }
}

const newKey = (): string => crypto.getRandomValues(new Uint32Array(2)).join("-");
