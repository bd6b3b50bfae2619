// Which of two answers is better, without knowing whose they are.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { act } from "../ui/act";
import { Grown } from "../ui/Grown";
import { Fold } from "./Answer";
import { useAnnounced } from "./App";
import type { Ballot, Ballots } from "./ballots";
import { useDrawn } from "./context";
import { useFocusKept } from "../ui/focus";
import { count } from "./numbers";
import type { Choice, Pair, Voted } from "./protocol";
import { Strengths } from "./Summary";
import { t } from "../words";

const CHOICES: [Choice, string, string][] = [
  ["left", "1", t("The first")],
  ["right", "2", t("The second")],
  ["tie", "=", t("Equally good")],
  ["both_bad", "0", t("Both bad")],
];

export function Vote({ ballots }: { ballots: Ballots }) {
  const { live, say, forget } = useAnnounced();
  useDrawn(ballots);
  const { ballot } = ballots;
  const frame = useFocusKept<HTMLElement>(".body");
  const note = useRef<HTMLTextAreaElement>(null);
  const pair = ballot?.pair?.pair;
  // Not `disabled`: that would take the focus away, and the next key would be for the notebook.
  const waits = ballots.sent !== "" || ballots.deaf;
  useLayoutEffect(() => {
    if (ballot && !ballot.last) forget(); // the vote was taken back: no name stays
  }, [ballot]);
  useEffect(() => {
    if (note.current) note.current.value = "";
    if (!ballot) return;
    if (ballot.last) say(told(ballot.last));
    say(ballot.pair ? t("Pair %1 of %2.", ballot.done + 1, ballot.total) : t("All pairs are voted on."));
  }, [pair, ballot?.done]);
  const vote = (choice: Choice) => ballots.vote(choice, note.current?.value.trim() ?? "");
  const keys = (event: KeyboardEvent) => {
    const { key, target, ctrlKey, metaKey, altKey, repeat } = event;
    if (ctrlKey || metaKey || altKey) return;
    if ((target as Element).closest("textarea")) {
      if (key !== "Escape") return;
      frame.current?.focus();
      event.stopPropagation();
      return;
    }
    const choice = CHOICES.find(([, own]) => own === key)?.[0];
    if (choice && !repeat) vote(choice);
    else if (key === "s" && !repeat) ballots.skip();
    else if (key === "u" && !repeat) ballots.undo();
    else if (key === "n") note.current?.focus();
    else if (!choice) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onClick = (event: MouseEvent) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-act=copy]");
    if (button) act(button, say, () => false);
  };
  return (
    <section class="comparison vote" aria-label={t("Blind vote")} tabIndex={-1} ref={frame} onKeyDown={keys} onClick={onClick}>
      {ballots.deaf && <p class="empty">{t("The kernel is gone: run this cell again to go on. Votes are kept.")}</p>}
      {!ballot ? (
        !ballots.deaf && <p class="empty">{t("Waiting for the kernel …")}</p>
      ) : (
        <>
          <header class="top">
            <h2>{t("Which answer is better?")}</h2>
            <span class="remark">
              {t("%1 of %2 voted on", ballot.done, count(ballot.total, "pair"))}
            </span>
          </header>
          {ballot.notice && <p class="remark">{ballot.notice}</p>}
          {ballot.last && (
            <p class="last">
              {told(ballot.last)}{" "}
              <button type="button" class="quiet-button" aria-disabled={waits} onClick={() => ballots.undo()}>
                {t("Undo")} <kbd>u</kbd>
              </button>
            </p>
          )}
          {ballot.pair ? (
            <>
              <Two key={ballot.pair.pair} pair={ballot.pair} ballots={ballots} />
              <div class="choices" role="group" aria-label={t("Your vote")}>
                {CHOICES.map(([choice, key, text]) => (
                  <button type="button" class="quiet-button" key={choice} aria-keyshortcuts={key} aria-disabled={waits} onClick={() => vote(choice)}>
                    {text} <kbd>{key}</kbd>
                  </button>
                ))}
                <button type="button" class="quiet-button" aria-keyshortcuts="s" aria-disabled={waits} onClick={() => ballots.skip()}>
                  {t("Skip")} <kbd>s</kbd>
                </button>
              </div>
              <label class="note-field">
                <span>
                  {t("Note")} <kbd>n</kbd>
                </span>
                <textarea rows={1} ref={note} placeholder={t("Why (kept with the vote)")} />
              </label>
            </>
          ) : (
            <p class="empty">{t("All pairs are voted on.")}</p>
          )}
          <Results ballot={ballot} />
        </>
      )}
      <div class="spoken" aria-live="polite" ref={live} />
    </section>
  );
}

/** Both at once, whole, in the order that was drawn. */
function Two({ pair, ballots }: { pair: Pair; ballots: Ballots }) {
  const last = pair.messages[pair.messages.length - 1];
  return (
    <>
      <section class="prompt" aria-label={t("Prompt")}>
        {pair.messages.slice(0, -1).map((message, at) => (
          <p class="said" key={at}>
            <b>{message.role}</b> {message.text}
          </p>
        ))}
        <p class="said">{last?.text}</p>
      </section>
      <div class="columns" data-n="2">
        {pair.answers.map((text, at) => (
          <article class="column" key={at} aria-label={at ? t("The second answer") : t("The first answer")}>
            <header>
              <h3>{at ? t("The second") : t("The first")}</h3>
            </header>
            <div class="body" tabIndex={0} role="region" aria-label={at ? t("What the second says") : t("What the first says")}>
              <Grown source={ballots} text={() => ({ text, done: true })} read={() => () => {}} say={null} />
            </div>
          </article>
        ))}
      </div>
    </>
  );
}

function told({ choice, names: [left, right], note }: Voted): string {
  const noted = note ? ` (${note})` : "";
  if (choice === "left") return t("You chose %1 over %2%3.", left, right, noted);
  if (choice === "right") return t("You chose %1 over %2%3.", right, left, noted);
  return t(choice === "tie" ? "Equally good: %1 and %2%3." : "Both bad: %1 and %2%3.", left, right, noted);
}

/** Only for those who ask: who knows what leads votes in another way. */
function Results({ ballot }: { ballot: Ballot }) {
  const [open, setOpen] = useState(false);
  if (!ballot.done) return null;
  return (
    <div class="results">
      <Fold open={open} onClick={() => setOpen(!open)}>
        {t("Results so far")}
      </Fold>
      {open &&
        (ballot.strengths.length ? (
          <Strengths strengths={ballot.strengths} names={ballot.names} votes={ballot.done} />
        ) : (
          <p class="remark">{t("More votes are needed.")}</p>
        ))}
    </div>
  );
}
