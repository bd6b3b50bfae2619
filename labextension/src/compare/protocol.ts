// A comparison as a view gets it: the document, and what the kernel and a view say to each other
// while it is alive. The one place where it is written down; its other half is
// `jan_jupyter/compare/live/`.
//
// A view draws from the document alone: in a saved notebook and a saved page there is no more. With
// a kernel it says `hello`, is sent a `snapshot`, and then what has changed. Contestants and cases
// go by their places. Deltas are numbered; a number that is missing makes the view say `hello` again.

/** The MIME type of a document in a notebook's output. */
export const COMPARISON = "application/vnd.jan.comparison+json";

/** A number with what is known of its uncertainty. */
export interface Estimate {
  value: number;
  low: number | null;
  high: number | null;
  /** Prompts. */
  n: number;
  /** What low and high are, such as "95 %", "sd" (one standard deviation) or "half" (the middle half). */
  kind: string;
}

export interface Case {
  name: string;
  /** What was asked, the last question last. */
  messages: { role: string; text: string; images: number }[];
  expected: string | null;
  variables: Record<string, string>;
}

export interface Contestant {
  name: string;
  model: string;
  engine: string;
  /** What it has of its own, as a person writes it: "temperature=0.7". */
  own: string[];
}

/** Whose answer, to what, and which repeat of it. */
export type Call = [case_: number, contestant: number, repeat: number];

export interface Score {
  value: number | boolean | null;
  note: string;
}

/** Seconds; `null` where nobody knows. */
export interface Times {
  queue: number | null;
  load: number | null;
  first_token: number | null;
  prompt: number | null;
  decode: number | null;
  total: number | null;
  tokens_per_second: number | null;
  prompt_tokens_per_second: number | null;
}

/** A call that has ended. */
export interface Row {
  call: Call;
  /** `null`: too much for the document; a host with a kernel gives it (`texts`). */
  text: string | null;
  reasoning: string;
  /** One line; empty if the call succeeded. `text` is then what had come. */
  error: string;
  finish: string;
  cold: boolean;
  reused: boolean;
  /** Seconds since 1970. */
  at: number;
  cost: number | null;
  prompt_tokens: number | null;
  cached_tokens: number | null;
  tokens: number | null;
  times: Times;
  notes: string[];
  scores: Record<string, Score>;
}

/** What stands in the summary of a contestant. */
export interface Summary {
  answers: number;
  errors: number;
  missing: number;
  scores: Record<string, Estimate>;
  first_token: Estimate | null;
  /** Of one answer, without waiting and loading. */
  seconds: Estimate | null;
  /** Tokens a second. */
  speed: Estimate | null;
  /** Answers for which it had to be loaded, and the seconds of one load. */
  loads: number;
  loading: number | null;
  /** Answers that ended at their longest. */
  cut: number;
  tokens: number;
  cost: number | null;
  /** Of those prompts that were asked more than once (`repeated`), how many were answered alike. */
  stable: number;
  repeated: number;
}

/** What statistics say of a contestant against a baseline, by a scorer or a measure. */
export interface Verdict {
  contestant: number;
  baseline: number;
  scorer: string;
  /** "better", "worse", "same", "can't tell"; empty where nothing is known but means. */
  word: string;
  /** Of the difference, contestant - baseline. */
  estimate: Estimate | null;
  /** The whole sentence. */
  said: string;
}

/** A strength by votes, the strongest first. */
export interface Strength {
  contestant: number;
  value: number;
  low: number | null;
  high: number | null;
  word: string;
}

export interface Comparison {
  format: 1;
  /** Of the run that keeps it; empty: none does. */
  name: string;
  /** What was asked of whom, in a line. */
  asked: string;
  repeats: number;
  cases: Case[];
  contestants: Contestant[];
  scorers: string[];
  rows: Row[];
  summaries: Summary[];
  /** Against every baseline. */
  verdicts: Verdict[];
  strengths: Strength[];
  votes: number;
  /** Why not all was asked; empty if all was, or it goes on. */
  ended: string;
  /** One line of what the document leaves out, being too much; empty if nothing. */
  left_out: string;
  /** What a view may say `hello` to; `null`: nobody any more. */
  live: { id: string } | null;
}

