// What the chat needs of JupyterLab: a conversation of the Jupyter server, over a WebSocket that is made
// again when it breaks, and the open notebook. No kernel has a part in it, but for its variables.

import type { Asker, Host, Lost, Outgoing, Parts, Proposal, Target, Words } from "../../host";
import { kept, type Kept } from "../../kept";
import type { Event, State, Turn } from "../../protocol";
import type { Command } from "../../ui/commands";
import { t } from "../../words";
import type { Application } from "../jupyter";
import { statusOf, type Server } from "../server";
import type { Memory } from "./memory";
import type { IntoNotebook } from "./notebook";
import { LabReferences } from "./references";
import { Wire } from "./wire";
import { serverWords } from "./words";

/** Ours; written in by lab.mjs. */
declare const VERSION: string;

const OPEN_MODELS = "jan:open-models";
/** Codes with which the server refuses what the address asks for: 4000 and a status. */
const ASKED_FOR = 4000;

export class ServerHost implements Host {
  readonly idle = false;
  readonly words: Words = serverWords(() => this.why);
  readonly references: LabReferences;
  private readonly wire: Wire;
  private readonly memory_: Kept;
  private listeners = new Set<(event: Event) => void>();
  private followers = new Set<(lost: Lost) => void>();
  private lost: Lost = "";
  private why = "";
  /** What is said while there is no connection. */
  private waiting: Outgoing[] = [];
  private everOpen = false;
  private state: Partial<State> = {};
  private turns = new Map<string, Turn>();
  /** A line for when a conversation is there: what could not be opened, or another version. */
  private remark = "";
  private compared = false;

  constructor(
    private readonly app: Application,
    private readonly server: Server,
    private readonly memory: Memory,
    private readonly into: IntoNotebook,
    readonly commands: Command[],
    /** Who answers in conversations that begin here, if somebody has chosen that. */
    private model: string,
  ) {
    this.memory_ = kept(`jan-draft-panel ${server.place}`);
    const length = () => this.state.models?.find((one) => one.id === this.state.model)?.context ?? null;
    this.references = new LabReferences(() => into.panel, app.serviceManager.contents, length);
    this.wire = new Wire(() => this.connect(), {
      hear: (event) => this.hear(event as Event),
      opened: () => this.opened(),
      closed: (code, reason, wasOpen) => void this.closed(code, reason, wasOpen),
    });
  }

  // The wire ------------------------------------------------------------------------------------

  private connect(): WebSocket {
    const { name, thread } = this.memory;
    const model = thread ? "" : this.model;
    return this.server.socket("panel", { panel: name, ...(thread && { thread }), ...(model && { model }) });
  }

  private opened(): void {
    this.everOpen = true;
    const waiting = this.waiting;
    this.waiting = [];
    this.why = "";
    this.tell(""); // a conversation that was away says hello
    for (const message of waiting) this.send(message);
  }

  private async closed(code: number, reason: string, wasOpen: boolean): Promise<void> {
    if (code >= ASKED_FOR) {
      // The thread was deleted, or the model: without it.
      this.remark = reason;
      if (this.memory.thread) this.memory.thread = "";
      else this.model = "";
      return this.tell("away");
    }
    if (!wasOpen) await this.look();
    else this.why = "";
    if (!this.wire.open) this.tell(this.why ? "dead" : "away");
  }

  /** Browsers do not say why there is no WebSocket: ask in the usual way. */
  private async look(): Promise<void> {
    this.why = "";
    try {
      await this.server.get("models");
    } catch (error) {
      const status = statusOf(error);
      if (status >= 400 && status < 500) this.why = (error as Error).message;
    }
  }

  private tell(lost: Lost): void {
    this.lost = lost;
    for (const follower of this.followers) follower(lost);
  }

  send(message: Outgoing): void {
    if (this.wire.open) return this.wire.send(message, message.type === "hello");
    // What was typed is told again with the next snapshot, and who asks is told that it was in vain.
    const again = "key" in message || ("ask" in message && this.everOpen);
    if (!again && !(message.type === "hello" && this.everOpen)) this.waiting.push(message);
    this.wire.hurry();
  }

  private hear(event: Event): void {
    if (event.type === "snapshot") {
      this.compare(event.version);
      this.state = event.state;
      this.turns = new Map(event.turns.map((turn) => [turn.id, turn]));
      this.memory.thread = event.state.thread?.id ?? "";
      if (this.remark) event = { ...event, state: { ...event.state, notice: event.state.notice || this.remark } };
      this.remark = "";
    } else if (event.type === "state") {
      this.state = { ...this.state, ...event.state };
      if (event.state.thread !== undefined) this.memory.thread = event.state.thread?.id ?? "";
    } else if (event.type === "message") this.turns.set(event.turn.id, event.turn);
    for (const listener of this.listeners) listener(event);
  }

  /** The page's own version may be another than the server's: each environment has its own. */
  private compare(version: string | undefined): void {
    if (version === VERSION || this.compared) return;
    this.compared = true;
    const other = version ? t("version %1", version) : t("an older version");
    this.remark ||= t("The server runs %1 of jan_jupyter, this page %2: reload the page, or install one version in both environments.", other, VERSION);
  }

  listen(listener: (event: Event) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  follow(listener: (lost: Lost) => void): () => void {
    this.followers.add(listener);
    if (this.lost) listener(this.lost);
    return () => this.followers.delete(listener);
  }

  close(): void {
    this.wire.close();
  }

  // The place -----------------------------------------------------------------------------------

  get draft(): string {
    return this.memory_.text;
  }

  set draft(text: string) {
    this.memory_.text = text;
  }

  async part<Name extends keyof Parts>(name: Name, _ask: Asker): Promise<Parts[Name]> {
    const parts = { code: () => import("../../code/index"), math: () => import("../../math") };
    return (await parts[name]()) as unknown as Parts[Name];
  }

  insertCell(_element: Element, code: string, answer = ""): boolean {
    return this.into.insert([{ cell_type: "code", source: code, metadata: { trusted: true, ...this.origin(answer) } }]);
  }

  /** Where a cell comes from, for its metadata. */
  private origin(answer: string): { jan?: Record<string, string> } {
    const turn = this.turns.get(answer);
    if (!turn) return {};
    const thread = this.state.thread?.id ?? "";
    const all = { model: turn.model, engine: turn.engine, thread, message: turn.id.startsWith("live-") ? "" : turn.id };
    return { jan: Object.fromEntries(Object.entries(all).filter(([, value]) => value)) };
  }

  replace(code: string, question: string): Promise<Proposal | string | null> {
    return this.into.propose(code, this.memory.target(question));
  }

  about(question: string, target: Target): void {
    this.memory.about(question, target);
  }

  get getModels(): (() => void) | undefined {
    if (!this.app.commands.hasCommand(OPEN_MODELS)) return undefined;
    return () => void this.app.commands.execute(OPEN_MODELS);
  }

  runButton(): null {
    return null;
  }

  save(): void {
    // The conversation is the server's: no notebook shows it.
  }
}
