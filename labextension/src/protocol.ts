// What the front end and the kernel say to each other: the one place where it is written down.
// Its other half is `jan_jupyter/conversation/protocol.py`.
//
// The kernel holds the conversation; a view shows it. `hello` is answered by a `snapshot`, so a page
// that was reloaded, or a second view, begins where the conversation is. Later changes come as
// `state` (some fields), `message` (one turn, whole) and, while an answer is being written, `delta`
// (what has come since, 25 a second at most, numbered). A number that is missing makes the front end
// ask for the turn again (`resync`). Each answer ends with a `message` that holds its full text.
//
// What was typed (`send`, `edit`) has a key. It is told again with every snapshot that does not have
// the key among those that stand (`sent`), so nothing is lost where a connection is cut; the kernel
// does what has a key once.

export type Level = "request" | "thread" | "assistant" | "model" | "engine" | "default";

export interface ModelRow {
  id: string;
  name: string;
  engine: string;
  /** ready, not-running, loaded, loading, answering, needs-key, not-downloaded, missing-file, broken, failed */
  state: string;
  /** One line for people: why it cannot be used, or what is going on. */
  note: string;
  /** 0 … 1 while it loads, where that is known. */
  progress: number | null;
  /** Whether it runs on this machine, be it in another program. */
  local: boolean;
  vision: boolean;
  /** Whether it thinks before it answers. */
  reasoning: boolean;
  /** Tokens that question and answer share, where a setting says it. */
  context: number | null;
  /** Bytes of its file. */
  size: number | null;
  usable: boolean;
}

export interface SettingRow {
  name: string;
  /** What people call it; its technical name stands beside. */
  title: string;
  kind: "parameter" | "setting";
  type: "number" | "integer" | "text" | "flag" | "list";
  help: string;
  min: number | null;
  max: number | null;
  step: number | null;
  value: unknown;
  level: Level;
  /** What would hold without the thread's own value. */
  below: { value: unknown; level: Level };
}

export interface ErrorCard {
  /** What happened, in one or two words. */
  title: string;
  /** The whole line, with how to mend it. */
  message: string;
  /** What a click may do about it. */
  mend: "retry" | "model" | "settings" | "";
}

/** Something of the notebook that goes with a question. */
export interface Context {
  label: string;
  text: string;
}

/** The same, as it will go. */
export interface Brought {
  label: string;
  /** Cut where it is too long, and then it says so at its end. */
  text: string;
  /** About so many. */
  tokens: number;
  /** How many characters were left out. */
  cut: number;
}

/** The request that a draft would make. */
export interface Preview {
  /** Exactly as it would be sent, as JSON; what stands in pictures is left out. */
  request: string;
  /** All of it: what was said before, the draft, and what goes with it. */
  tokens: number;
  /** Whether the model itself has counted them: it does while it is in memory. Else: about so many. */
  counted: boolean;
  /** Tokens that question and answer share, where that is known. */
  length: number | null;
  context: Brought[];
}

export interface Turn {
  id: string;
  role: "system" | "user" | "assistant" | "tool";
  text: string;
  reasoning: string;
  images: string[];
  context: Context[];
  /** `unasked`: the place of a column that a question was not put to. */
  status: "done" | "writing" | "stopped" | "error" | "interrupted" | "unasked";
  /** What is being waited for, while nothing has come. */
  wait: string;
  model: string;
  engine: string;
  /** Tokens, speed, time to the first token … */
  footer: string[];
  /** Whether it was cut at its longest length, and may be continued. */
  cut: boolean;
  error: ErrorCard | null;
  /** All turns that stand at this place; this one among them. */
  versions: string[];
  /** Answers to one question that stand side by side, a place for each column. Of a question that
   * was put to columns: itself. */
  columns: string[];
  /** The column that it stands in, if there are several. */
  column: string;
  /** Whether its versions are of several models, and may be put side by side again. */
  compared: boolean;
  /** The last delta that `text` and `reasoning` contain. */
  seq: number;
}

/** One of several models that go on side by side, each with its own history. */
export interface ColumnRow {
  name: string;
  model: string;
  /** Whether the next question is for it. */
  next: boolean;
  /** Whether it has not answered all that it was asked, or that the longest one was asked since. */
  behind: boolean;
}

