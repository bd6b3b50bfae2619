// A kernel shows a growing answer at intervals that grow with its length (`jan_jupyter/magics/
// output.py`). What has come with one update is let in here over the time until the next one is
// expected, so that the text flows.

/** Milliseconds between two steps: 25 a second. */
const STEP = 40;

/** Milliseconds until the next update of a text of that length. */
const interval = (length: number) => 50 + length / 40;

export class Reveal {
  private text = "";
  private shown = 0;
  private isDone = true;
  /** Where the last update began to be let in, and when it is to be there. */
  private from = 0;
  private since = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readers = new Set<() => void>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** All that has come; `done`: there will be no more. `atOnce`: nothing is let in bit by bit. */
  take(text: string, done: boolean, atOnce = false): void {
    const goesOn = text.startsWith(this.text.slice(0, this.shown));
    this.text = text;
    this.isDone = done;
    this.from = this.shown;
    this.since = this.now();
    if (done || atOnce || !goesOn) this.shown = text.length;
    this.step();
  }

  /** As much as is shown now. */
  get value(): { text: string; done: boolean } {
    return { text: this.text.slice(0, this.shown), done: this.isDone && this.shown >= this.text.length };
  }

  /** Hear that there is more to show. */
  read(reader: () => void): () => void {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }

  close(): void {
    clearTimeout(this.timer);
    this.readers.clear();
  }

  private step(): void {
    const { length } = this.text;
    if (this.shown < length) {
      const share = Math.min(1, (this.now() - this.since + STEP) / interval(length));
      const to = Math.ceil(this.from + (length - this.from) * share);
      this.shown = Math.min(length, isHalf(this.text, to) ? to + 1 : to);
    }
    clearTimeout(this.timer);
    if (this.shown < length) this.timer = setTimeout(() => this.step(), STEP);
    for (const reader of this.readers) reader();
  }
}

/** Whether a character would be cut in two there. */
function isHalf(text: string, at: number): boolean {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code < 0xdc00;
}
