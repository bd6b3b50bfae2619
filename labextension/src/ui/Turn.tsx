import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ErrorCard, Turn } from "../protocol";
import { t } from "../words";
import { useBriefly } from "./briefly";
import { useChat, useSession } from "./context";
import { CopyButton } from "./CopyButton";
import { Icon, IconButton } from "./icons";
import { breakLine } from "./lines";
import { Marked } from "./Marked";
import { Text } from "./Text";

/** One turn of the conversation, with what can be done about it. */
export function TurnView(props: { turn: Turn; last: boolean; compared: boolean; busy: boolean }) {
  if (props.turn.columns.length > 1) return <ColumnsRow {...props} />;
  return props.turn.role === "user" ? <Question {...props} /> : <Answer {...props} />;
}

function Question({ turn, busy }: { turn: Turn; busy: boolean }) {
  const { session } = useChat();
  const [editing, setEditing] = useState(false);
  return (
    <article class="turn user" data-id={turn.id} aria-label={t("You")}>
      {editing ? (
        <Editor
          text={turn.text}
          busy={busy}
          onDone={(text) => {
            setEditing(false);
            if (text !== null) session.edit(turn.id, text);
          }}
        />
      ) : (
        <div class="bubble">
          <Images images={turn.images} />
          <div class="said">{turn.text}</div>
          <Context context={turn.context} />
        </div>
      )}
      {!editing && (
        <div class="under">
          <Versions turn={turn} />
          <Actions>
            <Copy text={turn.text} />
            {!turn.columns.length && (
              <>
                <IconButton icon="edit" label={t("Edit and send again")} disabled={busy} onClick={() => setEditing(true)} />
                <DeleteButton turn={turn} disabled={busy} label={t("Delete this question and its answer")} />
              </>
            )}
          </Actions>
        </div>
      )}
    </article>
  );
}

function Answer({ turn, last, compared, busy }: { turn: Turn; last: boolean; compared: boolean; busy: boolean }) {
  const { session } = useChat();
  const writing = turn.status === "writing";
  return (
    <article class="turn assistant" data-id={turn.id} data-status={turn.status} aria-label={t("Answer of %1", turn.model)} aria-busy={writing}>
      <Body turn={turn} speak={last} />
      <div class="under">
        <Versions turn={turn} />
        <Footer turn={turn} />
        {!writing && (
          <Actions>
            <Copy text={turn.text} />
            <IconButton icon="again" label={t("Regenerate")} disabled={busy} onClick={() => session.do({ type: "regenerate", id: turn.id })} />
            <DeleteButton turn={turn} disabled={busy} label={t("Delete this answer")} />
          </Actions>
        )}
      </div>
      {compared && !busy && (
        <button type="button" class="quiet-button" onClick={() => session.do({ type: "columns", id: turn.id })}>
          {t("Compare the %1 answers again", turn.versions.length)}
        </button>
      )}
      {last && turn.cut && !busy && (
        <button type="button" class="quiet-button" onClick={() => session.do({ type: "continue", id: turn.id })}>
          {t("Continue this answer")}
        </button>
      )}
    </article>
  );
}

/** What all columns say to one question, side by side; below the last row stands what to do next. */
function ColumnsRow({ turn, last, busy }: { turn: Turn; last: boolean; busy: boolean }) {
  const { session } = useChat();
  const turns = turn.columns.flatMap((id) => session.turns.get(id) ?? []);
  // Rows that are wider than the panel are moved together.
  const follow = ({ currentTarget: row }: { currentTarget: HTMLElement }) => {
    for (const other of row.parentElement!.querySelectorAll<HTMLElement>(":scope > .columns")) {
      if (other !== row) other.scrollLeft = row.scrollLeft;
    }
  };
  return (
    <section class="columns" aria-label={t("%1 answers side by side", turns.length)} onScroll={follow}>
      {turns.map((one) => (
        <Cell key={one.column} turn={one} last={last} busy={busy} />
      ))}
    </section>
  );
}

