import { useEffect, useState } from "preact/hooks";
import { act } from "../ui/act";
import { CopyButton } from "../ui/CopyButton";
import { Grown } from "../ui/Grown";
import { Icon } from "../ui/icons";
import { LookingContext, useLooking } from "./context";
import { t } from "../words";
import type { Place } from "./place";
import { answerOf, Reasoning } from "./Reply";
import type { Conversation, Turn } from "./protocol";

/** So many turns are drawn at a time: a long conversation does not hold the page up. */
const AT_ONCE = 6;

/** A conversation that was saved: its turns, to be read. */
export function ConversationView({ conversation, place }: { conversation: Conversation; place: Place }) {
  const [said, setSaid] = useState("");
  const [drawn, setDrawn] = useState(AT_ONCE);
  const { turns, thread, title } = conversation;
  useEffect(() => {
    if (drawn >= turns.length) return;
    const timer = setTimeout(() => setDrawn(drawn + AT_ONCE));
    return () => clearTimeout(timer);
  }, [drawn, turns.length]);
  const { open } = place.deeds();
  const click = (event: MouseEvent) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-act]");
    if (button) act(button, setSaid, (code) => place.insert(code));
  };
  return (
    <LookingContext.Provider value={{ place, say: setSaid }}>
      <section class="conversation" aria-label={title ? t("Conversation: %1", title) : t("Conversation")} onClick={click}>
        <header>
          <h3>{title || t("Conversation")}</h3>
          {open && thread && (
            <button type="button" class="quiet-button" onClick={() => open({ thread })}>
              <Icon name="panel" />
              {t("Open in the panel")}
            </button>
          )}
        </header>
        {turns.slice(0, drawn).map((turn, at) => (
          <TurnView key={at} turn={turn} />
        ))}
        <p class="remark">{t("A saved conversation: run the cell to go on with it here.")}</p>
      </section>
      <div class="spoken" aria-live="polite">
        {said}
      </div>
    </LookingContext.Provider>
  );
}

function TurnView({ turn }: { turn: Turn }) {
  const { place, say } = useLooking();
  if (turn.role === "user") {
    return (
      <article class="turn user" aria-label={t("You")}>
        <div class="bubble">
          {turn.images > 0 && <p class="remark">{turn.images === 1 ? t("An image") : t("%1 images", turn.images)}</p>}
          <div class="said">{turn.text}</div>
          {turn.context.length > 0 && (
            <div class="labels">
              {turn.context.map((label, at) => (
                <code key={at}>{label}</code>
              ))}
            </div>
          )}
        </div>
      </article>
    );
  }
  return (
    <article class="turn assistant" aria-label={answerOf(turn.model)}>
      {turn.reasoning && <Reasoning text={turn.reasoning} />}
      {turn.text && (
        <Grown
          key={turn.text}
          source={place.source}
          text={() => ({ text: turn.text, done: true })}
          read={() => () => {}}
          say={null}
        />
      )}
      {turn.error && (
        <div class="error-card" role="group" aria-label={t("This was not answered")}>
          <Icon name="warn" />
          <div>
            <strong>{t("This was not answered")}</strong>
            <p>{turn.error}</p>
          </div>
        </div>
      )}
      <div class="under">
        <div class="footer">
          {[turn.model, ...turn.footer].filter(Boolean).map((part, at) => (
            <span key={at}>{part}</span>
          ))}
        </div>
        {turn.text && (
          <div class="actions">
            <CopyButton text={turn.text} label={t("Copy as Markdown")} icon="markdown" say={say} />
          </div>
        )}
      </div>
    </article>
  );
}
