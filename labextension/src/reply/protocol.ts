// The forms of an answer and of a conversation that stand in outputs: `jan_jupyter/output_forms.py`
// has the other half. A notebook may come from anybody, so whatever stands there is looked at here
// before it is drawn: what is not of the right kind is as if it were not there.

export const REPLY = "application/vnd.jan.reply+json";
export const CONVERSATION = "application/vnd.jan.conversation+json";

export type Status = "writing" | "done" | "stopped" | "error";

export interface Answer {
  text: string;
  reasoning: string;
  /** Why it ended early, of one of several. */
  ended: string;
  cut: boolean;
  /** It is code alone, of that language; `null`: it is Markdown. */
  language: string | null;
}

export interface Failure {
  title: string;
  /** Empty where the cell's own output tells it. */
  message: string;
  mend: string;
}

/** An answer, or several to one question, as an output holds it. */
export interface Reply {
  status: Status;
  model: string;
  engine: string;
  /** What is awaited, while there is no text. */
  wait: string;
  answers: Answer[];
  footer: string[];
  failure: Failure | null;
  provenance: Record<string, unknown>;
  /** Id of the thread that keeps it. */
  thread: string;
  /** By which the kernel that gave it knows it. */
  name: string;
}

export interface Turn {
  role: "user" | "assistant";
  text: string;
  context: string[];
  images: number;
  model: string;
  footer: string[];
  reasoning: string;
  error: string;
}

export interface Conversation {
  panel: string;
  thread: string;
  title: string;
  turns: Turn[];
}

/** What an output holds, by its MIME types. */
export type Data = Record<string, unknown>;

export function replyIn(data: Data): Reply {
  const form = mapping(data[REPLY]);
  const plain = text(data["text/plain"]);
  const status = (["writing", "stopped", "error"] as const).find((one) => one === form.status) ?? "done";
  const wait = text(form.wait);
  const parts = Array.isArray(form.parts) ? form.parts.map(mapping) : wait ? [] : [{}];
  const failure = mapping(form.error);
  return {
    status,
    model: text(form.model),
    engine: text(form.engine),
    wait,
    answers: parts.slice(0, MOST).map((part) => answerIn(part, plain)),
    footer: texts(form.footer),
    failure: text(failure.title)
      ? { title: text(failure.title), message: text(failure.message), mend: text(failure.mend) }
      : null,
    provenance: mapping(form.provenance),
    thread: text(form.thread),
    name: /^[0-9a-f]{8}$/.test(text(form.name)) ? text(form.name) : "",
  };
}

export function conversationIn(data: Data): Conversation {
  const form = mapping(data[CONVERSATION]);
  const plain = text(data["text/plain"]);
  const turns = Array.isArray(form.turns) ? form.turns.map(mapping) : [];
  return {
    panel: /^[0-9a-f]{1,64}$/.test(text(form.panel)) ? text(form.panel) : "",
    thread: text(form.thread),
    title: text(form.title),
    turns: turns.map((turn) => ({
      role: turn.role === "user" ? "user" : "assistant",
      text: Array.isArray(turn.at) ? partOf(plain, turn.at) : "",
      context: texts(turn.context),
      images: typeof turn.images === "number" ? turn.images : 0,
      model: text(turn.model),
      footer: texts(turn.footer),
      reasoning: text(turn.reasoning),
      error: text(turn.error),
    })),
  };
}

/** So many answers are drawn of one output: more than anybody asks for. */
const MOST = 128;

function answerIn(part: Record<string, unknown>, plain: string): Answer {
  return {
    text: typeof part.text === "string" ? part.text : Array.isArray(part.at) ? partOf(plain, part.at) : plain,
    reasoning: text(part.reasoning),
    ended: text(part.ended),
    cut: part.cut === true,
    language: typeof part.language === "string" ? part.language : null,
  };
}

function partOf(plain: string, [from, to]: unknown[]): string {
  return typeof from === "number" && typeof to === "number" ? plain.slice(Math.max(0, from), Math.max(0, to)) : "";
}

function mapping(value: unknown): Record<string, unknown> {
  return value && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A text; a notebook's file may have it in lines. */
function text(value: unknown): string {
  if (Array.isArray(value)) return value.filter((line) => typeof line === "string").join("");
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
