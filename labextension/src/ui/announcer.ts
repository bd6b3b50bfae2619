// What is said to those who do not see it: sentences, one after the other, never each token.

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
