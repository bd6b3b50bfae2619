import { useLayoutEffect, useRef } from "preact/hooks";
import { MarkdownView } from "../markdown/view";
import { drawSoon, forget } from "./frames";
import { paintersOf, type Source } from "./painters";
import { Sentences } from "./sentences";

/**
 * A text that grows, drawn as it comes, outside of the components: a delta costs its block, not
 * all that is around it. What it is made with holds as long as it stands (`key`).
 */
export function Grown(props: {
  source: Source;
  /** All of it so far, and whether there will be no more; nothing: it is not known any more. */
  text(): { text: string; done: boolean } | undefined;
  /** Hear that it has grown. */
  read(reader: () => void): () => void;
  /** Read it out by the sentence. */
  say: ((text: string) => void) | null;
}) {
  const node = useRef<HTMLDivElement>(null);
  const now = useRef(props);
  now.current = props;
  const redraw = useRef(() => {});
  useLayoutEffect(() => {
    const view = new MarkdownView(node.current!, paintersOf(props.source));
    let sentences: Sentences | null = null;
    let before: { text: string; done: boolean } | null = null;
    const draw = () => {
      const shown = now.current.text();
      if (!shown) return;
      if (before?.text !== shown.text || before.done !== shown.done) view.update(shown.text, shown.done);
      before = shown;
      const { say } = now.current;
      if (!say) sentences = null;
      else if (!sentences) sentences = new Sentences(say, shown.text);
      else sentences.feed(shown.text, shown.done);
    };
    const soon = () => {
      if (now.current.text()?.done === false) return drawSoon(draw);
      forget(draw); // the end is shown at once, with all that tells of it
      draw();
    };
    redraw.current = soon;
    draw();
    const stop = props.read(soon);
    return () => {
      stop();
      forget(draw);
    };
  }, []);
  useLayoutEffect(() => redraw.current());
  return <div class="md" ref={node} />;
}
