// One request to a model: what stood around the cursor, and what has come of it so far.

import { Refused, type Server } from "../server";
import { cut, type Around } from "./ending";

export class Flight {
  /** As far as it would be shown; it only grows. */
  text = "";
  /** Nothing more comes: it has ended, has failed, or was stopped. */
  over = false;
  stopped = false;
  error: Error | null = null;
  /** Milliseconds from the request to the first text. */
  first = 0;
  private raw = "";
  private readonly abort = new AbortController();
  private waiting: (() => void)[] = [];

  constructor(
    readonly model: string,
    readonly around: Around,
  ) {}

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** At once: the server sees that nobody waits any more, and so the model stops. */
  stop(): void {
    if (this.over) return;
    this.stopped = true;
    this.end();
  }

  async run(pieces: (signal: AbortSignal) => AsyncGenerator<string>): Promise<void> {
    const begun = performance.now();
    try {
      for await (const piece of pieces(this.signal)) {
        if (this.over) return;
        this.raw += piece;
        const { text, over } = cut(this.raw, this.around);
        if (text !== this.text) {
          this.first ||= performance.now() - begun;
          this.text = text;
          this.tell();
        }
        if (over) return;
      }
    } catch (error) {
      if (!this.over) this.error = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.end();
    }
  }

  /** Until there is a text, or there will be none. */
  async begun(): Promise<void> {
    while (!this.text && !this.over) await this.news();
  }

  /** Until there is more of it, or nothing more comes. */
  news(): Promise<void> {
    return this.over ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  private end(): void {
    this.over = true;
    this.abort.abort();
    this.tell();
  }

  private tell(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** The status with which a request ends that another one, or a question, has taken the place of. */
export const REPLACED = 409;

/** The pieces of a completion as the server sends them. Throws what it says against it. */
export async function* pieces(server: Server, body: object, signal: AbortSignal): AsyncGenerator<string> {
  const answer = await server.fetch("completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  for await (const data of events(answer)) {
    if (data === "[DONE]") return;
    const said = JSON.parse(data) as { choices?: { text?: string }[]; error?: { message: string; code?: string } };
    if (said.error) throw new Refused(said.error.message, said.error.code === "replaced" ? REPLACED : answer.status);
    const text = said.choices?.[0]?.text;
    if (text) yield text;
  }
}

/** The data of server-sent events. */
async function* events(answer: Response): AsyncGenerator<string> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (held + value).split("\n\n");
      held = blocks.pop()!;
      for (const block of blocks) {
        const lines = block.split("\n").filter((line) => line.startsWith("data:"));
        if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
      }
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
