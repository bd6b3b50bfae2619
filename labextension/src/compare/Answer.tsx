// One answer, and what is known of it.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Grown } from "../ui/Grown";
import { Icon } from "../ui/icons";
import { Marked } from "../ui/Marked";
import { useLooking } from "./context";
import { alike, parting, parts, type Part } from "./diff";
import { count, money, scored, seconds, speed } from "./numbers";
import type { Call, Row, Writing } from "./protocol";
import { keyOf } from "./store";
import type { Group } from "./tables";
import { t } from "../words";

/** The text of a call, or its reasoning: as it grows, and as it ended. */
export function Said({ call, field, speak }: { call: Call; field: "text" | "reasoning"; speak?: boolean }) {
  const { store, say } = useLooking();
  const key = keyOf(call);
  const text = () => {
    const writing = store.writing.get(key);
    return { text: (writing ?? store.row(call))?.[field] ?? "", done: !writing };
  };
  return <Grown key={`${key} ${field}`} source={store} text={text} read={(reader) => store.read(key, reader)} say={speak ? say : null} />;
}

export function Waiting({ children }: { children?: string }) {
  return (
    <p class="waiting">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {children}
    </p>
  );
}

/** Closed, unless somebody opens it. */
export function Reasoning({ call }: { call: Call }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="reasoning">
      <Fold open={open} onClick={() => setOpen(!open)}>
        {t("Reasoning")}
      </Fold>
      {open && <Said call={call} field="reasoning" />}
    </div>
  );
}

export function Fold({ open, onClick, children }: { open: boolean; onClick: () => void; children: string }) {
  return (
    <button type="button" class="fold" aria-expanded={open} onClick={onClick}>
      <Icon name={open ? "down" : "right"} />
      {children}
    </button>
  );
}

/**
 * What is said in a call, from its first word to its end (in one piece: a text that is drawn does
 * not have to be drawn again); marked against another text, if there is one.
 */
export function Shown({ call, writing, row, against, speak }: {
  call: Call;
  writing?: Writing;
  row?: Row | null;
  against?: string | null;
  speak?: boolean;
}) {
  const { store } = useLooking();
  const key = keyOf(call);
  const absent = !writing && row?.text === null;
  useEffect(() => {
    if (absent) store.want(call);
  }, [absent, key]);
  const { text, reasoning } = writing ?? row ?? { text: "", reasoning: "" };
  const marked = !writing && typeof against === "string" && text !== null && !row?.error;
  return (
    <>
      {reasoning && <Reasoning key={key} call={call} />}
      {marked && text === against && <p class="tag">{t("the same")}</p>}
      {marked && text !== against ? <Differences before={against!} after={text!} /> : text && <Said call={call} field="text" speak={speak} />}
      {writing && !text && <Waiting>{reasoning ? t("Thinking …") : ""}</Waiting>}
      {absent && <p class="remark">{store.mayCome(call) ? "…" : t("This text is too long for what was saved; the comparison has it.")}</p>}
      {row && !writing && text === "" && !row.error && !isStopped(row) && <p class="remark">{t("It said nothing.")}</p>}
      {row && !writing && (isStopped(row) ? <p class="remark">{t("Stopped.")}</p> : row.error && <Failure row={row} />)}
    </>
  );
}

/** By somebody: no failure, though the rest is missing. */
export const isStopped = (row: Row): boolean => row.finish === "cancelled";

function Failure({ row }: { row: Row }) {
  return (
    <p class="failure">
      <Icon name="warn" />
      <span>
        <Marked text={row.error} />
      </span>
    </p>
  );
}

/** Longer texts are marked one after the other, and shown before that. */
const AT_ONCE = 4000;

function useParts(before: string, after: string): Part[] | null {
  const long = before.length + after.length > AT_ONCE;
  const now = useMemo(() => (long ? null : parts(before, after)), [before, after]);
  const [later, setLater] = useState<{ before: string; after: string; found: Part[] } | null>(null);
  useEffect(() => {
    if (!long) return;
    const timer = setTimeout(() => setLater({ before, after, found: parts(before, after) }));
    return () => clearTimeout(timer);
  }, [before, after]);
  return now ?? (later?.before === before && later.after === after ? later.found : null);
}

/** Word by word. */
export function Differences({ before, after }: { before: string; after: string }) {
  const found = useParts(before, after);
  if (!found) return <div class="diff">{after}</div>;
  if (!alike(found)) {
    return (
      <>
        <p class="tag">{t("little in common")}</p>
        <div class="diff">{after}</div>
      </>
    );
  }
  return (
    <div class="diff">
      {found.map(({ kind, text }, at) =>
        kind === "same" ? text : kind === "added" ? <ins key={at}>{text}</ins> : <del key={at}>{text}</del>,
      )}
    </div>
  );
}

/** What stands below an answer. */
export function Facts({ row, groups, onChoose }: { row: Row; groups: Group[]; onChoose: (row: Row) => void }) {
  return (
    <footer>
      <Scores row={row} />
      <Repeats groups={groups} chosen={row} onChoose={onChoose} />
      <Figures row={row} />
      <Details row={row} />
    </footer>
  );
}

