import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ThreadRow } from "../protocol";
import { t } from "../words";
import { useSession } from "./context";
import { IconButton } from "./icons";
import { plain } from "./sentences";

/** All threads: find one, go on with it, begin a new one. */
export function ThreadsPanel({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const [pattern, setPattern] = useState("");
  const [rows, setRows] = useState<ThreadRow[] | null>(null);
  const [failure, setFailure] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const current = session.state.thread?.id;
  useLayoutEffect(() => input.current?.focus(), []);
  useEffect(() => {
    let latest = true;
    const timer = setTimeout(
      () => {
        session.ask("threads", { pattern }).then(
          (found) => {
            if (!latest) return;
            setRows(found);
            setFailure("");
          },
          (error: Error) => latest && setFailure(error.message),
        );
      },
      pattern ? 200 : 0,
    );
    return () => {
      latest = false;
      clearTimeout(timer);
    };
  }, [pattern, current, session.state.thread?.title, session.state.path.length, session.state.threads]);
  const open = (id: string) => {
    session.do({ type: "thread", id });
    onClose();
  };
  return (
    <aside
      class="side threads"
      aria-label={t("Threads")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header>
        <h2>{t("Threads")}</h2>
        <IconButton icon="add" label={t("New thread")} onClick={() => open("")} />
        <IconButton icon="close" label={t("Close the threads")} onClick={onClose} />
      </header>
      <input
        ref={input}
        type="search"
        placeholder={t("Search titles and messages …")}
        aria-label={t("Search threads")}
        value={pattern}
        onInput={(event) => setPattern(event.currentTarget.value)}
      />
      <ul class="scroll">
        {rows?.map((row) => (
          <Row key={row.id} row={row} current={row.id === current} onOpen={() => open(row.id)} />
        ))}
      </ul>
      {rows?.length === 0 && <p class="empty">{pattern ? t("Nothing found.") : t("No threads yet.")}</p>}
      {failure && <p class="empty">{failure}</p>}
    </aside>
  );
}

function Row({ row, current, onOpen }: { row: ThreadRow; current: boolean; onOpen: () => void }) {
  const session = useSession();
  const [editing, setEditing] = useState(false);
  const [sure, setSure] = useState(false);
  const broken = row.state !== "ready";
  if (editing) {
    const done = (title: string | null) => {
      setEditing(false);
      if (title?.trim()) session.do({ type: "rename", id: row.id, title: title.trim() });
    };
    return (
      <li>
        <TitleEditor title={row.title} onDone={done} />
      </li>
    );
  }
  return (
    <li class={current ? "current" : ""}>
      <button type="button" class="open" aria-current={current} disabled={broken} title={broken ? row.reason : row.title} onClick={onOpen}>
        <span class="title">{row.title || t("New thread")}</span>
        <span class="excerpt">{broken ? row.reason : plain(row.excerpt)}</span>
      </button>
      <div class="row-actions">
        <span class="when">{ago(row.updated)}</span>
        <IconButton icon="edit" label={t("Rename “%1”", row.title)} onClick={() => setEditing(true)} />
        {row.own && !sure && <IconButton icon="remove" label={t("Delete “%1”", row.title)} onClick={() => setSure(true)} />}
        {sure && (
          <button
            type="button"
            class="danger"
            onClick={() => session.do({ type: "remove", id: row.id })}
          >
            {t("Delete?")}
          </button>
        )}
      </div>
    </li>
  );
}

export function TitleEditor({ title, onDone }: { title: string; onDone: (title: string | null) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  const end = (value: string | null) => {
    if (ended.current) return;
    ended.current = true;
    onDone(value);
  };
  useLayoutEffect(() => {
    input.current!.focus();
    input.current!.select();
  }, []);
  return (
    <input
      ref={input}
      class="title-editor"
      aria-label={t("Title of the thread")}
      defaultValue={title}
      onBlur={(event) => end(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") end(event.currentTarget.value);
        if (event.key === "Escape") {
          event.stopPropagation();
          end(null);
        }
      }}
    />
  );
}

function ago(seconds: number | null): string {
  if (!seconds) return "";
  const passed = Date.now() / 1000 - seconds;
  if (passed < 60) return "now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h`;
  if (passed < 86400 * 14) return `${Math.floor(passed / 86400)} d`;
  return new Date(seconds * 1000).toLocaleDateString();
}
