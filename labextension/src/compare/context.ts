import { createContext } from "preact";
import { useContext, useLayoutEffect, useState } from "preact/hooks";
import type { Comparison } from "./protocol";
import type { Store } from "./store";

export interface Looking {
  store: Store;
  /** Say something to a screen reader. */
  say(text: string): void;
}

export const LookingContext = createContext<Looking>(null as unknown as Looking);

export const useLooking = (): Looking => useContext(LookingContext);

/** The store, and a new drawing whenever it changes. */
export function useStore(): Store & { comparison: Comparison } {
  const { store } = useLooking();
  useDrawn(store);
  return store as Store & { comparison: Comparison };
}

export function useDrawn(source: { watch(watcher: () => void): () => void }): void {
  const [, draw] = useState(0);
  // Before anything else can happen: an effect would listen a frame later, and miss what came.
  useLayoutEffect(() => source.watch(() => draw((n) => n + 1)), [source]);
}
