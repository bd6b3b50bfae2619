// The answers to one prompt side by side, as they come and as they ended.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { CopyButton } from "../ui/CopyButton";
import { Icon, IconButton } from "../ui/icons";
import { Facts, isStopped, Shown, Waiting } from "./Answer";
import { useLooking, useStore } from "./context";
import { count, seconds, speed } from "./numbers";
import { Prompt } from "./Prompt";
import type { Call, Row, Writing } from "./protocol";
import { keyOf, type Store } from "./store";
import { contestantsOf, groupsOf } from "./tables";
import { t } from "../words";

export function Columns() {
  const store = useStore();
  const { say } = useLooking();
  const { comparison, view } = store;
  const { contestants } = contestantsOf(comparison, view);
  const [picked, setPicked] = useState<number | null>(null);
  const followed = useRef(0);
  const asked = beingAsked(store);
  if (asked !== null) followed.current = asked;
  const last = Math.max(0, comparison.cases.length - 1);
  const at = Math.min(picked ?? followed.current, last);
  const [alone, setAlone] = useState<number | null>(null);
  const shown = alone !== null && contestants.includes(alone) ? [alone] : contestants;
  const frame = useRef<HTMLDivElement>(null);
  const scrolls = useTogether(frame, view.together);
  const fastest = fastestOf(store, at, contestants);
  const focus = (contestant: number | null) => {
    const back = contestant ?? alone;
    setAlone(contestant);
    say(contestant === null ? t("All columns.") : t("%1 alone; Escape goes back.", comparison.contestants[contestant]!.name));
    requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`[data-at="${back}"] .body`)?.focus());
  };
  const go = (to: number) => setPicked(Math.max(0, Math.min(last, to)));
  const keys = (event: KeyboardEvent) => {
    const column = (event.target as HTMLElement).closest<HTMLElement>(".column");
    const field = (event.target as HTMLElement).closest("input, textarea, select");
    if (!column || field || event.ctrlKey || event.metaKey || event.altKey) return;
    const own = Number(column.dataset.at);
    if (event.key === "Escape" && alone !== null) focus(null);
    else if (event.key === "f") focus(alone === null ? own : null);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const next = shown[shown.indexOf(own) + (event.key === "ArrowLeft" ? -1 : 1)];
      const body = frame.current?.querySelector<HTMLElement>(`[data-at="${next}"] .body`);
      if (!body || !(event.target as HTMLElement).classList.contains("body")) return;
      body.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (!comparison.cases.length) return <p class="empty">{t("Nothing was asked.")}</p>;
  return (
    <>
      <div class="toolbar">
        {last > 0 && (
          <div class="stepper" role="group" aria-label={t("Prompts")}>
            <IconButton icon="left" label={t("The prompt before")} disabled={at === 0} onClick={() => go(at - 1)} />
            <span>
              {t("Prompt %1 of %2", at + 1, last + 1)}
            </span>
            <IconButton icon="right" label={t("The next prompt")} disabled={at === last} onClick={() => go(at + 1)} />
            {store.running && picked !== null && (
              <button type="button" class="quiet-button" onClick={() => setPicked(null)}>
                {t("Follow")}
              </button>
            )}
          </div>
        )}
        <span class="space" />
        {alone !== null ? (
          <button type="button" class="quiet-button" onClick={() => focus(null)}>
            {t("All columns")} <kbd>Esc</kbd>
          </button>
        ) : (
          contestants.length > 1 && (
            <label class="check">
              <input type="checkbox" checked={view.together} onChange={(event) => store.look({ together: event.currentTarget.checked })} />
              {t("Scroll together")}
            </label>
          )
        )}
      </div>
      <Prompt one={comparison.cases[at]!} />
      <div class="columns" data-n={Math.min(shown.length, 5)} ref={frame} onKeyDown={keys} onScrollCapture={scrolls}>
        {shown.map((contestant) => (
          <Column
            key={`${at} ${contestant}`}
            at={at}
            contestant={contestant}
            fastest={contestant === fastest}
            alone={alone !== null}
            onFocus={() => focus(alone === null ? contestant : null)}
          />
        ))}
      </div>
    </>
  );
}

/** The first prompt that somebody still answers; `null`: nobody does. */
function beingAsked(store: Store): number | null {
  let first: number | null = null;
  for (const { call } of store.writing.values()) first = Math.min(first ?? Infinity, call[0]);
  return first;
}

