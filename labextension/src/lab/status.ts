// What the extension loads for the status bar, a while after the page has begun.

import { makeStatus } from "../manager/element";
import { liveOf } from "../manager/live";
import { Store } from "../manager/store";
import type { Server } from "./server";

/** Show in `place` what models do; `manage` opens the model manager. */
export function show(place: HTMLElement, server: Server, manage: () => void): void {
  const store = new Store(server, liveOf(server));
  store.wake();
  place.append(makeStatus(store, manage));
}
