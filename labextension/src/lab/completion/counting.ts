// Which model's text was shown, and which was taken: numbers only, no text. The server adds them up
// in the run `completions`.

import type { Server } from "../server";

/** What was shown while nothing else was typed. */
export interface Moment {
  /** Of each model that had a text: milliseconds to its first. */
  offered: Map<string, number>;
  shown: Set<string>;
  /** Whose text was taken; `null`: nobody's. */
  taken: string | null;
  characters: number;
  words: number;
  closed: boolean;
}

export const moment = (): Moment => ({
  offered: new Map(),
  shown: new Set(),
  taken: null,
  characters: 0,
  words: 0,
  closed: false,
});

/** What `POST /completions/taken` takes. */
interface Counts {
  models: { model: string; shown: number; taken: number; words: number; characters: number; seconds: number }[];
  pairs: { models: [string, string]; offered: number; taken: [number, number] }[];
}

/** Milliseconds without a new moment after which they are sent. */
const SETTLED = 1000;
/** How many wait at most. */
const MOST = 50;

export class Counter {
  private waiting: Moment[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly server: Server) {
    addEventListener("pagehide", () => this.send());
  }

  /** Somebody has gone on: what was seen until now counts. */
  close(seen: Moment): void {
    if (seen.closed || !seen.shown.size) return;
    seen.closed = true;
    this.waiting.push(seen);
    clearTimeout(this.timer);
    if (this.waiting.length >= MOST) this.send();
    else this.timer = setTimeout(() => this.send(), SETTLED);
  }

  private send(): void {
    clearTimeout(this.timer);
    if (!this.waiting.length) return;
    const body = JSON.stringify(counts(this.waiting));
    this.waiting = [];
    const headers = { "Content-Type": "application/json" };
    // Who may not write there is not counted, and nobody is troubled by it.
    this.server
      .fetch("completions/taken", { method: "POST", headers, body, keepalive: true })
      .catch((error) => console.debug("What was taken is not counted:", error));
  }
}

export function counts(moments: Moment[]): Counts {
  const models = new Map<string, Counts["models"][number]>();
  const pairs = new Map<string, Counts["pairs"][number]>();
  for (const one of moments) {
    for (const model of one.shown) {
      const none = { model, shown: 0, taken: 0, words: 0, characters: 0, seconds: 0 };
      const own = models.get(model) ?? none;
      models.set(model, own);
      own.shown++;
      own.seconds += (one.offered.get(model) ?? 0) / 1000;
      if (one.taken !== model) continue;
      own.taken++;
      own.words += one.words;
      own.characters += one.characters;
    }
    if (one.offered.size !== 2) continue;
    const both = [...one.offered.keys()].sort() as [string, string];
    const pair = pairs.get(both.join("\n")) ?? { models: both, offered: 0, taken: [0, 0] };
    pairs.set(both.join("\n"), pair);
    pair.offered++;
    both.forEach((model, place) => (pair.taken[place]! += Number(one.taken === model)));
  }
  return { models: [...models.values()], pairs: [...pairs.values()] };
}