function Cell({ turn, last, busy }: { turn: Turn; last: boolean; busy: boolean }) {
  const { session } = useChat();
  const { column: name, status } = turn;
  const writing = status === "writing";
  if (status === "unasked") {
    return (
      <article class="column" data-status={status} aria-label={t("%1 was not asked", name)}>
        <header>
          <strong>{name}</strong>
          {last && <CloseButton name={name} />}
        </header>
        <p class="remark">{t("Not asked.")}</p>
        {last && <Next name={name} busy={busy} />}
      </article>
    );
  }
  return (
    <article class="column" data-id={turn.id} data-status={status} aria-label={t("Answer of %1", name)} aria-busy={writing}>
      <header>
        <strong>{name}</strong>
        {writing && <IconButton icon="stop" label={t("Stop %1", name)} onClick={() => session.stop(turn.id)} />}
        {last && <CloseButton name={name} />}
      </header>
      <div class="body" tabIndex={0} role="region" aria-label={t("What %1 says", name)}>
        <Body turn={turn} />
      </div>
      <div class="under">
        <Footer turn={turn} bare />
        {!writing && turn.text && (
          <Actions>
            <Copy text={turn.text} />
          </Actions>
        )}
      </div>
      {last && <Next name={name} busy={busy} />}
    </article>
  );
}

/** How a column goes on: whether it is asked next, alone, or not at all. */
function Next({ name, busy }: { name: string; busy: boolean }) {
  const { session } = useChat();
  const column = session.state.columns.find((one) => one.name === name);
  const said = [...session.turns.values()].filter((one) => one.column === name && one.status !== "unasked" && one.text);
  if (!column) return null;
  return (
    <div class="buttons next">
      <button
        type="button"
        class="compare"
        aria-pressed={column.next}
        aria-label={t("Ask next: %1", name)}
        title={t("Whether your next question is for this one")}
        onClick={() => session.do({ type: "next", column: name, on: !column.next })}
      >
        <Icon name={column.next ? "done" : "add"} />
        {t("Ask next")}
      </button>
      {column.behind && (
        <button type="button" disabled={busy} title={t("Let it answer what is open, and what the others were asked since")} onClick={() => session.do({ type: "catch_up", column: name })}>
          {t("Catch up")}
        </button>
      )}
      <button type="button" class="quiet-button" disabled={busy || !said.length} onClick={() => session.do({ type: "keep", id: said.at(-1)!.id })}>
        {t("Continue with this one")}
      </button>
    </div>
  );
}

function CloseButton({ name }: { name: string }) {
  const session = useSession();
  return <IconButton icon="close" label={t("Close the column of %1", name)} onClick={() => session.do({ type: "beside", model: name, on: false })} />;
}

function Body({ turn, speak }: { turn: Turn; speak?: boolean }) {
  const writing = turn.status === "writing";
  return (
    <>
      {turn.reasoning && <Reasoning turn={turn} />}
      {(turn.text || !writing) && <Text id={turn.id} field="text" speak={speak} />}
      {writing && !turn.text && (
        <div class="waiting" role="status">
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {turn.wait || (turn.reasoning ? "" : t("Waiting for the first word …"))}
        </div>
      )}
      {turn.error && <Failed turn={turn} card={turn.error} />}
    </>
  );
}

/** Open while the model thinks, closed once it answers; a click decides from then on. */
function Reasoning({ turn }: { turn: Turn }) {
  const thinking = turn.status === "writing" && !turn.text;
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? thinking;
  return (
    <div class="reasoning">
      <button type="button" class="fold" aria-expanded={open} onClick={() => setChosen(!open)}>
        <Icon name={open ? "down" : "right"} />
        {thinking ? t("Thinking …") : t("Reasoning")}
      </button>
      {open && <Text id={turn.id} field="reasoning" />}
    </div>
  );
}

function Failed({ turn, card }: { turn: Turn; card: ErrorCard }) {
  const { session, opened } = useChat();
  return (
    <div class="error-card" role="alert">
      <Icon name="warn" />
      <div>
        <strong>{card.title}</strong>
        <p>
          <Marked text={card.message} />
        </p>
        <div class="buttons">
          <button
            type="button"
            onClick={() => session.do(turn.column ? { type: "catch_up", column: turn.column } : { type: "regenerate", id: turn.id })}
          >
            {t("Try again")}
          </button>
          {card.mend === "model" && (
            <button type="button" onClick={() => opened.open("models")}>
              {t("Choose another model")}
            </button>
          )}
          {card.mend === "settings" && (
            <button type="button" onClick={() => opened.open("settings")}>
              {t("Open the settings")}
            </button>
          )}
        </div>
      </div>
    </div>
  );
}

