// What a comparison, or a blind vote, needs of the place where it is shown. The widget, the renderer
// of JupyterLab and a saved page each bring their own.
//
//     const store = new Store(host, comparison);       // or null: the kernel's snapshot brings it
//     place.append(make(store));                       // <jan-comparison>
//     store.load(comparison);                          // the output was updated
//     store.close();                                   // it is taken away for good
//
// and for a vote `new Ballots(host)` and `makeVote(ballots)`.

import type { Lost, Parts } from "../host";
import type { Action, Event, Queries, VoteAction, VoteEvent } from "./protocol";

export type { Lost, Parts };

export type Outgoing =
  | Action
  | VoteAction
  | ({ ask: number } & { type: keyof Queries } & Record<string, unknown>)
  | { type: "part"; ask: number; name: keyof Parts };

export interface Host {
  /** What `hello` says. `page`: there is no kernel, and nothing is ever sent. */
  readonly name: "widget" | "lab" | "page";
  /** Say something to the kernel; raises where it is known that nobody hears it. */
  send(message: Outgoing): void;
  /** Hear what the kernel says; gives the way to stop it. */
  listen(listener: (event: Event | VoteEvent) => void): () => void;
  /** Hear what becomes of the kernel, where that can be known; `""` is well. */
  follow(listener: (lost: Lost) => void): () => void;
  /**
   * A part that is loaded at its first use. Who has it in no file of their own asks the kernel:
   * `ask` gives the source of its module.
   */
  part<Name extends keyof Parts>(name: Name, ask: () => Promise<string>): Promise<Parts[Name]>;
  /**
   * Have the kernel that runs now go on with a run of that name, which was saved: it is heard from
   * then on. Raises what is in the way. Missing where a place has no way to a kernel of its own.
   */
  wake?(run: string): Promise<void>;
  /**
   * How it is looked at (the tab, filters …), as a text that is only for us; empty: nothing yet.
   * It outlives a reload of the page, and a save where there is a place for it.
   */
  view: string;
}
