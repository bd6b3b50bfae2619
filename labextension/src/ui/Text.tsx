import { useEffect, useRef } from "preact/hooks";
import { MarkdownView } from "../markdown/view";
import type { Turn } from "../protocol";
import { useChat } from "./context";
import { paintersOf } from "./painters";
import { Sentences } from "./sentences";

/** Milliseconds between two drawings of a text that grows. */
const INTERVAL = 33;

/**
 * A turn's text (or reasoning), drawn as it comes, outside of the components: a delta costs its
 * block, not the conversation. A drawing that took long is not repeated soon.
 */
export function Text({ id, field, speak }: { id: string; field: "text" | "reasoning"; speak?: boolean }) {
  const { session, say } = useChat();
  const node = useRef<HTMLDivElement>(null);
  const redraw = useRef(() => {});
  useEffect(() => {
    const view = new MarkdownView(node.current!, paintersOf(session));
    const sentences = speak ? new Sentences(say, session.turns.get(id)?.[field] ?? "") : null;
    let due = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const turn: Turn | undefined = session.turns.get(id);
      if (!turn) return;
      const began = performance.now();
      const done = turn.status !== "writing";
      view.update(turn[field], done);
      sentences?.feed(turn[field], done);
      due = performance.now() + Math.max(INTERVAL, 3 * (performance.now() - began));
    };
    const soon = () => {
      timer ??= setTimeout(() => requestAnimationFrame(draw), Math.max(0, due - performance.now()));
    };
    redraw.current = soon;
    draw();
    const stop = session.read(id, soon);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [session, id, field]);
  useEffect(() => redraw.current());
  return <div class="md" ref={node} />;
}