function Footer({ turn, bare }: { turn: Turn; bare?: boolean }) {
  const parts = bare ? turn.footer : [turn.model, ...turn.footer].filter(Boolean);
  if (turn.status === "writing") return <div class="footer">{bare ? "" : turn.model}</div>;
  return (
    <div class="footer">
      {parts.map((part, index) => (
        <span key={index}>{part}</span>
      ))}
    </div>
  );
}

function Versions({ turn }: { turn: Turn }) {
  const { session } = useChat();
  const { versions } = turn;
  if (versions.length < 2) return null;
  const at = versions.indexOf(turn.id);
  const go = (to: number) => session.do({ type: "version", id: versions[to]! });
  return (
    <div class="versions" role="group" aria-label={t("Versions")}>
      <IconButton icon="left" label={t("Earlier version")} disabled={at <= 0} onClick={() => go(at - 1)} />
      <span aria-label={t("Version %1 of %2", at + 1, versions.length)}>
        {at + 1}/{versions.length}
      </span>
      <IconButton icon="right" label={t("Later version")} disabled={at >= versions.length - 1} onClick={() => go(at + 1)} />
    </div>
  );
}

function Actions({ children }: { children: ComponentChildren }) {
  return <div class="actions">{children}</div>;
}

function Copy({ text }: { text: string }) {
  const { say } = useChat();
  return <CopyButton text={text} label={t("Copy")} say={say} />;
}

/** Asks once more, in place. */
function DeleteButton({ turn, disabled, label }: { turn: Turn; disabled: boolean; label: string }) {
  const { session } = useChat();
  const [sure, setSure] = useBriefly(4000);
  const remove = () => session.do({ type: "delete", id: turn.id });
  // One element, which keeps the focus.
  return (
    <button
      type="button"
      class={sure ? "danger" : "icon-button"}
      aria-label={sure ? undefined : t("Delete")}
      title={sure ? label : t("Delete")}
      disabled={disabled}
      onClick={sure ? remove : () => setSure(true)}
    >
      {sure ? t("Delete?") : <Icon name="remove" />}
    </button>
  );
}

function Editor({ text, busy, onDone }: { text: string; busy: boolean; onDone: (text: string | null) => void }) {
  const session = useSession();
  const area = useRef<HTMLTextAreaElement>(null);
  const [value, setValue] = useState(text);
  useEffect(() => {
    if (!session.deaf) return;
    if (value !== text) session.bring(value); // this question will not be here any more
    onDone(null);
  }, [session.deaf]);
  useLayoutEffect(() => {
    area.current!.focus();
    area.current!.setSelectionRange(text.length, text.length);
  }, []);
  const keys = (event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }) => {
    if (event.key === "Escape") onDone(null);
    else if (event.key === "Enter" && event.shiftKey && !event.isComposing) breakLine(event);
    else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (value.trim() && !busy) onDone(value);
    } else return;
    event.stopPropagation();
  };
  return (
    <div class="editor">
      <textarea
        ref={area}
        aria-label={t("Edit the question")}
        rows={Math.min(12, value.split("\n").length + 1)}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
        onKeyDown={keys}
      />
      <div class="buttons">
        <button type="button" onClick={() => onDone(null)}>
          {t("Cancel")}
        </button>
        <button type="button" class="primary" disabled={busy || !value.trim()} onClick={() => onDone(value)}>
          {t("Send")}
        </button>
      </div>
    </div>
  );
}

export function Images({ images }: { images: string[] }) {
  if (!images.length) return null;
  return (
    <div class="images">
      {images.map((image, index) => (
        <img key={index} src={image} alt={t("Image %1", index + 1)} />
      ))}
    </div>
  );
}

export function Context({ context }: { context: { label: string; text: string }[] }) {
  if (!context.length) return null;
  return (
    <div class="context">
      {context.map((one, index) => (
        <details key={index}>
          <summary>{one.label}</summary>
          <pre tabIndex={0}>{one.text}</pre>
        </details>
      ))}
    </div>
  );
}
