// What the server tells pages of all models at once, over `events/socket`.
// Its other half is `jan_jupyter/lookout.py`.
//
// First comes a `snapshot`; later `state` with the fields that have changed, each whole, and `event`
// for what happens to a model. What is said to the server here is not heard.

/** A model that is in memory, in whichever process, or on its way into it. */
export interface InMemory {
  id: string;
  engine: string;
  /** loading, ready, answering */
  state: string;
  /** Bytes that it takes. */
  memory: number;
  /** 0 … 1 while it loads, where that is known. */
  progress: number | null;
  /** What is going on, for people. */
  message: string;
  /** How many answers it writes, for whomever. */
  answers: number;
}

/** An answer that the server is writing, of a remote model, too; it can be stopped there. */
export interface Generating {
  id: number;
  model: string;
  engine: string;
  kind: "chat" | "completion";
  /** Seconds since 1970. */
  since: number;
  /** Tokens that have come. */
  tokens: number;
}

/** A model that is being fetched, or of which a part is here. */
export interface Fetched {
  id: string;
  /** What goes on with it, as `model` of `POST pulls`. */
  source: string;
  /** Bytes that are here, and those of the files that have begun: 0, where nobody knows. */
  done: number;
  total: number;
  /** Whether somebody fetches it now, in whichever process. */
  active: boolean;
  /** For people: how fast it comes, or why it does no longer, where that is known. */
  message: string;
}

/** Bytes of the machine's memory. */
export interface Memory {
  free: number;
  total: number;
}

export interface Overview {
  models: InMemory[];
  generating: Generating[];
  pulls: Fetched[];
  memory: Memory;
}

/** What happens to a model. */
export interface ModelEvent {
  /** queued, downloading, loading, ready, reading, answering, unloading, unloaded, failed */
  state: string;
  model: string;
  engine?: string;
  /** 0 … 1, where it is known. */
  progress?: number;
  message?: string;
}

export type Told =
  | { type: "snapshot"; state: Overview }
  | { type: "state"; state: Partial<Overview> }
  | { type: "event"; event: ModelEvent };
