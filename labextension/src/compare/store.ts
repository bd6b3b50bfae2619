// A view's copy of one comparison: drawn from the document, kept up to date by events. No DOM.

import { Questions } from "../questions";
import type { Host, Lost, Outgoing, Parts } from "./host";
import type { Call, Comparison, Event, Progress, Queries, Row, State, VoteEvent, Writing } from "./protocol";
import { place, tableOf, type Table } from "./tables";
import { readView, writeView, type View } from "./view";
import { t } from "../words";

/** Milliseconds without a sign of life of a run after which the view says `hello` again. */
const SILENCE = 8000;
/** Between two drawings of all but growing texts, at least. */
const INTERVAL = 40;
const CALLING = t("Asking the kernel …");

/** Texts that are asked for in one question. */
const AT_ONCE = 100;

/** The parts that are loaded: all views of a page that are of one build share them. */
const parts = new Map<string, Promise<unknown>>();

/** A load of a part; one that fails is tried again the next time. */
export function partOf<Name extends keyof Parts>(host: Host, name: Name, ask: () => Promise<string>): Promise<Parts[Name]> {
  let part = parts.get(name) as Promise<Parts[Name]> | undefined;
  if (!part) {
    part = host.part(name, ask);
    part.catch(() => parts.delete(name));
    parts.set(name, part);
  }
  return part;
}

/** Of an answer under way, what the page itself has seen: the kernel's clock may be another. */
interface Seen {
  at: number;
  tokens: number;
}

export const keyOf = (call: Call): string => call.join(".");

export class Store {
  comparison: Comparison | null = null;
  table: Table = [];
  running = false;
  progress: Progress | null = null;
  states: State[] = [];
  writing = new Map<string, Writing>();
  /** The kernel has told us how things are. */
  ready = false;
  lost: Lost = "";
  /** It was cut off in the middle: what is missing will not come. */
  cut = false;
  /** What has become of `wake`, in words; empty: nothing, or all is well. */
  waking = "";
  view: View;
  /** Grows with whatever the lists are worked out of. */
  version = 0;

  private seen = new Map<string, Seen>();
  private seq = 0;
  private asking = false; // for a snapshot, since a delta was missed
  private watchers = new Set<() => void>();
  private readers = new Map<string, Set<() => void>>();
  private questions = new Questions();
  private wanted = new Map<string, Call>();
  private refused = new Set<string>();
  private due: ReturnType<typeof setTimeout> | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private heard = Date.now();
  private greeted = "";
  private ends: (() => void)[];

  constructor(
    readonly host: Host,
    comparison: Comparison | null = null,
  ) {
    this.view = readView(host.view);
    this.ends = [host.listen((event) => this.take(event)), host.follow((lost) => this.lose(lost))];
    if (comparison) this.load(comparison);
    else if (host.name !== "page") this.hello("");
  }

  close(): void {
    for (const end of this.ends.splice(0)) end();
    clearTimeout(this.due);
    clearInterval(this.timer);
    this.questions.drop(t("The view was closed."));
  }

  /** A document, as an output has it. What the kernel tells is newer. */
  load(comparison: Comparison): void {
    const live = comparison.live?.id;
    const other = Boolean(live) && live !== this.greeted;
    if (other && this.deaf) this.lost = ""; // the cell was run again, in another kernel
    if (!this.alive || !live) this.show(comparison);
    if (live && other) this.hello(live);
  }

  /** Whether there is a kernel that hears what is said here. */
  get alive(): boolean {
    return this.host.name !== "page" && this.ready && !this.deaf;
  }

  private get deaf(): boolean {
    return this.lost === "gone" || this.lost === "dead";
  }

  private show(comparison: Comparison): void {
    this.comparison = comparison;
    this.table = tableOf(comparison);
    this.changed();
  }

