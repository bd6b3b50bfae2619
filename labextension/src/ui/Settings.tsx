import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SettingRow } from "../protocol";
import { t } from "../words";
import { useSession } from "./context";
import { IconButton } from "./icons";
import { breakLine } from "./lines";
import { parsed } from "./values";

/** The settings of this thread, each with the level that its value comes from. */
export function SettingsPanel({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const { settings, assistants, assistant, instructions, reload } = session.state;
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => panel.current?.querySelector<HTMLElement>("button")?.focus(), []);
  const group = (kind: SettingRow["kind"]) => settings.filter((row) => row.kind === kind);
  return (
    <aside
      class="side settings"
      aria-label={t("Settings of this thread")}
      ref={panel}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header>
        <h2>{t("Settings")}</h2>
        <IconButton icon="close" label={t("Close the settings")} onClick={onClose} />
      </header>
      <div class="scroll">
        {assistants.length > 1 && (
          <label class="field">
            <span>{t("Assistant")}</span>
            <select value={assistant} onChange={(event) => session.do({ type: "assistant", id: event.currentTarget.value })}>
              {assistants.map((one) => (
                <option key={one.id} value={one.id} title={one.description}>
                  {one.name || one.id}
                </option>
              ))}
            </select>
          </label>
        )}
        <Instructions text={instructions} />
        <Group title={t("Answers")} rows={group("parameter")} />
        <Group title={t("Loading the model")} rows={group("setting")} />
        {reload && (
          <p class="remark" role="status">
            {t("The model is loaded again with the next question.")}
          </p>
        )}
      </div>
    </aside>
  );
}

interface Draft {
  text: string;
  type(text: string): void;
  /** Nothing is being typed any more: the next word of whoever answers replaces it. */
  end(): void;
}

/** What is typed into a field that shows `value`: no word of whoever answers takes it away meanwhile. */
function useDraft(value: string): Draft {
  const [draft, setDraft] = useState<string | null>(null);
  const typing = useRef(false);
  useLayoutEffect(() => {
    if (!typing.current) setDraft(null);
  }, [value]);
  return {
    text: draft ?? value,
    type(text) {
      typing.current = true;
      setDraft(text);
    },
    end() {
      typing.current = false;
    },
  };
}

function Instructions({ text }: { text: string }) {
  const session = useSession();
  const draft = useDraft(text);
  return (
    <label class="field">
      <span>{t("Instructions")}</span>
      <textarea
        rows={3}
        placeholder={t("How the assistant should answer in this thread")}
        value={draft.text}
        onInput={(event) => draft.type(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && !event.isComposing && breakLine(event)}
        onBlur={(event) => {
          if (event.currentTarget.value === text) return draft.end();
          draft.end();
          session.do({ type: "instructions", text: event.currentTarget.value });
        }}
      />
    </label>
  );
}

function Group({ title, rows }: { title: string; rows: SettingRow[] }) {
  if (!rows.length) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {rows.map((row) => (
        <Row key={row.name} row={row} />
      ))}
    </section>
  );
}

function Row({ row }: { row: SettingRow }) {
  const session = useSession();
  const id = `setting-${row.name}`;
  const own = row.level === "thread";
  const set = (value: unknown) => session.do({ type: "set", kind: row.kind, name: row.name, value });
  return (
    <div class={`setting ${own ? "own" : ""}`}>
      <div class="setting-head">
        <label for={id}>
          {row.title} <code>{row.name}</code>
        </label>
        <span class="level" data-level={row.level} title={from(row)}>
          {row.value === null ? "auto" : row.level}
        </span>
        {own && (
          <IconButton icon="reset" label={row.below.value === null ? t("Reset %1", row.name) : t("Reset %1 to %2", row.name, show(row.below.value))} onClick={() => set(null)} />
        )}
      </div>
      <Control id={id} row={row} onSet={set} />
      <p id={`${id}-help`}>{row.help}</p>
    </div>
  );
}

function Control({ id, row, onSet }: { id: string; row: SettingRow; onSet: (value: unknown) => void }) {
  const draft = useDraft(show(row.value));
  const [wrong, setWrong] = useState("");
  useLayoutEffect(() => setWrong(""), [show(row.value)]);
  if (row.type === "flag") {
    return (
      <input id={id} type="checkbox" checked={Boolean(row.value)} aria-describedby={`${id}-help`} onChange={(event) => onSet(event.currentTarget.checked)} />
    );
  }
  const { text } = draft;
  const commit = (typed: string) => {
    draft.end();
    const value = parsed(row, typed);
    if (typeof value === "string" && row.type !== "text") return setWrong(value);
    setWrong("");
    onSet(value);
  };
  const number = row.type === "number" || row.type === "integer";
  const slider = number && row.min !== null && row.max !== null;
  return (
    <>
      <div class="control">
        {slider && (
          <input
            type="range"
            class={text ? "" : "auto"}
            aria-label={`${row.name}, slider`}
            aria-valuetext={text || t("Auto")}
            min={row.min!}
            max={row.max!}
            step={row.step ?? (row.type === "integer" ? 1 : 0.01)}
            value={Number(text || row.below.value || row.min)}
            onInput={(event) => draft.type(event.currentTarget.value)}
            onChange={(event) => commit(event.currentTarget.value)}
          />
        )}
        <input
          id={id}
          type="text"
          inputMode={number ? "decimal" : "text"}
          value={text}
          placeholder={row.value === null ? t("Auto") : ""}
          aria-describedby={`${id}-help`}
          aria-invalid={Boolean(wrong)}
          onInput={(event) => draft.type(event.currentTarget.value)}
          onChange={(event) => commit(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
        />
      </div>
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
    </>
  );
}

const show = (value: unknown): string =>
  value === null || value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value);

const FROM: Record<string, string> = {
  request: t("set for this question"),
  thread: t("set for this thread"),
  assistant: t("from the assistant"),
  model: t("from the model’s description"),
  engine: t("from the engine’s file"),
  default: t("built in"),
};

const from = (row: SettingRow): string =>
  row.value === null ? t("Nobody sets it: the engine decides") : (FROM[row.level] ?? "");
