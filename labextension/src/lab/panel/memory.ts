// What a window remembers of its panel: under which name the server has its conversation, which thread
// that shows, and which questions are about a cell. Two windows never share a name, which nobody can
// guess; a window that is new begins with the thread that its workspace had last in this browser (the
// server's own memory of a workspace is one for all of its users).

import type { Target } from "../../host";
import { kept, type Kept } from "../../kept";
/** Questions about a cell that are remembered. */
const MOST = 100;

interface Known {
  name: string;
  thread: string;
  targets: [string, Target][];
}

export class Memory {
  private constructor(
    private readonly kept: Kept,
    private readonly last: Kept,
    private known: Known,
  ) {}

  /** `place` tells servers of one origin apart. */
  static async open(place: string): Promise<Memory> {
    const store = kept(`jan-panel ${place}`);
    const last = kept(`jan-panel-thread ${workspace()} ${place}`, "localStorage");
    const known = read(store.text) ?? { name: "", thread: last.text, targets: [] };
    // A tab that was duplicated has a copy of what the other one remembers.
    if (!known.name || !(await isOurs(known.name))) {
      known.name = random();
      await isOurs(known.name);
    }
    const memory = new Memory(store, last, known);
    memory.keep();
    return memory;
  }

  get name(): string {
    return this.known.name;
  }

  get thread(): string {
    return this.known.thread;
  }

  set thread(thread: string) {
    if (thread === this.known.thread) return;
    this.known.thread = thread;
    this.keep();
    this.last.text = thread;
  }

  /** The cell that a question is about. */
  target(question: string): Target | undefined {
    return this.known.targets.find(([id]) => id === question)?.[1];
  }

  about(question: string, target: Target): void {
    this.known.targets = [...this.known.targets, [question, target] as [string, Target]].slice(-MOST);
    this.keep();
  }

  private keep(): void {
    this.kept.text = JSON.stringify(this.known);
  }
}

function read(text: string): Known | null {
  try {
    const known = JSON.parse(text) as Known;
    return known.name ? known : null;
  } catch {
    return null;
  }
}

/** Which arrangement of JupyterLab this is; empty where there are none. */
function workspace(): string {
  try {
    const config = document.getElementById("jupyter-config-data")?.textContent ?? "{}";
    return String((JSON.parse(config) as { workspace?: string }).workspace ?? "");
  } catch {
    return "";
  }
}

/** Whether no other window has that name; where a browser cannot tell, it is taken for ours. */
function isOurs(name: string): Promise<boolean> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = (lock: Lock | null) => {
      resolve(lock !== null);
      return lock ? new Promise<void>(() => {}) : undefined; // until the window closes
    };
    locks.request(`jan-panel ${name}`, { ifAvailable: true }, hold).catch(() => resolve(true));
  });
}

/** 128 bits. */
const random = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