/** The texts of several repeats: how often each came, and where they part. */
function Repeats({ groups, chosen, onChoose }: { groups: Group[]; chosen: Row; onChoose: (row: Row) => void }) {
  const all = groups.reduce((sum, group) => sum + group.rows.length, 0);
  if (all < 2) return null;
  if (groups.length === 1) return <p class="repeats">{t("×%1, all alike", all)}</p>;
  const [first, second] = groups.filter((group) => group.text && !group.rows[0]!.error);
  const apart = first && second ? parting(first.text, second.text) : null;
  return (
    <div class="repeats">
      <div class="segments" role="group" aria-label={t("%1 different answers in %2 repeats", groups.length, all)}>
        {groups.map((group, at) => (
          <button
            type="button"
            key={at}
            aria-pressed={group.rows.includes(chosen)}
            aria-label={t("Answer %1, which came %2", at + 1, count(group.rows.length, "time"))}
            onClick={() => onChoose(group.rows[0]!)}
          >
            ×{group.rows.length}
          </button>
        ))}
      </div>
      {apart && (
        <span>
          {t("part at word %1:", apart.word)} <q>{apart.left || t("the end")}</q> / <q>{apart.right || t("the end")}</q>
        </span>
      )}
    </div>
  );
}

/** Speed, time and cost in a line. */
function Figures({ row }: { row: Row }) {
  const { times } = row;
  const said = [
    times.tokens_per_second !== null && speed(times.tokens_per_second),
    times.first_token !== null && t("first token %1", seconds(times.first_token)),
    row.tokens !== null && count(row.tokens, "token"),
    row.cost !== null && money(row.cost),
    row.cold && t("cold start"),
    row.reused && t("asked before"),
    row.finish === "length" && t("cut at its limit"),
  ].filter((one) => one !== false);
  return (
    <p class="figures">
      {said.map((one) => (
        <span key={one}>{one}</span>
      ))}
    </p>
  );
}

function Scores({ row }: { row: Row }) {
  const scores = Object.entries(row.scores);
  if (!scores.length) return null;
  return (
    <ul class="scores">
      {scores.map(([scorer, score]) => (
        <li key={scorer} title={score.note}>
          {scorer} <b>{scored(score)}</b>
        </li>
      ))}
    </ul>
  );
}

/** All that is known of a call. */
function Details({ row }: { row: Row }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="details">
      <Fold open={open} onClick={() => setOpen(!open)}>
        {t("Details")}
      </Fold>
      {open && <Opened row={row} />}
    </div>
  );
}

function Opened({ row }: { row: Row }) {
  const { times } = row;
  const facts: [string, string | null][] = [
    [t("Prompt"), row.prompt_tokens === null ? null : count(row.prompt_tokens, "token")],
    [t("of them cached"), row.cached_tokens ? count(row.cached_tokens, "token") : null],
    [t("Answer"), row.tokens === null ? null : count(row.tokens, "token")],
    [t("Prompt's speed"), times.prompt_tokens_per_second === null ? null : speed(times.prompt_tokens_per_second)],
    [t("Cost"), row.cost === null ? null : money(row.cost)],
    [t("Ended"), row.finish || null],
    [t("Asked"), row.at ? new Date(row.at * 1000).toLocaleString() : null],
  ];
  return (
    <>
      <Timings row={row} />
      <dl>
        {facts.map(([name, value]) => value !== null && (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {Object.entries(row.scores).map(([scorer, score]) => (
          <div key={scorer}>
            <dt>{scorer}</dt>
            <dd>
              {scored(score)} {score.note && <span class="remark">{score.note}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {row.notes.length > 0 && (
        <ul class="notes">
          {row.notes.map((note, at) => (
            <li key={at}>{note}</li>
          ))}
        </ul>
      )}
      <Request row={row} />
    </>
  );
}

const STAGES = ["queue", "load", "prompt", "decode"] as const;

/** Where the time went: a bar of what is known, each part with its figure. */
function Timings({ row }: { row: Row }) {
  const { times } = row;
  const known = STAGES.flatMap((name) => (times[name] ? [{ name: name as string, value: times[name]! }] : []));
  const sum = known.reduce((all, { value }) => all + value, 0);
  const total = Math.max(times.total ?? 0, sum);
  if (!total) return null;
  if (total - sum > total / 100) known.push({ name: "other", value: total - sum });
  return (
    <div class="timings">
      <div class="bar" aria-hidden="true">
        {known.map(({ name, value }) => (
          <i key={name} data-stage={name} style={{ width: `${(100 * value) / total}%` }} />
        ))}
      </div>
      <ul>
        {known.map(({ name, value }) => (
          <li key={name}>
            <i data-stage={name} aria-hidden="true" /> {name} {seconds(value)}
          </li>
        ))}
        <li>{t("in all %1", seconds(total))}</li>
      </ul>
    </div>
  );
}

/** The exact request: the kernel knows it. */
function Request({ row }: { row: Row }) {
  const { store } = useLooking();
  const [text, setText] = useState<string | null>(null);
  if (!store.alive) return null;
  const show = () => {
    setText("…");
    store.ask("request", { call: row.call }).then(setText, (error: Error) => setText(error.message));
  };
  if (text === null) {
    return (
      <button type="button" class="quiet-button" onClick={show}>
        {t("Show the exact request")}
      </button>
    );
  }
  return (
    <pre class="request" tabIndex={0} role="region" aria-label={t("The exact request")}>
      {text}
    </pre>
  );
}

