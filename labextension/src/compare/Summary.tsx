// What can be said of all of it: sentences, plots with their intervals, and counts.

import { useStore } from "./context";
import { Dot, scaleOf } from "./Dots";
import { count, money, number, range, seconds, speed } from "./numbers";
import type { Comparison, Estimate, Strength, Verdict } from "./protocol";
import { Baseline } from "./Choice";
import { contestantsOf } from "./tables";
import { t } from "../words";

export function Summary() {
  const store = useStore();
  const { baseline } = contestantsOf(store.comparison, store.view);
  return (
    <>
      <div class="filters">
        <Baseline />
        {store.running && <p class="remark">{t("Not all has come: figures still move.")}</p>}
      </div>
      <section class="plots" aria-label={t("Figures")}>
        {measuresOf(store.comparison, baseline).map((measure) => (
          <Plot key={measure.name} measure={measure} baseline={baseline} />
        ))}
      </section>
      <Votes />
      <Counts />
    </>
  );
}

const WORDS: Record<string, string> = { better: "good", worse: "bad" };

interface Measure {
  /** As verdicts have it. */
  name: string;
  title: string;
  kind: "score" | "amount";
  shown: (value: number) => string;
  /** Of the interval's ends: as short as they can be read. */
  brief: (value: number) => string;
  /** One a contestant. */
  estimates: (Estimate | null)[];
  /** Against the baseline. */
  verdicts: Verdict[];
}

/** Scores, then what was measured; of the rest only what is said. */
function measuresOf(comparison: Comparison, baseline: number): Measure[] {
  const { summaries, scorers } = comparison;
  const against = comparison.verdicts.filter((one) => one.baseline === baseline);
  const said = (name: string) => against.filter((one) => one.scorer === name);
  const scored = scorers.map((name) => {
    const estimates = summaries.map((one) => one.scores[name] ?? null);
    return { name, title: name, kind: "score" as const, shown: number, brief: number, estimates };
  });
  const first = { name: "first token", title: t("First token"), shown: seconds, brief: seconds, estimates: summaries.map((one) => one.first_token) };
  const fast = { name: "tokens/s", title: t("Speed"), shown: speed, brief: number, estimates: summaries.map((one) => one.speed) };
  const whole = { name: "seconds", title: t("Time of an answer"), shown: seconds, brief: seconds, estimates: summaries.map((one) => one.seconds) };
  const measured = [first, whole, fast].map((one) => ({ ...one, kind: "amount" as const }));
  const known = new Set([...scored, ...measured].map(({ name }) => name));
  const others = [...new Set(against.map((one) => one.scorer))].filter((name) => !known.has(name));
  const rest = others.map((name) => ({ name, title: name, kind: "amount" as const, shown: number, brief: number, estimates: [] }));
  return [...scored, ...measured, ...rest]
    .map((one) => ({ ...one, verdicts: said(one.name) }))
    .filter(({ estimates, verdicts }) => estimates.some(Boolean) || verdicts.length > 0);
}

const KINDS: Record<string, string> = { sd: t("± one standard deviation"), half: t("the middle half of the prompts") };

function Plot({ measure, baseline }: { measure: Measure; baseline: number }) {
  const { comparison } = useStore();
  const { estimates, verdicts, shown, brief, title, kind } = measure;
  const scale = scaleOf(estimates, kind);
  const kinds = [...new Set(estimates.flatMap((one) => (one?.kind ? [one.kind] : [])))];
  const prompts = Math.max(0, ...estimates.map((one) => one?.n ?? 0));
  const about = [...kinds.map((one) => KINDS[one] ?? t("%1 intervals", one)), prompts > 0 && count(prompts, "prompt")].filter(Boolean);
  return (
    <div class="plot">
      <h3>{title}</h3>
      {about.length > 0 && <p class="remark">{about.join(" · ")}</p>}
      {estimates.some(Boolean) && (
        <ul class="dots-of">
          {estimates.map((one, at) => (
            <li key={at}>
              <span class="who">{comparison.contestants[at]?.name}</span>
              {one ? (
                <>
                  <Dot estimate={one} scale={scale} mark={at === baseline ? null : estimates[baseline]?.value} />
                  <span class="figure">
                    <b>{shown(one.value)}</b> <span class="remark">{range(one, brief)}</span>
                  </span>
                </>
              ) : (
                <span class="remark">{t("nobody knows")}</span>
              )}
            </li>
          ))}
          <li aria-hidden="true">
            <span class="ends">
              <span>{brief(scale.low)}</span>
              <span>{brief(scale.high)}</span>
            </span>
          </li>
        </ul>
      )}
      <Verdicts verdicts={verdicts} />
    </div>
  );
}

