// What the chat needs of the place where it is shown: a way to the kernel, and a notebook if there
// is one. The widget and the JupyterLab extension each bring their own.

import type { Action, Event, Queries } from "./protocol";
import type { highlighter } from "./code/index";
import type { mathml } from "./math";

export type Outgoing = Action | ({ ask: number } & { type: keyof Queries } & Record<string, unknown>);

export interface Parts {
  code: { highlighter: typeof highlighter };
  math: { mathml: typeof mathml };
}

/**
 * `away`: the connection is being made again; `dead`: the kernel has died; `gone`: it was restarted
 * or changed, and knows nothing of this panel any more.
 */
export type Lost = "" | "away" | "dead" | "gone";

export interface Host {
  /** Tell what becomes of the kernel, where that can be known. */
  follow(listener: (lost: Lost) => void): () => void;
  /** Whether the kernel is known to run no cell. */
  readonly idle: boolean;
  send(message: Outgoing): void;
  /** What was being typed in this place: kept over a new kernel and a new page. */
  draft: string;
  listen(listener: (event: Event) => void): () => void;
  /** A part that is loaded at its first use. */
  part<Name extends keyof Parts>(name: Name, ask: Asker): Promise<Parts[Name]>;
  /**
   * Insert code as a new cell below the one in which `element` stands; the user runs it.
   * Returns whether there was a notebook to insert it into.
   */
  insertCell(element: Element, code: string): boolean;
  /** A button that runs the cell in which `element` stands; `null` where a page has no sound way. */
  runButton(element: Element): HTMLButtonElement | null;
  /** Put what a notebook without a kernel shows into the notebook, if there is one. */
  save(data: Record<string, unknown>, thread: string): void;
}

export type Asker = <Name extends keyof Queries>(
  type: Name,
  question: Queries[Name]["question"],
) => Promise<Queries[Name]["answer"]>;
