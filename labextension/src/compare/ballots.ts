// A view's copy of a blind vote. It is told of no names before somebody has voted. No DOM.

import type { Host, Lost, Outgoing, Parts } from "./host";
import type { Choice, Event, VoteEvent } from "./protocol";
import { Questions } from "../questions";
import { partOf } from "./store";
import { t } from "../words";

export type Ballot = VoteEvent & { type: "ballot" };

export class Ballots {
  ballot: Ballot | null = null;
  lost: Lost = "";
  /** What was chosen and is on its way; keys that are pressed meanwhile are not for the next pair. */
  sent = "";

  private watchers = new Set<() => void>();
  private questions = new Questions();
  private ends: (() => void)[];

  constructor(readonly host: Host) {
    this.ends = [host.listen((event) => this.take(event)), host.follow((lost) => this.lose(lost))];
    this.hello();
  }

  close(): void {
    for (const end of this.ends.splice(0)) end();
    this.questions.drop(t("The view was closed."));
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  vote(choice: Choice, note: string): void {
    const pair = this.ballot?.pair?.pair;
    if (pair === undefined || this.sent) return;
    this.send(pair, { type: "vote", pair, choice, note });
  }

  skip(): void {
    const pair = this.ballot?.pair?.pair;
    if (pair === undefined || this.sent) return;
    this.send(pair, { type: "skip", pair });
  }

  undo(): void {
    if (this.ballot?.last && !this.sent) this.send("undo", { type: "undo" });
  }

  part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
    const source = () => this.questions.ask((ask) => this.tell({ type: "part", name, ask }));
    return partOf(this.host, name, source as () => Promise<string>);
  }

  get deaf(): boolean {
    return this.lost === "gone" || this.lost === "dead";
  }

  private hello(): void {
    if (this.host.name !== "page") this.tell({ type: "hello", host: this.host.name });
  }

  private send(what: string, message: Outgoing): void {
    this.sent = what;
    this.tell(message);
    this.draw();
  }

  private tell(message: Outgoing): void {
    try {
      this.host.send(message);
    } catch {
      this.lose("gone");
    }
  }

  private lose(lost: Lost): void {
    if (this.lost === lost || this.lost === "gone") return;
    const back = !lost && this.lost === "away";
    this.lost = lost;
    if (this.deaf) this.questions.drop(t("The kernel is gone."));
    if (back) this.hello();
    this.draw();
  }

  private take(event: Event | VoteEvent): void {
    if (event.type === "ballot") {
      this.ballot = event;
      this.sent = "";
      this.draw();
    } else if (event.type === "answer") {
      this.questions.answered(event);
    }
  }

  private draw(): void {
    for (const watcher of this.watchers) watcher();
  }
}