  /** Look at it in another way, and keep that. */
  look(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    this.host.view = writeView(this.view);
    for (const watcher of this.watchers) watcher();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Call `reader` whenever the text of a call has grown. */
  read(key: string, reader: () => void): () => void {
    const readers = this.readers.get(key) ?? new Set();
    this.readers.set(key, readers.add(reader));
    return () => {
      readers.delete(reader);
      if (!readers.size) this.readers.delete(key);
    };
  }

  rows(at: number, contestant: number): Row[] {
    return this.table[at]?.[contestant] ?? [];
  }

  row(call: Call): Row | undefined {
    return this.rows(call[0], call[1]).find((row) => row.call[2] === call[2]);
  }

  /** Tokens a second of an answer under way, as far as the page has seen it; `null`: too early. */
  speedOf(key: string): number | null {
    const [seen, writing] = [this.seen.get(key), this.writing.get(key)];
    const passed = seen ? (Date.now() - seen.at) / 1000 : 0;
    return seen && writing && passed > 0.3 ? (writing.tokens - seen.tokens) / passed : null;
  }

  stop(contestant: number | null): void {
    this.tell({ type: "stop", contestant });
  }

  retry(): void {
    this.tell({ type: "retry" });
  }

  /** Whether the kernel that runs now may be asked to go on with what was saved. */
  get mayWake(): boolean {
    const saved = this.deaf || !this.comparison?.live;
    return !this.alive && saved && Boolean(this.host.wake && this.comparison?.name);
  }

  async wake(): Promise<void> {
    this.waking = CALLING;
    this.changed();
    try {
      await this.host.wake!(this.comparison!.name);
      this.lost = "";
      this.ready = false;
      this.hello("");
    } catch (error) {
      this.waking = (error as Error).message;
    }
    this.changed();
  }

  ask<Name extends keyof Queries>(type: Name, question: Queries[Name]["question"]): Promise<Queries[Name]["answer"]> {
    return this.question({ type, ...question }) as Promise<Queries[Name]["answer"]>;
  }

  part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
    return partOf(this.host, name, () => this.question({ type: "part", name }) as Promise<string>);
  }

  private question(what: Record<string, unknown>): Promise<unknown> {
    return this.questions.ask((ask) => this.tell({ ...what, ask } as Outgoing));
  }

  /** Whether a text that the document leaves out may still come. */
  mayCome(call: Call): boolean {
    return this.alive && !this.refused.has(keyOf(call));
  }

  /** Ask for a text that the document leaves out, together with others of this moment. */
  want(call: Call): void {
    if (!this.mayCome(call)) return;
    if (!this.wanted.size) setTimeout(() => this.fetch(), 20);
    this.wanted.set(keyOf(call), call);
  }

  private fetch(): void {
    const calls = [...this.wanted.values()].slice(0, AT_ONCE);
    for (const call of calls) this.wanted.delete(keyOf(call));
    if (!calls.length) return;
    if (this.wanted.size) setTimeout(() => this.fetch(), 20);
    const given = (texts: string[]) => {
      calls.forEach((call, at) => {
        const row = this.row(call);
        if (row && row.text === null && typeof texts[at] === "string") row.text = texts[at]!;
        else if (row?.text === null) this.refused.add(keyOf(call));
      });
      this.changed();
    };
    this.ask("texts", { calls }).then(given, () => given([]));
  }

  private hello(live: string): void {
    if (this.host.name === "page") return;
    this.greeted = live;
    this.tell({ type: "hello", host: this.host.name });
  }

  private tell(message: Outgoing): void {
    if (this.host.name !== "page" && !this.deaf) {
      try {
        this.host.send(message);
        return;
      } catch {
        this.lose("gone");
      }
    }
    if ("ask" in message) this.questions.drop(t("There is no kernel that knows this comparison."));
  }

  private lose(lost: Lost): void {
    if (this.lost === lost || this.lost === "gone") return;
    const back = !lost && this.lost === "away";
    this.lost = lost;
    if (this.deaf) {
      if (this.waking === CALLING) this.waking = t("The kernel knows no run of that name.");
      this.questions.drop(t("The kernel is gone."));
      this.cut = this.running;
      this.run(false);
      this.keepWritten();
    }
    if (back) {
      this.questions.drop(t("The connection was cut: try again."));
      this.hello(this.greeted);
    }
    this.changed();
  }

  /** What was being written when the kernel went is all that there will be of it. */
  private keepWritten(): void {
    for (const { call, text, reasoning } of this.writing.values()) {
      if (this.row(call) || !text) continue;
      place(this.table, { ...NOTHING, call, text, reasoning, error: t("The kernel went away."), at: Date.now() / 1000 });
    }
    this.writing.clear();
    this.seen.clear();
  }

