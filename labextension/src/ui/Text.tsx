import { useLayoutEffect, useRef } from "preact/hooks";
import { MarkdownView } from "../markdown/view";
import type { Turn } from "../protocol";
import { useChat } from "./context";
import { drawSoon, forget } from "./frames";
import { paintersOf } from "./painters";
import { Sentences } from "./sentences";

/**
 * A turn's text (or reasoning), drawn as it comes, outside of the components: a delta costs its
 * block, not the conversation.
 */
export function Text({ id, field, speak }: { id: string; field: "text" | "reasoning"; speak?: boolean }) {
  const { session, say } = useChat();
  const node = useRef<HTMLDivElement>(null);
  const redraw = useRef(() => {});
  useLayoutEffect(() => {
    const view = new MarkdownView(node.current!, paintersOf(session));
    const sentences = speak ? new Sentences(say, session.turns.get(id)?.[field] ?? "") : null;
    const draw = () => {
      const turn: Turn | undefined = session.turns.get(id);
      if (!turn) return;
      const done = turn.status !== "writing";
      view.update(turn[field], done);
      sentences?.feed(turn[field], done);
    };
    const soon = () => {
      if (session.turns.get(id)?.status === "writing") return drawSoon(draw);
      forget(draw); // the end is shown at once, with all that tells of it
      draw();
    };
    redraw.current = soon;
    draw();
    const stop = session.read(id, soon);
    return () => {
      stop();
      forget(draw);
    };
  }, [session, id, field]);
  useLayoutEffect(() => redraw.current());
  return <div class="md" ref={node} />;
}
