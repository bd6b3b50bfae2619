// What is open beside the conversation: one place that knows, so that one thing closes another.

import { useState } from "preact/hooks";

export type Side = "threads" | "settings";
type Popup = "models" | "request" | "choices";

interface Open {
  side: Side | null;
  popup: Popup | null;
}

export interface Opened extends Open {
  /** Open it, and close what it would lie over or under. */
  open(name: Side | Popup): void;
  /** Close it, where it is open. */
  close(name: Side | Popup): void;
}

/** One side and one popup at most; where a side lies over the conversation, one of both. */
export function useOpened(root: HTMLElement): Opened {
  const [now, setNow] = useState<Open>({ side: null, popup: null });
  const change = (next: (before: Open) => Open) =>
    setNow((before) => {
      const { side, popup } = next(before);
      return side === before.side && popup === before.popup ? before : { side, popup };
    });
  return {
    ...now,
    open: (name) =>
      change(({ side }) =>
        name === "threads" || name === "settings"
          ? { side: name, popup: null }
          : { side: sideLiesOver(root) ? null : side, popup: name },
      ),
    close: (name) =>
      change(({ side, popup }) => ({
        side: side === name ? null : side,
        popup: popup === name ? null : popup,
      })),
  };
}

/** As the style sheet has it in narrow places. */
function sideLiesOver(root: HTMLElement): boolean {
  const side = root.shadowRoot?.querySelector(".side");
  return side ? getComputedStyle(side).position === "absolute" : false;
}
