// All prompts, a row each: which differ, which got worse. Only what is in sight is in the page.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Baseline, Choice } from "./Choice";
import { useLooking, useStore } from "./context";
import { Opened } from "./Opened";
import { count, scored } from "./numbers";
import type { Comparison, Row } from "./protocol";
import type { Store } from "./store";
import { groupsOf, look, meanScore, orderOf, type Looked } from "./tables";
import { PLAIN, type View } from "./view";
import { scrollTo, windowOf } from "./windowing";
import { t } from "../words";

export function Rows() {
  const store = useStore();
  const looked = useLooked(store);
  const [opened, setOpened] = useState<number | null>(null);
  const wasOpen = useRef(false);
  const [chosen, setChosen] = useState(-1);
  // By its case: the order may change while answers come.
  const active = Math.max(0, looked.cases.indexOf(chosen));
  const setActive = (index: number) => setChosen(looked.cases[index] ?? -1);
  const at = opened === null ? -1 : looked.cases.indexOf(opened);
  if (opened !== null && store.comparison.cases[opened]) {
    const step = (by: number) => {
      const next = looked.cases[at + by];
      if (next === undefined) return;
      setOpened(next);
      setChosen(next);
    };
    return (
      <Opened
        at={opened}
        looked={looked}
        place={at}
        onStep={step}
        onClose={() => {
          wasOpen.current = true;
          setOpened(null);
        }}
      />
    );
  }
  return (
    <>
      <Filters looked={looked} />
      {looked.cases.length ? (
        <List
          looked={looked}
          wasOpen={wasOpen}
          active={active}
          onActive={setActive}
          onOpen={(index) => {
            setActive(index);
            setOpened(looked.cases[index]!);
          }}
        />
      ) : (
        <p class="empty">{store.comparison.cases.length ? t("No prompt is like that.") : t("Nothing was asked.")}</p>
      )}
    </>
  );
}

/** What is shown, in its order; worked out again at most for a tenth of the time. */
function useLooked(store: Store): Looked {
  const known = useRef<{ version: number; view: View; looked: Looked; again: number } | null>(null);
  const [, draw] = useState(0);
  const { comparison, version, view } = store;
  const before = known.current;
  const stale = !before || before.version !== version;
  const now = performance.now();
  if (!before || before.view !== view || (stale && now >= before.again)) {
    const looked = look(comparison!, store.table, view);
    const cost = performance.now() - now;
    known.current = { version, view, looked, again: performance.now() + (store.running ? 10 * cost : 0) };
  }
  const { again } = known.current!;
  const late = known.current!.version !== version;
  useEffect(() => {
    if (!late) return;
    const timer = setTimeout(() => draw((n) => n + 1), Math.max(0, again - performance.now()) + 1);
    return () => clearTimeout(timer);
  }, [late, again]);
  return known.current!.looked;
}

/** Whose answers are shown, against whom, and which. */
function Filters({ looked }: { looked: Looked }) {
  const store = useStore();
  const { comparison, view } = store;
  const { contestants, scorers } = comparison;
  const able = scorers.length > 0 && contestants.length > 1;
  const filtered = view.text !== "" || view.differs || view.errors || view.score !== "" || view.hidden.length > 0;
  const { text, differs, errors, score, hidden } = PLAIN;
  return (
    <div class="filters" role="search" aria-label={t("Which prompts are shown")}>
      <input
        type="search"
        placeholder={t("Search")}
        aria-label={t("Search in prompts and answers")}
        value={view.text}
        onInput={(event) => store.look({ text: event.currentTarget.value })}
      />
      <Baseline />
      {scorers.length > 1 && (
        <Choice label={t("Score")} value={looked.scorer} options={scorers.map((one) => [one, one])} onChoose={(scorer) => store.look({ scorer })} />
      )}
      {scorers.length > 0 && (
        <Choice
          label={t("Show")}
          value={view.score}
          options={[
            ["", t("any score")],
            ...(able ? ([["worse", t("worse than the baseline")], ["better", t("better than the baseline")]] as [string, string][]) : []),
            ["low", t("not full")],
          ]}
          onChoose={(value) => store.look({ score: value as View["score"] })}
        />
      )}
      {able && (
        <Choice
          label={t("Order")}
          value={orderOf(comparison, view)}
          options={[["worse", t("biggest regression first")], ["better", t("biggest gain first")], ["asked", t("as asked")]]}
          onChoose={(value) => store.look({ order: value as View["order"] })}
        />
      )}
      <label class="check">
        <input type="checkbox" checked={view.differs} onChange={(event) => store.look({ differs: event.currentTarget.checked })} />
        {t("Only what differs")}
      </label>
      <label class="check">
        <input type="checkbox" checked={view.errors} onChange={(event) => store.look({ errors: event.currentTarget.checked })} />
        {t("Only errors")}
      </label>
      {contestants.length > 2 && <Models />}
      {filtered && (
        <button type="button" class="quiet-button" onClick={() => store.look({ text, differs, errors, score, hidden })}>
          {t("Show all")}
        </button>
      )}
      <p class="remark" role="status">
        {looked.cases.length === comparison.cases.length
          ? count(looked.cases.length, "prompt")
          : t("%1 of %2", looked.cases.length.toLocaleString("en-US"), count(comparison.cases.length, "prompt"))}
      </p>
    </div>
  );
}