/** Whose answers come fastest, of two or more that can be told. */
function fastestOf(store: Store, at: number, contestants: number[]): number | null {
  const speeds = contestants.flatMap((contestant) => {
    const found = speedHere(store, at, contestant);
    return found ? [{ contestant, found }] : [];
  });
  speeds.sort((a, b) => b.found - a.found);
  return speeds.length > 1 && speeds[0]!.found > speeds[1]!.found ? speeds[0]!.contestant : null;
}

function speedHere(store: Store, at: number, contestant: number): number | null {
  const writing = writingHere(store, at, contestant);
  if (writing) return store.speedOf(keyOf(writing.call));
  return store.rows(at, contestant).find((row) => !row.error)?.times.tokens_per_second ?? null;
}

function writingHere(store: Store, at: number, contestant: number): Writing | undefined {
  for (const one of store.writing.values()) if (one.call[0] === at && one.call[1] === contestant) return one;
  return undefined;
}

/** Scroll all when one is scrolled, as far down in its own text. */
function useTogether(frame: { current: HTMLElement | null }, on: boolean) {
  const expected = useRef(new WeakMap<Element, number>());
  return (event: Event) => {
    const body = event.target as HTMLElement;
    if (!on || !body.classList?.contains("body")) return;
    const known = expected.current.get(body);
    expected.current.delete(body);
    if (known !== undefined && Math.abs(known - body.scrollTop) < 2) return;
    const share = body.scrollTop / Math.max(1, body.scrollHeight - body.clientHeight);
    for (const other of frame.current!.querySelectorAll<HTMLElement>(".body")) {
      const to = Math.round(share * (other.scrollHeight - other.clientHeight));
      if (other === body || Math.abs(other.scrollTop - to) < 1) continue;
      expected.current.set(other, to);
      other.scrollTop = to;
    }
  };
}

interface ColumnProps {
  at: number;
  contestant: number;
  fastest: boolean;
  alone: boolean;
  onFocus: () => void;
}

function Column({ at, contestant, fastest, alone, onFocus }: ColumnProps) {
  const { store, say } = useLooking();
  const comparison = store.comparison!;
  const { name, model, own } = comparison.contestants[contestant]!;
  const [picked, setPicked] = useState<Row | null>(null);
  const writing = writingHere(store, at, contestant);
  const rows = store.rows(at, contestant);
  const groups = groupsOf(rows);
  const row = (picked && rows.includes(picked) ? picked : groups[0]?.rows[0]) ?? null;
  const state = stateHere(store, contestant, writing, row);
  const call: Call | null = writing?.call ?? row?.call ?? null;
  const text = writing ? writing.text : (row?.text ?? "");
  const about = [model !== name && model, ...own].filter(Boolean).join(" · ");
  return (
    <article
      class="column"
      data-at={contestant}
      data-state={state.kind}
      aria-label={t("Answer of %1", name)}
      aria-busy={writing !== undefined}
      onDblClick={(event) => {
        if (!(event.target as Element).closest("button, a, pre, input")) onFocus();
      }}
    >
      <header>
        <div class="who">
          <h3 title={name}>{name}</h3>
          {about && <p class="remark">{about}</p>}
        </div>
        {store.running && store.alive && (writing || state.kind === "waiting" || state.kind === "loading") && (
          <IconButton icon="stop" label={t("Stop %1", name)} onClick={() => store.stop(contestant)} />
        )}
        {text && <CopyButton text={text} label={t("Copy the answer of %1", name)} say={say} />}
        <IconButton icon="eye" label={t("Show %1 alone (f)", name)} pressed={alone} onClick={onFocus} />
        <p class="state">
          <span class="light" data-state={state.kind} aria-hidden="true" />
          <span>{state.words}</span>
          {writing && <Speed call={writing.call} />}
          {!writing && row?.times.tokens_per_second != null && <span class="speed">{speed(row.times.tokens_per_second)}</span>}
          {fastest && <span class="tag fastest">{t("fastest")}</span>}
        </p>
        {state.progress !== null && <progress max={1} value={state.progress} aria-label={t("%1 is being loaded", name)} />}
      </header>
      <Body key={call ? keyOf(call) : ""} name={name} growing={writing !== undefined}>
        {call ? (
          <Shown call={call} writing={writing} row={row} speak={alone} />
        ) : store.running && (state.kind === "waiting" || state.kind === "loading" || state.kind === "answering") ? (
          <Waiting>{state.note}</Waiting>
        ) : (
          <p class="remark">{state.note || t("No answer.")}</p>
        )}
      </Body>
      {row && !writing && (
        <Facts row={row} groups={groups} onChoose={setPicked} />
      )}
    </article>
  );
}

interface Here {
  kind: string;
  words: string;
  note: string;
  progress: number | null;
}

