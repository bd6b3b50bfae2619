// How a comparison is looked at: kept by the host as a text, over a reload and a save.

export interface View {
  tab: "" | "columns" | "rows" | "summary";
  /** A contestant's name; empty: the first. */
  baseline: string;
  /** What answers are marked against. */
  against: "" | "baseline" | "expected";
  order: "" | "asked" | "worse" | "better";
  /** By which scorer; empty: the first. */
  scorer: string;
  text: string;
  differs: boolean;
  errors: boolean;
  score: "" | "worse" | "better" | "low";
  /** Names of contestants that are not shown. */
  hidden: string[];
  /** Columns scroll together. */
  together: boolean;
}

export const PLAIN: View = {
  tab: "",
  baseline: "",
  against: "baseline",
  order: "",
  scorer: "",
  text: "",
  differs: false,
  errors: false,
  score: "",
  hidden: [],
  together: false,
};

const CHOICES: Partial<Record<keyof View, readonly string[]>> = {
  tab: ["", "columns", "rows", "summary"],
  against: ["", "baseline", "expected"],
  order: ["", "asked", "worse", "better"],
  score: ["", "worse", "better", "low"],
};

/** What was kept, as far as it can be read: it may be of another version, or anybody's. */
export function readView(kept: string): View {
  let found: unknown;
  try {
    found = JSON.parse(kept);
  } catch {
    return { ...PLAIN };
  }
  const view: Record<string, unknown> = { ...PLAIN };
  if (typeof found !== "object" || found === null) return { ...PLAIN };
  for (const [name, plain] of Object.entries(PLAIN)) {
    const value = (found as Record<string, unknown>)[name];
    const choices = CHOICES[name as keyof View];
    const fits = Array.isArray(plain)
      ? Array.isArray(value) && value.every((one) => typeof one === "string")
      : typeof value === typeof plain && (!choices || choices.includes(value as string));
    if (fits) view[name] = value;
  }
  return view as unknown as View;
}

/** Only what is not as it is anyway; empty if all is. */
export function writeView(view: View): string {
  const same = (name: string) =>
    JSON.stringify(view[name as keyof View]) === JSON.stringify(PLAIN[name as keyof View]);
  const kept = Object.entries(view).filter(([name]) => !same(name));
  return kept.length ? JSON.stringify(Object.fromEntries(kept)) : "";
}
