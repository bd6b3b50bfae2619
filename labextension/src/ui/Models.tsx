import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ModelRow } from "../protocol";
import { t } from "../words";
import { useChat, useSession } from "./context";
import { Icon, IconButton } from "./icons";
import { Marked } from "./Marked";

/** The model in use, and the list of all, by engine, each with its state. */
export function ModelPicker() {
  const session = useSession();
  const { opened } = useChat();
  const open = opened.popup === "models";
  const button = useRef<HTMLButtonElement>(null);
  const { model, models, compare } = session.state;
  const row = models.find((one) => one.id === model);
  const close = () => {
    opened.close("models");
    button.current?.focus();
  };
  return (
    <div class="picker">
      <button
        ref={button}
        type="button"
        class="model-button"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={t(compare.length ? "Model: %1 +%2" : "Model: %1", row?.name ?? (model || t("none")), compare.length)}
        onClick={() => (open ? close() : opened.open("models"))}
      >
        <Light row={row} />
        <span class="model-name">{row?.name ?? (model || t("Choose a model"))}</span>
        {compare.length > 0 && <span class="badge">{` +${compare.length}`}</span>}
        <Icon name="down" />
      </button>
      {row?.progress !== null && row?.state === "loading" && (
        <progress max={1} value={row.progress} aria-label={t("Loading %1", row.name)} />
      )}
      {open && <ModelList onClose={close} />}
    </div>
  );
}

function ModelList({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const { model, models, compare } = session.state;
  const [filter, setFilter] = useState("");
  const [at, setAt] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const word = filter.toLowerCase();
  const fitting = models.filter((one) => `${one.id} ${one.name} ${one.engine}`.toLowerCase().includes(word));
  const found = [...fitting].sort((a, b) => Number(b.usable) - Number(a.usable));
  const engines = [...new Set(found.map((one) => one.engine))];
  const ordered = engines.flatMap((engine) => found.filter((one) => one.engine === engine));
  useLayoutEffect(() => {
    box.current?.querySelector<HTMLInputElement>("input")?.focus();
    const away = (event: PointerEvent) => {
      // Its own button closes it by itself.
      if (!event.composedPath().includes(box.current!.parentElement!)) onClose();
    };
    document.addEventListener("pointerdown", away, true);
    return () => document.removeEventListener("pointerdown", away, true);
  }, []);
  const choose = (row: ModelRow) => {
    if (!row.usable) return;
    session.do({ type: "model", model: row.id });
    onClose();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    else if (event.key === "ArrowDown") setAt(Math.min(at + 1, ordered.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter" && ordered[at]) choose(ordered[at]!);
    else if (event.key === "Enter" && ordered.length === 1) choose(ordered[0]!);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  useEffect(() => {
    box.current?.querySelector(".model-row.at")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div class="popup model-list" role="dialog" aria-label={t("Models")} ref={box} onKeyDown={keys}>
      <input
        type="search"
        placeholder={t("Find a model …")}
        aria-label={t("Find a model")}
        aria-controls="model-options"
        value={filter}
        onInput={(event) => {
          setFilter(event.currentTarget.value);
          setAt(-1);
        }}
      />
      <div class="rows" id="model-options">
        {engines.map((engine) => (
          <section key={engine} aria-label={engine}>
            <h3>{engine}</h3>
            <ul>
              {ordered
                .filter((one) => one.engine === engine)
                .map((one) => (
                  <li key={one.id} class={`model-row ${one === ordered[at] ? "at" : ""} ${one.usable ? "" : "unusable"}`}>
                    <button type="button" class="choose" aria-current={one.id === model} aria-disabled={!one.usable} onClick={() => choose(one)}>
                      <Light row={one} />
                      <span class="about">
                        <span class="model-name">{one.name}</span>
                        <span class="marks">
                          {marks(one).map((mark) => (
                            <small key={mark}>{mark}</small>
                          ))}
                          <span class="note">
                            <Marked text={one.note || words(one.state)} />
                          </span>
                        </span>
                      </span>
                      {one.id === model && <Icon name="done" />}
                    </button>
                    {one.usable && one.id !== model && (
                      <button
                        type="button"
                        class="compare"
                        aria-label={t("Compare: ask %1 as well", one.name)}
                        title={t("Let it answer as well, side by side")}
                        aria-pressed={compare.includes(one.id)}
                        onClick={() => session.do({ type: "beside", model: one.id, on: !compare.includes(one.id) })}
                      >
                        <Icon name={compare.includes(one.id) ? "done" : "columns"} />
                        {t("Compare")}
                      </button>
                    )}
                    {one.local && one.state === "loaded" && (
                      <IconButton icon="close" label={t("Unload %1", one.name)} onClick={() => session.do({ type: "unload", model: one.id })} />
                    )}
                  </li>
                ))}
            </ul>
          </section>
        ))}
        {!found.length && <p class="empty">{t("No model’s name contains “%1”.", filter)}</p>}
      </div>
    </div>
  );
}

export function Light({ row }: { row: ModelRow | undefined }) {
  return <span class="light" data-state={row?.state ?? "none"} aria-hidden="true" />;
}

const marks = (row: ModelRow): string[] => [
  row.local ? "local" : "remote",
  ...(row.context ? [`${short(row.context)} context`] : []),
  ...(row.vision ? ["vision"] : []),
  ...(row.reasoning ? ["reasoning"] : []),
];

const short = (tokens: number): string => (tokens < 1000 ? `${tokens}` : `${Math.round(tokens / 1024)}k`);

const words = (state: string): string => (state === "ready" ? "" : state.replace("-", " "));