/** Which models are shown. */
function Models() {
  const store = useStore();
  const { comparison, view } = store;
  return (
    <fieldset class="models">
      <legend>{t("Models")}</legend>
      {comparison.contestants.map(({ name }) => {
        const shown = !view.hidden.includes(name);
        const hidden = shown ? [...view.hidden, name] : view.hidden.filter((one) => one !== name);
        return (
          <label class="check" key={name}>
            <input type="checkbox" checked={shown} onChange={() => store.look({ hidden })} />
            {name}
          </label>
        );
      })}
    </fieldset>
  );
}

/** Heights of a row: side by side, and one under another. */
const HEIGHT = { wide: 98, head: 32, line: 42, narrow: 600 };

interface ListProps {
  looked: Looked;
  /** Whether a row was open before: then the focus comes back to it. */
  wasOpen: { current: boolean };
  active: number;
  onActive: (index: number) => void;
  onOpen: (index: number) => void;
}

function List({ looked, wasOpen, active, onActive, onOpen }: ListProps) {
  const { store, say } = useLooking();
  const { cases, contestants } = looked;
  const node = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 800, height: 480 });
  const [scrolled, setScrolled] = useState(0);
  const narrow = size.width < HEIGHT.narrow;
  const row = narrow ? HEIGHT.head + HEIGHT.line * contestants.length : HEIGHT.wide;
  useLayoutEffect(() => {
    const list = node.current!;
    const measure = () => setSize({ width: list.clientWidth, height: list.clientHeight });
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(list);
    return () => watch.disconnect();
  }, []);
  const { from, to } = windowOf(scrolled, size.height, row, cases.length);
  const shown = Array.from({ length: to - from }, (_, n) => from + n);
  // Who has the focus stays in the page.
  if (active < from) shown.unshift(active);
  else if (active >= to) shown.push(active);
  const focus = (index: number) => {
    const list = node.current!;
    const target = scrollTo(index, list.scrollTop, list.clientHeight - HEAD, row);
    if (target !== null) list.scrollTop = target;
    wanted.current = index;
    onActive(index);
    focusWanted();
  };
  // At once, or as soon as the row is there: the next key is meant for it.
  const wanted = useRef<number | null>(null);
  const focusWanted = () => {
    if (wanted.current === null) return;
    const button = node.current!.querySelector<HTMLElement>(`[data-index="${wanted.current}"] button`);
    if (button) wanted.current = null;
    button?.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    // In one step with what took it away: the notebook around would take it.
    if (wasOpen.current) focus(active);
    wasOpen.current = false;
  }, []);
  useLayoutEffect(focusWanted);
  const keys = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(size.height / row) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    focus(Math.max(0, Math.min(cases.length - 1, active + step)));
  };
  return (
    <div
      class={`list ${narrow ? "narrow" : ""}`}
      ref={node}
      onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
      onKeyDown={keys}
      role="table"
      aria-label={t("Prompts and answers")}
      aria-rowcount={cases.length + 1}
      style={{ "--n": contestants.length }}
    >
      <div class="list-head" role="row" aria-rowindex={1}>
        <span role="columnheader">{t("Prompt")}</span>
        {contestants.map((at) => (
          <span role="columnheader" key={at}>
            {store.comparison!.contestants[at]!.name}
            {at === looked.baseline && contestants.length > 1 && <small> {t("baseline")}</small>}
          </span>
        ))}
      </div>
      <div class="list-rows" role="rowgroup" style={{ height: `${cases.length * row}px` }}>
        {shown.map((index) => (
          <Line
            key={cases[index]}
            store={store}
            index={index}
            top={index * row}
            height={row}
            looked={looked}
            active={index === active}
            onOpen={() => {
              say(t("Prompt %1.", cases[index]! + 1));
              onOpen(index);
            }}
          />
        ))}
      </div>
    </div>
  );
}

