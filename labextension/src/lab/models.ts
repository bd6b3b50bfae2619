// What the extension loads when the model manager is opened for the first time.

import { makeModels } from "../manager/element";
import { liveOf } from "../manager/live";
import { Store, type Tab } from "../manager/store";
import type { Server } from "./server";

export { type Tab } from "../manager/store";

/** The manager, in `place`. */
export class Manager {
  private readonly store: Store;
  private readonly shown: HTMLElement;

  constructor(place: HTMLElement, server: Server, tab: Tab) {
    this.store = new Store(server, liveOf(server));
    this.shown = makeModels(this.store);
    place.append(this.shown);
    this.wake();
    this.store.open(tab);
  }

  wake(): void {
    this.store.wake();
  }

  /** It was closed, and may be opened again. */
  rest(): void {
    this.store.rest();
  }

  open(tab: Tab): void {
    this.store.open(tab);
  }

  focus(): void {
    this.shown.shadowRoot?.querySelector<HTMLElement>("[role=tab][tabindex='0']")?.focus();
  }
}
