// The front end's copy of one conversation: kept up to date by events, watched by views.

import type { Asker, Found, Host, Lost, Outgoing, Parts, Target } from "./host";
import { EMPTY, type Action, type Context, type Preview, type Queries, type Event, type State, type Turn } from "./protocol";
import { Questions } from "./questions";
import { t } from "./words";

/** Milliseconds without a sign of life of an answer after which it is asked for again. */
const SILENCE = 8000;
/** Milliseconds after which a text that nobody has taken is spoken of. */
const PATIENCE = 700;

/** The parts that are loaded: all panels of a page that are of one build share them. */
const parts = new Map<string, Promise<unknown>>();

/** What was written, before it is sent. */
export interface Written {
  text: string;
  images: string[];
  /** What goes along beside what the text names. */
  attached: Context[];
}

export interface Pending extends Written {
  /** What whoever answers is told, until they have it. */
  action: Action & { type: "send" | "edit" };
  /** The cell that it is about. */
  about?: Target;
  late: boolean;
  /** What its `@…` stand for is still being looked for. */
  looking: boolean;
  /** The connection was cut since: who answers now may have been started anew, and know no keys. */
  cut: boolean;
  /** The turns that were there before. */
  known: Set<string>;
}

/** What goes with a draft, and what cannot. */
export type Along = Preview & Pick<Found, "missing">;

