import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/**
 * Who has the focus keeps it where the page changes: what is taken away (or can do nothing any more)
 * hands it to what stands nearest of `near` (a selector). Else the next key would be for the notebook.
 */
export function useFocusKept<Frame extends HTMLElement>(near: string) {
  const frame = useRef<Frame>(null);
  const last = useRef<{ node: Element; around: Element[] } | null>(null);
  useEffect(() => {
    const own = frame.current!;
    const entered = (event: Event) => {
      const node = event.target as Element;
      const around: Element[] = [];
      for (let one = node.parentElement; one && one !== own.parentElement; one = one.parentElement) around.push(one);
      last.current = { node, around };
    };
    const left = (event: Event) =>
      setTimeout(() => {
        const there = last.current?.node === event.target && usable(event.target as Element);
        if (there && !(event.target as Element).matches(":focus")) last.current = null;
      });
    own.addEventListener("focusin", entered);
    own.addEventListener("focusout", left);
    return () => {
      own.removeEventListener("focusin", entered);
      own.removeEventListener("focusout", left);
    };
  }, []);
  useLayoutEffect(() => {
    const was = last.current;
    const root = frame.current?.getRootNode() as ShadowRoot | undefined;
    if (!was || !root || usable(was.node)) return;
    last.current = null;
    const elsewhere = document.activeElement && ![document.body, root.host].includes(document.activeElement as HTMLElement);
    if (elsewhere || (root.activeElement && root.activeElement !== was.node)) return;
    for (const place of was.around) {
      const next = place.isConnected && (place.querySelector<HTMLElement>(near) ?? (place.matches("[tabindex]") && (place as HTMLElement)));
      if (next) return next.focus({ preventScroll: true });
    }
  });
  return frame;
}

const usable = (node: Element): boolean => node.isConnected && !node.matches(":disabled");