  private run(running: boolean): void {
    this.running = running;
    clearInterval(this.timer);
    if (running) this.timer = setInterval(() => this.listenFor(), 2000);
  }

  /** Messages may be lost on the way: a run that is silent for long is asked how it is. */
  private listenFor(): void {
    if (this.lost || Date.now() - this.heard < SILENCE) return;
    this.heard = Date.now();
    this.hello(this.greeted);
  }

  private take(event: Event | VoteEvent): void {
    this.heard = Date.now();
    switch (event.type) {
      case "snapshot":
        return this.begin(event);
      case "deltas":
        return this.grow(event);
      case "rows":
        return this.end(event.rows);
      case "progress":
        this.progress = event.progress;
        this.states = event.states;
        return this.draw();
      case "figures": {
        if (!this.comparison) return;
        const { type: _, ...figures } = event;
        this.comparison = { ...this.comparison, ...figures };
        return this.changed();
      }
      case "ended":
        this.run(false);
        this.writing.clear(); // what has come of them are rows
        this.seen.clear();
        if (this.comparison) this.comparison = { ...this.comparison, ended: event.ended };
        return this.changed();
      case "answer":
        return this.questions.answered(event);
    }
  }

  private begin(told: Event & { type: "snapshot" }): void {
    this.comparison = told.comparison;
    this.table = tableOf(told.comparison);
    this.progress = told.progress;
    this.states = told.states;
    this.seq = told.seq;
    this.asking = false;
    this.ready = true;
    this.cut = false;
    this.waking = "";
    if (this.lost !== "away") this.lost = "";
    this.greeted = told.comparison.live?.id ?? this.greeted;
    const known = this.seen;
    this.seen = new Map();
    this.writing = new Map(told.writing.map((one) => [keyOf(one.call), { ...one }]));
    for (const [key, { tokens }] of this.writing) this.seen.set(key, known.get(key) ?? { at: Date.now(), tokens });
    this.run(told.running);
    for (const readers of this.readers.values()) for (const reader of readers) reader();
    this.changed();
  }

  private grow(event: Event & { type: "deltas" }): void {
    if (!this.ready || event.seq <= this.seq) return;
    if (event.seq !== this.seq + 1) {
      if (!this.asking) this.hello(this.greeted);
      this.asking = true;
      return;
    }
    this.seq = event.seq;
    for (const delta of event.deltas) {
      const key = keyOf(delta.call);
      const writing = delta.anew ? undefined : this.writing.get(key);
      if (!writing) {
        const now = Date.now();
        const { call, text, reasoning, tokens } = delta;
        this.writing.set(key, { call, text, reasoning, tokens, since: now / 1000 });
        this.seen.set(key, { at: now, tokens });
        this.draw();
      } else {
        // In place: views follow the text by themselves.
        const first = (!writing.text && delta.text) || (!writing.reasoning && delta.reasoning);
        writing.text += delta.text;
        writing.reasoning += delta.reasoning;
        writing.tokens = delta.tokens;
        if (first) this.draw();
      }
      this.grown(key);
    }
  }

  private end(rows: Row[]): void {
    if (!this.comparison) return;
    for (const row of rows) {
      const key = keyOf(row.call);
      place(this.table, row);
      this.writing.delete(key);
      this.seen.delete(key);
      this.grown(key);
    }
    this.changed();
  }

  private grown(key: string): void {
    for (const reader of this.readers.get(key) ?? []) reader();
  }

  private changed(): void {
    this.version++;
    this.draw();
  }

  private draw(): void {
    this.due ??= setTimeout(() => {
      this.due = undefined;
      for (const watcher of this.watchers) watcher();
    }, this.running ? INTERVAL : 0);
  }
}

const NOTHING: Row = {
  call: [0, 0, 0],
  text: "",
  reasoning: "",
  error: "",
  finish: "",
  cold: false,
  reused: false,
  at: 0,
  cost: null,
  prompt_tokens: null,
  cached_tokens: null,
  tokens: null,
  times: {
    queue: null,
    load: null,
    first_token: null,
    prompt: null,
    decode: null,
    total: null,
    tokens_per_second: null,
    prompt_tokens_per_second: null,
  },
  notes: [],
  scores: {},
};
