// What the extension loads for the first comparison of a page.

import type { Comparison } from "../compare/protocol";
import type { SessionContext } from "./jupyter";

/** A comparison in an output. */
export class View {
  constructor(
    private readonly place: HTMLElement,
    shown: Comparison,
    readonly session: () => SessionContext | undefined,
  ) {
    this.load(shown);
  }

  load(shown: Comparison): void {
    this.place.textContent = shown.asked;
  }

  close(): void {}
}
