// What a comparison needs of JupyterLab: the kernel of its notebook, by a comm of its own.

import { follow, knows } from "../anywidget";
import type { Host, Lost, Outgoing, Parts } from "../compare/host";
import type { Event, Forms, Opening, VoteEvent } from "../compare/protocol";
import { kept, type Kept } from "../kept";
import { t } from "../words";
import type { Comm, Kernel, SessionContext } from "./jupyter";

/** The kernel's end: `jan_jupyter/panel/comparison.py`. */
const TARGET = "jan.comparison";
/** What makes a kernel listen that has not heard of comparisons yet. */
const LISTEN = "__import__('jan_jupyter.panel.comparison', fromlist=['listen']).listen()";

/** Milliseconds after which a kernel that does not answer is taken for busy. */
const BUSY = 300;
/** Milliseconds that a kernel may take to make a thread for what is said beside its cells. */
const SUBSHELL = 1000;

/** Milliseconds without news after which what is saved follows. */
const SETTLED = 1000;
/** Under which number the output's forms are asked for: a store's own count from 1. */
const FORMS = 0;

/** What a promise gives within that time; `undefined`: nothing yet, or it fails. */
function within<Value>(time: number, promise: Promise<Value> | undefined): Promise<Value | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, time));
  return Promise.race([promise?.catch(() => undefined), late]);
}

export class LabHost implements Host {
  readonly name = "lab";
  private live: string | null = null;
  private comm: Comm | null = null;
  /** What is said before the kernel is known to hear it; `null`: nobody is being called. */
  private waiting: Outgoing[] | null = null;
  private listeners = new Set<(event: Event | VoteEvent) => void>();
  private followers = new Set<(lost: Lost) => void>();
  private unfollow = () => {};
  private closed = false;
  private memory: Kept;
  readonly wake?: (run: string) => Promise<void>;
  /** It goes on with what was saved: whoever has the output keeps what becomes of it. */
  private woken = false;
  private keeping: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: SessionContext | undefined,
    name: string,
    private readonly keep: (forms: Record<string, unknown>) => void,
  ) {
    if (session) this.wake = (run) => this.goOn(run);
    this.memory = kept(`jan-comparison ${session?.path ?? ""} ${name}`);
  }

  /** Whom `send` reaches from now on: what the output names as alive; `null`: nobody. */
  turn(live: string | null): void {
    if (live === this.live) return;
    this.live = live;
    if (live) this.hangUp();
  }

  send(message: Outgoing): void {
    if (this.comm) this.comm.send(message);
    else if (this.waiting) this.waiting.push(message);
    else if (!this.live || !this.session) throw new Error(t("Nobody hears this."));
    else {
      this.waiting = [message];
      this.call(this.live);
    }
  }

  listen(listener: (event: Event | VoteEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  follow(listener: (lost: Lost) => void): () => void {
    this.followers.add(listener);
    return () => this.followers.delete(listener);
  }

  async part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
    const parts = { code: () => import("../code/index"), math: () => import("../math") };
    return (await parts[name]()) as unknown as Parts[Name];
  }

  get view(): string {
    return this.memory.text;
  }

  set view(text: string) {
    this.memory.text = text;
  }

  close(): void {
    this.closed = true;
    this.hangUp();
  }

  private async goOn(name: string): Promise<void> {
    const kernel = this.session?.session?.kernel;
    if (!kernel) throw new Error(t("Start a kernel first."));
    const { done } = kernel.requestExecute({ code: LISTEN, silent: true, store_history: false });
    const { status, evalue } = (await done).content;
    if (status !== "ok") throw new Error(evalue || t("The kernel does not know jan_jupyter."));
    this.hangUp();
    this.waiting = [];
    this.woken = true;
    await this.open(kernel, { run: name });
  }

  /** Call the kernel as soon as there is one, and be heard if it knows `live`. */
  private async call(live: string): Promise<void> {
    const kernel = await this.someKernel();
    // One that is busy does not say; whoever it is that it does not know, it hangs up on later.
    const known = kernel.hasComm(live) || (await within(BUSY, knows(kernel, live))) !== false;
    if (this.closed || this.live !== live || !this.waiting) return;
    if (known) await this.open(kernel, { id: live });
    else this.lose("gone");
  }

  private someKernel(): Promise<Kernel> {
    const context = this.session!;
    return new Promise((resolve) => {
      const look = () => {
        const kernel = context.session?.kernel;
        if (!kernel) return;
        context.kernelChanged.disconnect(look);
        resolve(kernel);
      };
      context.kernelChanged.connect(look);
      look();
    });
  }

  private async open(kernel: Kernel, about: Opening): Promise<void> {
    const comm = kernel.createComm(TARGET);
    comm.onMsg = ({ content }) => this.hear(content.data as Event | VoteEvent);
    comm.onClose = () => this.comm === comm && this.lose("gone");
    // Beside the cells: it is heard while one runs.
    if (kernel.supportsSubshells) await within(SUBSHELL, comm.subshellStarted);
    const waiting = this.waiting;
    if (this.closed || !waiting) return comm.dispose();
    this.comm = comm;
    this.waiting = null;
    this.unfollow = follow(this.session, () => comm.commId, (lost) => this.tell(lost), TARGET);
    comm.open({ ...about });
    for (const message of waiting) comm.send(message);
  }

  private hear(event: Event | VoteEvent): void {
    if (event.type === "answer" && event.to === FORMS) {
      if (event.value) this.keep(event.value as Record<string, unknown>);
      return;
    }
    if (this.woken && event.type === "snapshot") this.live = event.comparison.live?.id ?? null;
    if (this.woken && (event.type === "figures" || event.type === "ended")) {
      clearTimeout(this.keeping);
      this.keeping = setTimeout(() => this.comm?.send({ type: "forms", ask: FORMS } satisfies Forms), SETTLED);
    }
    for (const listener of this.listeners) listener(event);
  }

  private lose(lost: Lost): void {
    this.comm = null;
    this.waiting = null;
    this.unfollow();
    this.tell(lost);
  }

  private tell(lost: Lost): void {
    if (lost === "gone" || lost === "dead") {
      this.comm = null; // its other end is no more
      this.unfollow();
    }
    for (const follower of this.followers) follower(lost);
  }

  private hangUp(): void {
    this.unfollow();
    clearTimeout(this.keeping);
    this.woken = false;
    this.waiting = null;
    const comm = this.comm;
    this.comm = null;
    try {
      comm?.close();
    } catch {
      // The kernel is gone already.
    }
  }
}
