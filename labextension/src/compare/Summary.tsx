// What can be said of all of it: sentences, plots with their intervals, and counts.

import { useStore } from "./context";
import { Dot, scaleOf } from "./Dots";
import { count, money, number, range, seconds, speed } from "./numbers";
import type { Estimate, Strength, Verdict } from "./protocol";
import { Baseline } from "./Choice";
import { contestantsOf } from "./tables";

export function Summary() {
  const store = useStore();
  const { comparison, view } = store;
  const { baseline } = contestantsOf(comparison, view);
  const verdicts = comparison.verdicts.filter((one) => one.baseline === baseline);
  return (
    <>
      <div class="filters">
        <Baseline />
        {store.running && <p class="remark">Not all has come: figures still move.</p>}
      </div>
      <Verdicts verdicts={verdicts} />
      <Plots baseline={baseline} />
      <Votes />
      <Counts />
    </>
  );
}

const WORDS: Record<string, string> = { better: "good", worse: "bad" };

/** What statistics say, in sentences, with the difference and its interval. */
function Verdicts({ verdicts }: { verdicts: Verdict[] }) {
  const { comparison } = useStore();
  if (!verdicts.length) return null;
  const scorers = [...new Set(verdicts.map((one) => one.scorer))];
  return (
    <section class="verdicts" aria-label="Verdicts">
      {scorers.map((scorer) => {
        const own = verdicts.filter((one) => one.scorer === scorer);
        const scale = scaleOf(own.map((one) => one.estimate), "difference");
        return (
          <div key={scorer}>
            <h3>{scorer}: difference from the baseline</h3>
            <ul>
              {own.map((one) => (
                <li key={one.contestant}>
                  <span class="who">{comparison.contestants[one.contestant]?.name}</span>
                  <span class={`tag ${WORDS[one.word] ?? ""}`}>{one.word || "no verdict"}</span>
                  {one.estimate ? <Dot estimate={one.estimate} scale={scale} mark={0} /> : <span />}
                  <p>{one.said}</p>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}

interface Measure {
  title: string;
  kind: "score" | "amount";
  shown: (value: number) => string;
  /** Of the interval's ends: as short as they can be read. */
  brief: (value: number) => string;
  /** One a contestant. */
  estimates: (Estimate | null)[];
}

function Plots({ baseline }: { baseline: number }) {
  const { comparison } = useStore();
  const { summaries, scorers } = comparison;
  const all: Measure[] = [
    ...scorers.map((scorer) => ({
      title: scorer,
      kind: "score" as const,
      shown: number,
      brief: number,
      estimates: summaries.map((one) => one.scores[scorer] ?? null),
    })),
    { title: "First token", kind: "amount", shown: seconds, brief: seconds, estimates: summaries.map((one) => one.first_token) },
    { title: "Speed", kind: "amount", shown: speed, brief: number, estimates: summaries.map((one) => one.speed) },
  ];
  const told = all.filter(({ estimates }) => estimates.some(Boolean));
  if (!told.length) return null;
  return (
    <section class="plots" aria-label="Figures">
      {told.map((measure) => (
        <Plot key={measure.title} measure={measure} baseline={baseline} />
      ))}
    </section>
  );
}

const KINDS: Record<string, string> = { sd: "± one standard deviation", half: "the middle half of the prompts" };

function Plot({ measure, baseline }: { measure: Measure; baseline: number }) {
  const { comparison } = useStore();
  const { estimates, shown, brief, title, kind } = measure;
  const scale = scaleOf(estimates, kind);
  const kinds = [...new Set(estimates.flatMap((one) => (one?.kind ? [one.kind] : [])))];
  const prompts = Math.max(...estimates.map((one) => one?.n ?? 0));
  const about = [...kinds.map((one) => KINDS[one] ?? `${one} intervals`), prompts > 0 && count(prompts, "prompt")].filter(Boolean);
  return (
    <div class="plot">
      <h3>{title}</h3>
      <p class="remark">{about.join(" · ")}</p>
      <ul>
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
              <span class="remark">nobody knows</span>
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
    </div>
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
      <h3>Strength by votes</h3>
      <p class="remark">{count(votes, "vote")}, the strongest first</p>
      <ul>
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
  const lacking = some(summaries.map((one) => one.errors + one.missing));
  return (
    <div class="wide" tabIndex={0} role="region" aria-label="Counts">
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Answers</th>
            {lacking && <th scope="col">Errors</th>}
            {lacking && <th scope="col">Missing</th>}
            {repeated && <th scope="col">Always alike</th>}
            <th scope="col">Tokens</th>
            {costs && <th scope="col">Cost</th>}
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
                  {one.stable} of {count(one.repeated, "prompt")}
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