/** What statistics say, in sentences, each with its difference on one scale around zero. */
function Verdicts({ verdicts }: { verdicts: Verdict[] }) {
  const { comparison } = useStore();
  if (!verdicts.length) return null;
  const scale = scaleOf(verdicts.map((one) => one.estimate), "difference");
  return (
    <ul class="verdicts" aria-label={t("Against the baseline")}>
      {verdicts.map((one) => (
        <li key={one.contestant}>
          <span class={`tag ${WORDS[one.word] ?? ""}`}>{one.word || t("no verdict")}</span>
          <p title={comparison.contestants[one.contestant]?.name}>{one.said}</p>
          {one.estimate && <Dot estimate={one.estimate} scale={scale} mark={0} />}
        </li>
      ))}
    </ul>
  );
}

/** Strengths by votes. */
function Votes() {
  const { comparison } = useStore();
  return <Strengths strengths={comparison.strengths} names={comparison.contestants.map(({ name }) => name)} votes={comparison.votes} />;
}

export function Strengths({ strengths, names, votes }: { strengths: Strength[]; names: string[]; votes: number }) {
  if (!strengths.length) return null;
  const estimates = strengths.map(({ value, low, high }) => ({ value, low, high, n: votes, kind: "95 %" }));
  const scale = scaleOf(estimates, "difference");
  return (
    <div class="plot strengths">
      <h3>{t("Strength by votes")}</h3>
      <p class="remark">{t("%1, the strongest first", count(votes, "vote"))}</p>
      <ul class="dots-of">
        {strengths.map((one, at) => (
          <li key={one.contestant}>
            <span class="who">{names[one.contestant]}</span>
            <Dot estimate={estimates[at]!} scale={scale} mark={0} />
            <span class="figure">
              <b>{number(one.value)}</b> <span class="remark">{range(estimates[at]!, number)}</span>
              {one.word && <span class={`tag ${WORDS[one.word] ?? ""}`}>{one.word}</span>}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Counts() {
  const { comparison } = useStore();
  const { summaries, contestants } = comparison;
  if (!summaries.length) return null;
  const some = (found: (number | null)[]) => found.some((one) => one !== null && one > 0);
  const repeated = some(summaries.map((one) => one.repeated));
  const costs = some(summaries.map((one) => one.cost));
  const cut = some(summaries.map((one) => one.cut));
  const loads = some(summaries.map((one) => one.loads));
  const lacking = some(summaries.map((one) => one.errors + one.missing));
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={t("Counts")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("Model")}</th>
            <th scope="col">{t("Answers")}</th>
            {lacking && <th scope="col">{t("Errors")}</th>}
            {lacking && <th scope="col">{t("Missing")}</th>}
            {repeated && <th scope="col">{t("Always alike")}</th>}
            {cut && <th scope="col">{t("Cut")}</th>}
            {loads && <th scope="col">{t("Loads")}</th>}
            <th scope="col">{t("Tokens")}</th>
            {costs && <th scope="col">{t("Cost")}</th>}
          </tr>
        </thead>
        <tbody>
          {summaries.map((one, at) => (
            <tr key={at}>
              <th scope="row">{contestants[at]?.name}</th>
              <td>{one.answers.toLocaleString("en-US")}</td>
              {lacking && <td>{one.errors}</td>}
              {lacking && <td>{one.missing}</td>}
              {repeated && (
                <td>
                  {t("%1 of %2", one.stable, count(one.repeated, "prompt"))}
                </td>
              )}
              {cut && <td>{one.cut}</td>}
              {loads && (
                <td>
                  {one.loads}
                  {one.loading !== null && ` ${t("of %1", seconds(one.loading))}`}
                </td>
              )}
              <td>{one.tokens.toLocaleString("en-US")}</td>
              {costs && <td>{one.cost === null ? "unknown" : money(one.cost)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
