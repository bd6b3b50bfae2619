// One prompt with all its answers, marked against the baseline's or the expected text.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../ui/icons";
import { Facts, Shown } from "./Answer";
import { useStore } from "./context";
import { Prompt } from "./Prompt";
import type { Row } from "./protocol";
import { groupsOf, type Looked } from "./tables";
import type { View } from "./view";
import { t } from "../words";

interface OpenedProps {
  at: number;
  looked: Looked;
  /** Where in the list. */
  place: number;
  onStep: (by: number) => void;
  onClose: () => void;
}

export function Opened({ at, looked, place, onStep, onClose }: OpenedProps) {
  const store = useStore();
  const { comparison, view } = store;
  const node = useRef<HTMLDivElement>(null);
  const one = comparison.cases[at]!;
  const against = view.against === "expected" && one.expected === null ? "" : view.against;
  useLayoutEffect(() => node.current?.focus(), []); // before the next key
  const keys = (event: KeyboardEvent) => {
    if ((event.target as Element).closest("select, input, pre")) return;
    if (event.key === "Escape") onClose();
    else if (event.key === "ArrowLeft") onStep(-1);
    else if (event.key === "ArrowRight") onStep(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const marks: [View["against"], string][] = [["", "nothing"]];
  if (comparison.contestants.length > 1) marks.push(["baseline", t("the baseline")]);
  if (one.expected !== null) marks.push(["expected", t("what is expected")]);
  return (
    <div class="opened" ref={node} tabIndex={-1} onKeyDown={keys} role="group" aria-label={t("Prompt %1", at + 1)}>
      <div class="toolbar">
        <button type="button" class="quiet-button" onClick={onClose}>
          {t("All prompts")} <kbd>Esc</kbd>
        </button>
        <div class="stepper" role="group" aria-label={t("Prompts")}>
          <IconButton icon="left" label={t("The prompt before (←)")} disabled={place <= 0} onClick={() => onStep(-1)} />
          <span>
            {t("%1 of %2", place + 1, looked.cases.length)}
          </span>
          <IconButton icon="right" label={t("The next prompt (→)")} disabled={place < 0 || place >= looked.cases.length - 1} onClick={() => onStep(1)} />
        </div>
        <span class="space" />
        <div class="segments" role="group" aria-label={t("Mark differences from")}>
          <span>{t("Differences from")}</span>
          {marks.map(([value, text]) => (
            <button type="button" key={value} aria-pressed={against === value} onClick={() => store.look({ against: value })}>
              {text}
            </button>
          ))}
        </div>
      </div>
      <Prompt one={one} />
      <div class="columns" data-n={Math.min(looked.contestants.length, 5)}>
        {looked.contestants.map((contestant) => (
          <Card key={`${at} ${contestant}`} at={at} contestant={contestant} looked={looked} against={against} expected={one.expected} />
        ))}
      </div>
    </div>
  );
}

interface CardProps {
  at: number;
  contestant: number;
  looked: Looked;
  against: View["against"];
  expected: string | null;
}

function Card({ at, contestant, looked, against, expected }: CardProps) {
  const store = useStore();
  const [picked, setPicked] = useState<Row | null>(null);
  const { name, model, own } = store.comparison.contestants[contestant]!;
  const rows = store.rows(at, contestant);
  const groups = groupsOf(rows);
  const row = picked && rows.includes(picked) ? picked : groups[0]?.rows[0];
  const base = contestant === looked.baseline;
  const other = groupsOf(store.rows(at, looked.baseline))[0]?.rows[0];
  const text = against === "expected" ? expected : against === "baseline" && !base && other && !other.error ? other.text : null;
  const about = [model !== name && model, ...own].filter(Boolean).join(" · ");
  return (
    <article class="column card" data-at={contestant} aria-label={t("Answer of %1", name)}>
      <header>
        <div class="who">
          <h3 title={name}>{name}</h3>
          {about && <p class="remark">{about}</p>}
        </div>
        {base && looked.contestants.length > 1 && <span class="tag">{t("baseline")}</span>}
      </header>
      <div class="body" tabIndex={0} role="region" aria-label={t("What %1 says", name)}>
        {row ? <Shown call={row.call} row={row} against={text} /> : <p class="remark">{t("No answer.")}</p>}
      </div>
      {row && (
        <Facts row={row} groups={groups} onChoose={setPicked} />
      )}
    </article>
  );
}
