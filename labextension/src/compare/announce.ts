// What is said of a comparison to those who do not see it.

import type { State } from "./protocol";
import { t } from "../words";

const SAID: Record<string, string> = {
  loading: t("is being loaded"),
  answering: "answers",
  done: t("is done"),
  stopped: t("was stopped"),
  failed: t("has failed"),
};

/** Sentences of what has become of the columns. */
export function sayings(before: State[], now: State[], names: string[]): string[] {
  return now.flatMap((state, at) => {
    const said = SAID[state.state];
    if (!said || before[at]?.state === state.state) return [];
    const why = state.state === "failed" && state.note ? `: ${state.note}` : "";
    return [`${names[at] ?? t("A model")} ${said}${why}${/[.!?]$/.test(why) ? "" : "."}`];
  });
}
