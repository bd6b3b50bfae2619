import { createContext } from "preact";
import { useContext, useLayoutEffect, useState } from "preact/hooks";
import type { Store } from "./store";

export const StoreContext = createContext<Store | null>(null);

export const useStore = (): Store => useContext(StoreContext)!;

/** Draw again whenever it changes, once a frame. */
export function useChanges(watch: (watcher: () => void) => () => void): void {
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    let due = 0;
    const unwatch = watch(() => {
      due ||= requestAnimationFrame(() => {
        due = 0;
        draw((count) => count + 1);
      });
    });
    draw((count) => count + 1);
    return () => {
      cancelAnimationFrame(due);
      unwatch();
    };
  }, []);
}
