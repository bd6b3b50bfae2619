// What is said to those who do not see it: sentences, one after the other, never each token.

import type { State } from "./protocol";
import { t } from "../words";

/** Milliseconds between two announcements, so that each can be heard. */
const PAUSE = 900;

export class Announcer {
  private waiting: string[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly show: (text: string) => void) {}

  say(text: string): void {
    this.waiting.push(text);
    this.timer ??= setTimeout(() => this.next(), 0);
  }

  private next(): void {
    this.timer = undefined;
    const text = this.waiting.splice(0).join(" ");
    if (!text) return;
    this.show(text);
    this.timer = setTimeout(() => this.next(), PAUSE);
  }

  /** Take back what was said, and what was to be said. */
  forget(): void {
    this.waiting = [];
    this.show("");
  }

  close(): void {
    clearTimeout(this.timer);
    this.waiting = [];
  }
}

const SAID: Record<string, string> = {
  loading: t("is being loaded"),
  answering: "answers",
  done: t("is done"),
  stopped: t("was stopped"),
  failed: t("has failed"),
};

/** Sentences of what has become of the columns. */
export function sayings(before: State[], now: State[], names: string[]): string[] {
  return now.flatMap((state, at) => {
    const said = SAID[state.state];
    if (!said || before[at]?.state === state.state) return [];
    const why = state.state === "failed" && state.note ? `: ${state.note}` : "";
    return [`${names[at] ?? t("A model")} ${said}${why}${/[.!?]$/.test(why) ? "" : "."}`];
  });
}
