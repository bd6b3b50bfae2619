// What a view of an output needs of where it stands: `labextension/src/lab/reply.ts` has that of
// JupyterLab.

import type { Source } from "../ui/painters";

export interface ModelName {
  /** As it is written in a cell. */
  id: string;
  name: string;
  engine: string;
}

/** What a side panel is opened with. */
export type Continued =
  | { thread: string }
  | { messages: { role: "user" | "assistant"; content: string }[]; model?: string };

/** What can be done here, now; what cannot is not there. */
export interface Deeds {
  /** Run the cell that the output belongs to. */
  again?(): void;
  /** Insert a line as a cell below, and run it. */
  run?(line: string): void;
  /** The models that are ready. */
  models?(): Promise<ModelName[]>;
  /** Go on in the side panel. */
  open?(about: Continued): void;
}

export interface Place {
  source: Source;
  /** Insert code as a cell below; whether there was a place for it. The user runs it. */
  insert(code: string): boolean;
  deeds(): Deeds;
  /** What was asked, as its cell has it; empty where that is not known. */
  question(): string;
}
