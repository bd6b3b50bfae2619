// What the chat needs of the place where it is shown: a way to whoever answers (a kernel, or a
// server), and a notebook if there is one. The widget and the JupyterLab extension each bring their own.

import type { Action, Context, Event, Queries } from "./protocol";
import type { highlighter } from "./code/index";
import type { mathml } from "./math";
import type { Command } from "./ui/commands";

export type Outgoing = Action | ({ ask: number } & { type: keyof Queries } & Record<string, unknown>);

export interface Parts {
  code: { highlighter: typeof highlighter };
  math: { mathml: typeof mathml };
}

/**
 * `away`: the connection is being made again; `dead`: nobody is at its other end; `gone`: who was there
 * is another now, and knows nothing of this panel any more.
 */
export type Lost = "" | "away" | "dead" | "gone";

/** What is said of whoever answers: a kernel, or a server. */
export interface Words {
  connecting: string;
  /** What helps if that takes long. */
  slow: string;
  /** Why a message waits: for the connection, for what was asked before, for one that is busy, or that does not answer. */
  waiting: Record<"away" | "open" | "busy" | "idle", string>;
  lost: Record<Exclude<Lost, "">, string>;
  /** What `@` brings along here. */
  brings: string;
}

type Candidate = Queries["complete"]["answer"][number];

/** What the `@…` of a question stand for. */
export interface Found {
  /** `cut`: how many characters were left out already. */
  context: (Context & { cut?: number })[];
  /** Pictures, as `data:` addresses. */
  images: string[];
  /** A line about each that is known, and cannot be brought along now. */
  missing: string[];
}

/** A place that finds out by itself what the `@…` of a question stand for. */
export interface References {
  resolve(text: string): Promise<Found>;
  /** What may stand for one that has begun with `text` (`@…`), and why there is not more. */
  complete(text: string): Promise<{ candidates: Candidate[]; note: string }>;
}

/** Code in the place of a cell's: seen first, then taken or not. */
export interface Proposal {
  /** Which cell. */
  title: string;
  before: string;
  after: string;
  /** Take it; what is in the way, if something is. */
  accept(): string;
  /** Go back to where it was asked for. */
  refuse(): void;
}

/** A cell that a question is about. */
export interface Target {
  path: string;
  cell: string;
}

export interface Host {
  /** Tell what becomes of whoever answers, where that can be known. */
  follow(listener: (lost: Lost) => void): () => void;
  /** Whether who answers is known to have nothing else to do. */
  readonly idle: boolean;
  readonly words: Words;
  /** Without it, who answers knows what the `@…` stand for. */
  readonly references?: References;
  /** Propose code for the cell that a question was about (by its turn), else the one in use; a text says why not. */
  replace?(code: string, question: string): Promise<Proposal | string | null>;
  /** That question, by its turn, is about a cell. */
  about?(question: string, target: Target): void;
  /** What else may be typed after a slash here. */
  readonly commands?: readonly Command[];
  /** Show where models come from. */
  getModels?(): void;
  send(message: Outgoing): void;
  /** What was being typed in this place: kept over a new page, and whoever answers next. */
  draft: string;
  listen(listener: (event: Event) => void): () => void;
  /** A part that is loaded at its first use. */
  part<Name extends keyof Parts>(name: Name, ask: Asker): Promise<Parts[Name]>;
  /**
   * Insert code as a new cell below the one in which `element` stands, or which is in use; the user
   * runs it. `answer`: the turn that it is from. Returns whether there was a notebook to insert it into.
   */
  insertCell(element: Element, code: string, answer?: string): boolean;
  /** A button that runs the cell in which `element` stands; `null` where a page has no sound way. */
  runButton(element: Element): HTMLButtonElement | null;
  /** Put what a notebook without a kernel shows into the notebook, if there is one. */
  save(data: Record<string, unknown>, thread: string): void;
}

export type Asker = <Name extends keyof Queries>(
  type: Name,
  question: Queries[Name]["question"],
) => Promise<Queries[Name]["answer"]>;