const WORDS: Record<string, string> = {
  waiting: t("waiting"),
  loading: t("loading"),
  answering: t("answering"),
  done: t("done"),
  stopped: t("stopped"),
  failed: t("failed"),
};

/** What a column does with the prompt that is shown. */
function stateHere(store: Store, contestant: number, writing: Writing | undefined, row: Row | null): Here {
  const state = store.running ? store.states[contestant] : undefined;
  const many = (store.comparison?.cases.length ?? 1) > 1 || (state?.total ?? 1) > 1;
  const part = many && state && store.running ? t(", %1 of %2 done", state.done, state.total) : "";
  const nothing = { note: "", progress: null };
  if (writing) return { kind: "answering", words: `${WORDS.answering}${part}`, ...nothing };
  if (row) {
    const kind = isStopped(row) ? "stopped" : row.error ? "failed" : "done";
    return { kind, words: `${WORDS[kind]}${part}`, ...nothing };
  }
  if (!state) return { kind: "missing", words: t("no answer"), note: store.states[contestant]?.note || store.comparison?.ended || "", progress: null };
  const loaded = state.state === "loading" && state.progress !== null ? ` ${Math.round(state.progress * 100)} %` : "";
  return {
    kind: state.state,
    words: `${WORDS[state.state] ?? state.state}${loaded}${part}`,
    note: state.note,
    progress: state.state === "loading" ? state.progress : null,
  };
}

/** Of an answer under way; twice a second is enough to be read. */
function Speed({ call }: { call: Call }) {
  const { store } = useLooking();
  const [shown, setShown] = useState<number | null>(null);
  const key = keyOf(call);
  useEffect(() => {
    const look = () => setShown(store.speedOf(key));
    look();
    const timer = setInterval(look, 500);
    return () => clearInterval(timer);
  }, [key]);
  return shown === null ? null : <span class="speed">{speed(shown)}</span>;
}

/** What is said. Stays at the end while one is there; a reader who scrolls up is left in peace. */
function Body({ name, growing, children }: { name: string; growing: boolean; children: ComponentChildren }) {
  const node = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const grows = useRef(growing);
  grows.current = growing;
  useLayoutEffect(() => {
    let atEnd = true;
    const body = node.current!;
    const scrolled = () => (atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < 24);
    const watch = new ResizeObserver(() => {
      if (atEnd && grows.current) body.scrollTop = body.scrollHeight;
    });
    body.addEventListener("scroll", scrolled, { passive: true });
    watch.observe(inner.current!);
    return () => {
      watch.disconnect();
      body.removeEventListener("scroll", scrolled);
    };
  }, []);
  return (
    <div class="body" ref={node} tabIndex={0} role="region" aria-label={t("What %1 says", name)}>
      <div ref={inner}>{children}</div>
    </div>
  );
}

/** How far a run is, and what can be done about it. */
export function Run() {
  const store = useStore();
  const { progress, running, alive } = store;
  const { summaries, ended } = store.comparison;
  const lacking = summaries.reduce((sum, one) => sum + one.errors + one.missing, 0);
  if (running) {
    const { done, failed, total, reused, left } = progress ?? { done: 0, failed: 0, total: 0, reused: 0, left: null };
    const said = !progress ? [t("about to begin")] : [
      t("%1 of %2", done, count(total, "answer")),
      failed > 0 && t("%1 failed", failed),
      reused > 0 && t("%1 asked before", reused),
      left !== null && t("about %1 left", seconds(Math.max(1, left))),
    ].filter(Boolean);
    return (
      <div class="run" key="running">
        <progress max={total || 1} value={progress ? done : undefined} aria-label={t("Answers that have come")} />
        <span>{said.join(" · ")}</span>
        {alive && (
          <button type="button" class="quiet-button" onClick={() => store.stop(null)}>
            <Icon name="stop" /> {t("Stop all")}
          </button>
        )}
      </div>
    );
  }
  const why = store.cut ? t("The kernel went away: this is what had come.") : ended;
  const again = alive && !running && lacking > 0;
  const wakes = store.mayWake;
  if (!why && !again && !wakes) return null;
  return (
    <div class="run" key="ended">
      {why && <span>{why}</span>}
      {wakes && (
        <button type="button" class="quiet-button" onClick={() => store.wake()}>
          {t("Go on in this kernel")}
        </button>
      )}
      {store.waking && <span role="status">{store.waking}</span>}
      {again && (
        <button type="button" class="quiet-button" onClick={() => store.retry()}>
          <Icon name="again" /> {t("Ask again what is missing (%1)", lacking)}
        </button>
      )}
    </div>
  );
}
