import { createContext } from "preact";
import { useContext, useLayoutEffect, useState } from "preact/hooks";
import type { Place } from "./place";
import type { Store } from "./store";

export interface Looking {
  place: Place;
  /** Say something to a screen reader. */
  say(text: string): void;
}

export const LookingContext = createContext<Looking>(null as unknown as Looking);

export const useLooking = (): Looking => useContext(LookingContext);

/** A new drawing whenever the store changes. */
export function useDrawn(store: Store): void {
  const [, draw] = useState(0);
  // Before anything else can happen: an effect would listen a frame later, and miss what came.
  useLayoutEffect(() => store.watch(() => draw((n) => n + 1)), [store]);
}
