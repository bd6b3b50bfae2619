// An output's answer as it is shown: the last form, and its texts as they are let in.

import { REPLY, replyIn, type Data, type Reply } from "./protocol";
import { fenced } from "./plain";
import type { Place } from "./place";
import { Reveal } from "./reveal";

export class Store {
  reply: Reply;
  readonly reveals: Reveal[] = [];
  private form: unknown;
  private watchers = new Set<() => void>();
  private readonly calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    readonly place: Place,
    data: Data,
  ) {
    this.reply = replyIn(data);
    this.form = data[REPLY];
    this.take();
  }

  /** The output was updated. */
  load(data: Data): void {
    const before = this.reply;
    this.reply = replyIn(data);
    this.take();
    // While it is written only its text changes as a rule, which is drawn by itself.
    const same = JSON.stringify(data[REPLY]) === JSON.stringify(this.form);
    this.form = data[REPLY];
    if (same && before.answers.length === this.reply.answers.length) return;
    for (const watcher of this.watchers) watcher();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** The Markdown of an answer; code alone is a block of it. */
  markdown(at: number): string {
    const { text, language } = this.reply.answers[at]!;
    return language === null ? text : fenced(text, language);
  }

  close(): void {
    for (const reveal of this.reveals) reveal.close();
    this.watchers.clear();
  }

  private take(): void {
    const { answers, status } = this.reply;
    answers.forEach((_, at) => {
      const reveal = (this.reveals[at] ??= new Reveal());
      reveal.take(this.markdown(at), status !== "writing", this.calm.matches);
    });
  }
}