/** One of the columns while it is asked. */
export interface State {
  /** waiting, loading, answering, done, stopped, failed */
  state: string;
  /** One line for people: what it waits for, or why it ended. */
  note: string;
  /** 0 … 1 while its model loads, where that is known. */
  progress: number | null;
  done: number;
  total: number;
}

export interface Progress {
  /** With those that failed, and those that had been asked before. */
  done: number;
  failed: number;
  reused: number;
  total: number;
  /** Expected seconds left; `null` before anybody can tell. */
  left: number | null;
}

/** An answer that is being written. */
export interface Writing {
  call: Call;
  text: string;
  reasoning: string;
  /** Seconds since 1970 of its first token, for the speed that is shown beside it. */
  since: number;
  /** Tokens that have come, as far as they can be counted. */
  tokens: number;
}

/**
 * With what the Lab's renderer opens its comm `jan.comparison`: for one that is alive (its widget's
 * comm has that id), or to go on with a run that is kept. A kernel that has not heard of comparisons
 * is told by `jan_jupyter.panel.comparison.listen()` before the latter.
 */
export type Opening = { id: string } | { run: string };

/** What it then asks for when all has settled: every form of the output, by its type. */
export type Forms = { type: "forms"; ask: number };

/** From the kernel. */
export type Event =
  | { type: "snapshot"; comparison: Comparison; running: boolean; progress: Progress | null;
      states: State[]; writing: Writing[]; seq: number }
  /**
   * Pieces of answers under way, of all columns together, 25 times a second at most. `seq` is one
   * more than the last, or the snapshot's; `tokens` are all of that answer so far, as in `Writing`.
   * The first piece of a call that is not known yet begins its answer; so does one that comes
   * `anew`, when the call is asked again, or its next turn: what was written before is gone.
   */
  | { type: "deltas"; seq: number;
      deltas: { call: Call; text: string; reasoning: string; tokens: number; anew?: true }[] }
  /** Answers that have ended; each takes the place of what was being written. */
  | { type: "rows"; rows: Row[] }
  | { type: "progress"; progress: Progress; states: State[] }
  | { type: "figures"; summaries: Summary[]; verdicts: Verdict[]; strengths: Strength[];
      scorers: string[]; votes: number }
  | { type: "ended"; ended: string }
  | { type: "answer"; to: number; value?: unknown; error?: string };

/** To the kernel. */
export type Action =
  | { type: "hello"; host: "widget" | "lab" }
  /** Stop one contestant, or all. */
  | { type: "stop"; contestant: number | null }
  /** Ask again what failed and what is missing. */
  | { type: "retry" };

/** To the kernel, with an answer. */
export interface Queries {
  /** Answers that the document leaves out. */
  texts: { question: { calls: Call[] }; answer: string[] };
  /** The exact request of a call, as JSON with its secrets masked. */
  request: { question: { call: Call }; answer: string };
}

// Blind votes: an output of their own, which is told of no names before somebody has voted.

/** Two answers to one prompt, in an order that was drawn. `pair` tells nothing of whose they are. */
export interface Pair {
  pair: string;
  messages: { role: string; text: string; images: number }[];
  /** Of one length of time: both are whole. */
  answers: [string, string];
}

export type Choice = "left" | "right" | "tie" | "both_bad";

export interface Voted {
  pair: string;
  choice: Choice;
  note: string;
  /** Who they were. */
  names: [string, string];
}

export type VoteEvent =
  | { type: "ballot"; pair: Pair | null; done: number; total: number; last: Voted | null;
      strengths: Strength[]; names: string[]; notice: string };

export type VoteAction =
  | { type: "hello"; host: "widget" | "lab" }
  | { type: "vote"; pair: string; choice: Choice; note: string }
  | { type: "skip"; pair: string }
  | { type: "undo" };