export interface ThreadRow {
  id: string;
  title: string;
  /** Seconds since 1970. */
  updated: number | null;
  excerpt: string;
  own: boolean;
  state: string;
  reason: string;
}

export interface State {
  thread: { id: string; title: string } | null;
  /** Grows whenever a thread has been renamed or removed here: a list of them is out of date. */
  threads: number;
  model: string;
  models: ModelRow[];
  /** Further models that answer the next question beside `model`, or the columns that do. */
  compare: string[];
  /** The columns, from left to right; none: there is one conversation. */
  columns: ColumnRow[];
  assistant: string;
  assistants: { id: string; name: string; description: string }[];
  instructions: string;
  settings: SettingRow[];
  /** A load setting has changed since the model was loaded. */
  reload: boolean;
  /** The turns that are shown, oldest first. */
  path: string[];
  /** The last texts of front ends (their keys) that stand in the thread. */
  sent: string[];
  /** One line about something that went wrong outside an answer. */
  notice: string;
}

export const EMPTY: State = {
  thread: null,
  threads: 0,
  model: "",
  models: [],
  compare: [],
  columns: [],
  assistant: "",
  assistants: [],
  instructions: "",
  settings: [],
  reload: false,
  path: [],
  sent: [],
  notice: "",
};

/** From the kernel. */
export type Event =
  | { type: "snapshot"; state: State; turns: Turn[]; version?: string }
  | { type: "state"; state: Partial<State> }
  | { type: "message"; turn: Turn }
  | { type: "delta"; id: string; seq: number; text?: string; reasoning?: string }
  /** What was sent could not be taken (a notice says why): it goes back to where it was written. */
  | { type: "refused"; key: string }
  | { type: "wait"; id: string; wait: string }
  /** What the notebook's file is to show of the conversation, by MIME type. */
  | { type: "saved"; data: Record<string, unknown>; thread: string }
  | { type: "answer"; to: number; value?: unknown; error?: string };

/** To the kernel. */
export type Action =
  | { type: "hello" }
  /** Pictures are `data:` addresses. `context` is what the page has found by itself, beside what the
   * `@…` of the text stand for where the kernel knows. */
  | { type: "send"; text: string; images: string[]; context?: Context[]; key: string }
  | { type: "stop"; id?: string }
  | { type: "regenerate"; id: string; model?: string }
  /** Pictures that are left out stay; so does what went with the question, as far as it is named. */
  | { type: "edit"; id: string; text: string; images?: string[]; context?: Context[]; key: string }
  | { type: "columns"; id: string }
  | { type: "version"; id: string }
  | { type: "keep"; id: string }
  /** Whether the next question is for a column. */
  | { type: "next"; column: string; on: boolean }
  /** Let a column answer what it has not, and what the others were asked since. */
  | { type: "catch_up"; column: string }
  | { type: "delete"; id: string }
  | { type: "continue"; id: string }
  | { type: "model"; model: string }
  | { type: "compare"; models: string[] }
  /** One model more or less beside it: two clicks may come before the kernel has said a word. */
  | { type: "beside"; model: string; on: boolean }
  | { type: "load"; model: string }
  | { type: "unload"; model: string }
  | { type: "set"; kind: "parameter" | "setting"; name: string; value: unknown }
  | { type: "instructions"; text: string }
  | { type: "assistant"; id: string }
  | { type: "thread"; id: string }
  | { type: "rename"; id: string; title: string }
  | { type: "remove"; id: string }
  | { type: "dismiss" }
  | { type: "resync"; id: string };

/** To the kernel, with an answer: the value of each is what it is answered with. */
export interface Queries {
  /** Threads whose title or text holds a pattern. */
  threads: { question: { pattern: string }; answer: ThreadRow[] };
  /** What may stand at the end of a draft: variables, cells, files. */
  complete: { question: { text: string }; answer: { insert: string; label: string; detail: string }[] };
  /** The exact request that a draft would make. Of pictures the number is enough. */
  preview: { question: { text: string; images: number; context?: Context[] }; answer: Preview };
  /** The conversation as a text. */
  export: { question: { format: "markdown" | "jsonl" | "ipynb" }; answer: { name: string; text: string } };
  /** The source of a part that is loaded at its first use. */
  part: { question: { name: "code" | "math" }; answer: string };
}
