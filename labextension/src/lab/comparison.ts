// What the extension loads for the first comparison of a page.

import { make } from "../compare/element";
import type { Comparison } from "../compare/protocol";
import { Store } from "../compare/store";
import { LabHost } from "./host";
import type { SessionContext } from "./jupyter";

/** A comparison in an output. */
export class View {
  private host: LabHost;
  private store: Store;

  constructor(place: HTMLElement, shown: Comparison, session: SessionContext | undefined) {
    this.host = new LabHost(session, `${shown.name} ${shown.asked}`);
    this.host.turn(shown.live?.id ?? null);
    this.store = new Store(this.host, shown);
    place.append(make(this.store));
  }

  /** The output was updated. */
  load(shown: Comparison): void {
    this.host.turn(shown.live?.id ?? null);
    this.store.load(shown);
  }

  close(): void {
    this.store.close();
    this.host.close();
  }
}
