import { useRef, useState } from "preact/hooks";
import { act } from "../ui/act";
import { CopyButton } from "../ui/CopyButton";
import { Grown } from "../ui/Grown";
import { Icon, IconButton } from "../ui/icons";
import { Marked } from "../ui/Marked";
import { About } from "./About";
import { Compare } from "./Compare";
import { LookingContext, useDrawn, useLooking } from "./context";
import type { Continued, Deeds } from "./place";
import { plainText } from "./plain";
import type { Answer, Failure } from "./protocol";
import type { Store } from "./store";
import { t } from "../words";

/** What is opened below an answer. */
type Opened = "" | "about" | "compare";

/** An answer in an output, or several to one question. */
export function ReplyView({ store }: { store: Store }) {
  useDrawn(store);
  const [said, setSaid] = useState("");
  const began = useRef(store.reply.status);
  const { reply, place } = store;
  const writing = reply.status === "writing";
  const click = (event: MouseEvent) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-act]");
    if (button) act(button, setSaid, (code) => place.insert(code));
  };
  return (
    <LookingContext.Provider value={{ place, say: setSaid }}>
      <article
        class="reply"
        data-status={reply.status}
        aria-label={answerOf(reply.model)}
        aria-busy={writing}
        onClick={click}
      >
        {reply.answers.map((answer, at) => (
          <Said key={at} store={store} at={at} answer={answer} several={reply.answers.length > 1} />
        ))}
        {writing && !reply.answers.some(({ text }) => text) && <Waiting wait={reply.wait} />}
        {reply.failure && <Failed failure={reply.failure} isNews={began.current === "writing"} />}
        {!writing && <Under store={store} />}
      </article>
      <div class="spoken" aria-live="polite">
        {said}
      </div>
    </LookingContext.Provider>
  );
}

function Said({ store, at, answer, several }: { store: Store; at: number; answer: Answer; several: boolean }) {
  const { place, say } = useLooking();
  const reveal = store.reveals[at]!;
  return (
    <section aria-label={several ? t("Answer %1", at + 1) : undefined}>
      {several && (
        <h4 class="number">
          {t("Answer %1", at + 1)}
          {answer.ended && <small> · {answer.ended}</small>}
        </h4>
      )}
      {answer.reasoning && <Reasoning text={answer.reasoning} />}
      <Grown
        source={place.source}
        text={() => reveal.value}
        read={(reader) => reveal.read(reader)}
        say={at ? null : say}
      />
    </section>
  );
}

function Waiting({ wait }: { wait: string }) {
  return (
    <div class="waiting" role="status">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {wait || t("Waiting for the first word …")}
    </div>
  );
}

export function Reasoning({ text }: { text: string }) {
  const { place } = useLooking();
  const [open, setOpen] = useState(false);
  const words = text.trim().split(/\s+/).length;
  return (
    <div class="reasoning">
      <button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "down" : "right"} />
        {words === 1 ? t("Reasoning, 1 word") : t("Reasoning, %1 words", words.toLocaleString("en"))}
      </button>
      {open && <Grown source={place.source} text={() => ({ text, done: true })} read={() => () => {}} say={null} />}
    </div>
  );
}

function Failed({ failure, isNews }: { failure: Failure; isNews: boolean }) {
  const { again } = useLooking().place.deeds();
  return (
    <div class="error-card" role={isNews ? "alert" : "group"} aria-label={failure.title}>
      <Icon name="warn" />
      <div>
        <strong>{failure.title}</strong>
        {failure.message && (
          <p>
            <Marked text={failure.message} />
          </p>
        )}
        {again && (
          <div class="buttons">
            <button type="button" onClick={again}>
              {t("Run the cell again")}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}

/** Below an answer: its figures, and what can be done with it. */
function Under({ store }: { store: Store }) {
  const { place, say } = useLooking();
  const [opened, setOpened] = useState<Opened>("");
  const buttons = useRef<HTMLDivElement>(null);
  const { reply } = store;
  const deeds = place.deeds();
  const markdown = () => reply.answers.map((_, at) => store.markdown(at)).join("\n\n");
  const toggle = (name: Opened) => setOpened(opened === name ? "" : name);
  const close = () => {
    buttons.current?.querySelector<HTMLElement>("[aria-expanded='true']")?.focus();
    setOpened("");
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !opened) return;
    event.stopPropagation();
    close();
  };
  return (
    <footer onKeyDown={escape}>
      <div class="under">
        <div class="footer">
          {reply.footer.map((part, index) => (
            <span key={index}>{part}</span>
          ))}
        </div>
        <div class="actions" ref={buttons} role="group" aria-label={t("What to do with this answer")}>
          {reply.answers.length > 0 && (
            <>
              <CopyButton text={() => plain(reply.answers, markdown())} label={t("Copy as text")} say={say} />
              <CopyButton text={markdown} label={t("Copy as Markdown")} icon="markdown" say={say} />
            </>
          )}
          <IconButton icon="about" label={t("How it came about")} expanded={opened === "about"} onClick={() => toggle("about")} />
          {canCompare(store, deeds) && (
            <IconButton icon="columns" label={t("Compare with …")} expanded={opened === "compare"} onClick={() => toggle("compare")} />
          )}
          {deeds.open && reply.answers.length > 0 && (
            <IconButton icon="panel" label={t("Continue in the panel")} onClick={() => deeds.open!(continued(store))} />
          )}
        </div>
      </div>
      {opened === "about" && <About reply={reply} />}
      {opened === "compare" && <Compare reply={reply} onDone={close} />}
    </footer>
  );
}

export const answerOf = (model: string) => (model ? t("Answer of %1", model) : t("Answer of a model"));

/** Others are asked what a whole answer answers. */
function canCompare({ reply }: Store, { run, models }: Deeds): boolean {
  return Boolean(run && models && reply.name && reply.status === "done");
}

function plain(answers: Answer[], markdown: string): string {
  const [first] = answers;
  return answers.length === 1 && first!.language !== null ? first!.text : plainText(markdown);
}

function continued({ reply, place }: Store): Continued {
  if (reply.thread) return { thread: reply.thread };
  const question = place.question();
  const messages = [
    { role: "user" as const, content: question },
    { role: "assistant" as const, content: reply.answers[0]?.text ?? "" },
  ];
  return { messages: messages.filter(({ content }) => content), model: reply.model };
}