export class Session {
  state: State = EMPTY;
  turns = new Map<string, Turn>();
  /** A text that nobody has taken yet. */
  pending: Pending | null = null;
  /** One that it has refused, or cannot take any more: it goes back to where texts are written. */
  returned: Written | null = null;
  /** A beginning for an empty composer. */
  suggested = "";
  ready = false;
  /** Nothing has been heard for long, though somebody seems to be there. */
  slow = false;
  /** Why nobody hears what is said here; empty: somebody does. */
  lost: Lost = "";
  images: string[] = [];
  /** What goes with the draft, beside what it names. */
  attached: Context[] = [];
  /** The cell that the draft is about. */
  private about?: Target;

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
    this.questions.drop(t("The panel was closed."));
  }

  /** What is being typed survives a view, a page, and whoever answers. */
  get draft(): string {
    return this.typed;
  }
  set draft(text: string) {
    this.typed = text;
    if (!text) this.about = undefined; // another one begins
    this.keep();
  }

  /** What is on its way is kept as well, until it has come. */
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

  /** Say something; who is gone is noticed here at the latest. */
  private tell(message: Outgoing): void {
    if (!this.deaf) {
      try {
        this.host.send(message);
        return;
      } catch {
        this.lose("gone");
      }
    }
    if ("ask" in message) this.questions.drop(this.host.words.lost[this.lost || "gone"]);
  }

  /** Whether nobody will ever hear what is said here. */
  get deaf(): boolean {
    return this.lost === "gone" || this.lost === "dead";
  }

  /** Who answers is gone, or (empty) is there again: what was being written is no more. */
  private lose(lost: Lost): void {
    if (this.lost === lost || this.lost === "gone") return;
    const back = !lost && this.lost !== "";
    this.lost = lost;
    if (lost && this.pending) this.pending.cut = true;
    if (this.deaf) {
      this.giveBack();
      this.questions.drop(this.host.words.lost[this.lost || "gone"]);
      for (const [id, turn] of this.turns) {
        if (turn.status === "writing") this.turns.set(id, { ...turn, status: "interrupted", wait: "" });
      }
    }
    if (back) {
      this.questions.drop(t("The connection was cut: try again.")); // they may be lost on the way
      this.tell({ type: "hello" });
    }
    this.changed();
  }

  send(text: string, images: string[], attached: Context[] = [], about = this.about): void {
    const context = attached.length ? { context: attached } : {};
    this.post({ type: "send", text, images, ...context, key: newKey() }, { text, images, attached }, about);
  }

  /** Ask another question in the place of one. */
  edit(id: string, text: string): void {
    this.post({ type: "edit", id, text, key: newKey() }, { text, images: [], attached: [] });
  }

  private post(action: Pending["action"], written: Written, about?: Target): void {
    const looking = Boolean(this.host.references);
    const known = new Set(this.turns.keys());
    this.pending = { action, ...written, about, late: false, looking, cut: false, known };
    this.keep();
    setTimeout(() => {
      if (this.pending?.action !== action) return;
      this.pending = { ...this.pending, late: true };
      this.changed();
    }, PATIENCE);
    if (looking) void this.resolve(action);
    else this.tell(action);
    this.changed();
  }

  /** Send it with what its `@…` stand for. */
  private async resolve(action: Pending["action"]): Promise<void> {
    const found = await this.found(action.text);
    const before = action.type === "edit" ? this.turns.get(action.id) : undefined;
    const labels = new Set(found.context.map((one) => one.label));
    const kept = (before?.context ?? []).filter(
      ({ label }) => !labels.has(label) && (!label.startsWith("@") || action.text.includes(label)),
    );
    const context = [...(action.context ?? kept), ...found.context].map(({ label, text }) => ({ label, text }));
    const images = [...new Set([...(action.images ?? before?.images ?? []), ...found.images])];
    Object.assign(action, { images, context });
    if (this.pending?.action !== action) return; // it was given back meanwhile
    this.pending = { ...this.pending, looking: false };
    this.tell(action);
  }

  private async found(text: string): Promise<Found> {
    const nothing = { context: [], images: [], missing: [] };
    if (!text.includes("@")) return nothing;
    return (await this.host.references?.resolve(text).catch(() => null)) ?? nothing;
  }

  /** What a draft would be sent as, and what goes with it. */
  async preview({ text, images, attached }: Written): Promise<Along> {
    const found = await this.found(text);
    const context = [...attached, ...found.context.map(({ label, text }) => ({ label, text }))];
    const preview = await this.ask("preview", { text, images: images.length + found.images.length, ...(context.length && { context }) });
    const cut = new Map(found.context.map((one) => [one.label, one.cut ?? 0]));
    const along = preview.context.map((one) => ({ ...one, cut: one.cut + (cut.get(one.label) ?? 0) }));
    return { ...preview, context: along, missing: found.missing };
  }

  /** What may stand for a reference that has begun, and why there is not more. */
  async complete(text: string): Promise<{ candidates: Queries["complete"]["answer"]; note: string }> {
    if (this.host.references) return this.host.references.complete(text);
    return { candidates: await this.ask("complete", { text }), note: "" };
  }

  private giveBack(): void {
    const pending = this.pending;
    this.pending = null;
    if (pending) this.bring(pending.text, pending.images, pending.attached, pending.about);
  }

  /** Put a text that cannot be sent from where it stands to what is being written. */
  bring(text: string, images: string[] = [], attached: Context[] = [], about?: Target): void {
    this.about = about ?? this.about;
    const before = this.returned;
    this.returned = {
      text: [before?.text, text].filter(Boolean).join("\n\n"),
      images: [...(before?.images ?? []), ...images],
      attached: [...(before?.attached ?? []), ...attached],
    };
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
    const { pending } = this;
    if (!id && pending && (pending.looking || this.lost)) {
      this.giveBack(); // it would be sent yet
      if (pending.looking) return;
    }
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
        // It may be lost on the way; who answers knows by its key whether it has come.
        if (this.pending && !this.pending.looking && !this.stands) this.tell(this.pending.action);
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
      const { about } = this.pending;
      const question = this.come;
      this.pending = null;
      if (about && question) this.host.about?.(question.id, about);
      this.keep();
    }
    this.changed();
  }

  private get stands(): boolean {
    const { pending } = this;
    if (!pending) return false;
    return this.state.sent.includes(pending.action.key) || (pending.cut && this.come?.text === pending.text);
  }

  /** The last question that has come since the one was sent that is on its way. */
  private get come(): Turn | undefined {
    return this.path.findLast((turn) => turn.role === "user" && !this.pending?.known.has(turn.id));
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