/** The head's own height. */
const HEAD = 28;

interface LineProps {
  store: Store;
  index: number;
  top: number;
  height: number;
  looked: Looked;
  active: boolean;
  onOpen: () => void;
}

function Line({ store, index, top, height, looked, active, onOpen }: LineProps) {
  const at = looked.cases[index]!;
  const { comparison } = store;
  const one = comparison!.cases[at]!;
  const asked = one.messages[one.messages.length - 1]?.text ?? one.name;
  return (
    <div
      class="entry"
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
      onClick={onOpen}
    >
      <span class="asked" role="rowheader">
        <button type="button" tabIndex={active ? 0 : -1}>
          <span class="number">{at + 1}</span> {excerpt(asked)}
        </button>
      </span>
      {looked.contestants.map((contestant) => (
        <CellView key={contestant} store={store} comparison={comparison!} at={at} contestant={contestant} looked={looked} />
      ))}
    </div>
  );
}

const excerpt = (text: string): string => text.slice(0, 300).replace(/\s+/g, " ").trim();

/** An answer without the marks of its Markdown that are in the way of a line. */
const plain = (text: string): string => excerpt(text.slice(0, 400).replace(/^ *#{1,6} |\*\*|`+\w*\n|`/gm, ""));

interface CellProps {
  store: Store;
  comparison: Comparison;
  at: number;
  contestant: number;
  looked: Looked;
}

function CellView({ store, comparison, at, contestant, looked }: CellProps) {
  const rows = store.rows(at, contestant);
  const groups = groupsOf(rows);
  const first = groups[0]?.rows[0];
  const absent = first?.text === null;
  useEffect(() => {
    if (absent) store.want(first!.call);
  }, [absent, at, contestant]);
  const score = looked.scorer ? meanScore(rows, looked.scorer) : null;
  const base = looked.scorer ? meanScore(store.rows(at, looked.baseline), looked.scorer) : null;
  const change = score === null || base === null || contestant === looked.baseline ? 0 : score - base;
  return (
    <span class="cell" role="cell">
      <span class="marks">
        <span class="name">{comparison.contestants[contestant]!.name}</span>
        {score !== null && <b>{scoredAll(rows, looked.scorer, score)}</b>}
        {change < 0 && <span class="tag bad">{t("worse")}</span>}
        {change > 0 && <span class="tag good">{t("better")}</span>}
        {rows.length > 1 && <span class="tag">{groups.length === 1 ? t("×%1 alike", rows.length) : t("%1 answers in ×%2", groups.length, rows.length)}</span>}
      </span>
      {first?.error ? <span class="text error-text">{excerpt(first.error)}</span> : <span class="text">{first ? plain(first.text ?? "…") : "–"}</span>}
    </span>
  );
}

/** A score over all repeats: how many were right, where it is one of yes and no. */
function scoredAll(rows: Row[], scorer: string, mean: number): string {
  const values = rows.map((row) => row.scores[scorer]?.value);
  if (rows.length === 1 || !values.every((one) => typeof one === "boolean")) {
    return scored(rows.length === 1 ? rows[0]!.scores[scorer]! : { value: mean, note: "" });
  }
  return `${scored({ value: mean === 1, note: "" })} ${values.filter(Boolean).length} of ${rows.length}`;
}
