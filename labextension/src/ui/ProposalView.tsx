import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Proposal } from "../host";
import { t } from "../words";
import { lines } from "./changes";

const SIGNS = { same: " ", removed: "−", added: "+" };
const SAID = { same: "", removed: `${t("Removed:")} `, added: `${t("Added:")} ` };

/** What a proposal would change, to be taken or not. */
export function ProposalView({ proposal, onDone }: { proposal: Proposal; onDone: (said: string) => void }) {
  const accept = useRef<HTMLButtonElement>(null);
  const [wrong, setWrong] = useState("");
  const { before, after } = proposal;
  const found = useMemo(() => lines(before, after), [before, after]);
  useLayoutEffect(() => accept.current?.focus(), [proposal]);
  const refuse = () => {
    proposal.refuse();
    onDone("");
  };
  const take = () => {
    const why = proposal.accept();
    if (why) setWrong(why);
    else onDone(t("Replaced. It has not run; undo (Ctrl+Z in the cell) takes it back."));
  };
  return (
    <section
      class="proposal"
      aria-label={proposal.title}
      onKeyDown={(event) => {
        if (event.key === "Escape") refuse();
      }}
    >
      <header>
        <h3>{proposal.title}</h3>
      </header>
      <pre tabIndex={0} role="region" aria-label={t("What would change")}>
        {found.map(({ kind, runs }, index) => (
          <span class={`change ${kind}`} key={index}>
            <span class="sign" aria-hidden="true">
              {SIGNS[kind]}
            </span>
            {SAID[kind] && <span class="spoken">{SAID[kind]}</span>}
            <span>{runs.map((run, at) => (run.changed ? <mark key={at}>{run.text}</mark> : run.text))}</span>
            {"\n"}
          </span>
        ))}
      </pre>
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="primary" ref={accept} disabled={before === after} onClick={take}>
          {t("Accept")}
        </button>
        <button type="button" onClick={refuse}>
          {t("Refuse")}
        </button>
        {before === after && <span class="remark">{t("The cell has this source already.")}</span>}
      </div>
    </section>
  );
}
