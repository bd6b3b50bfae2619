import { t } from "../words";
import type { Reply } from "./protocol";

/** Where an answer came from: model, engine, parameters, when, with which versions. */
export function About({ reply }: { reply: Reply }) {
  return (
    <dl class="about" tabIndex={0} aria-label={t("How this answer came about")}>
      {rows(reply).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

type Row = [name: string, value: string];

function rows({ provenance: about, model, engine, thread, name }: Reply): Row[] {
  const usage = part(about.usage);
  const timings = part(about.timings);
  const found: (Row | null)[] = [
    [t("Model"), model],
    [t("Engine"), engine],
    row(t("When"), when(about.at)),
    row(t("Parameters"), pairs(part(about.parameters)) || t("the defaults")),
    row(t("Tokens"), tokens(usage)),
    ...SECONDS.map(([key, title]) => row(title, seconds(timings[key]))),
    row(t("Speed"), rate(timings.tokens_per_second)),
    row(t("Ended"), ended(about)),
    row(t("Versions"), pairs(part(about.versions))),
    row(t("Thread"), thread),
    row(t("Name"), name),
  ];
  return found.filter((one): one is Row => one !== null && one[1] !== "");
}

const SECONDS: Row[] = [
  ["queue", t("Waited for a slot")],
  ["load", t("Loading the model")],
  ["prompt", t("Reading the prompt")],
  ["first_token", t("To the first token")],
  ["total", t("In all")],
];

const row = (name: string, value: string): Row | null => (value ? [name, value] : null);

const part = (value: unknown) => (value && typeof value === "object" ? (value as Record<string, unknown>) : {});

function pairs(values: Record<string, unknown>): string {
  const all = Object.entries(values).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return cut(all.join(", "));
}

function tokens({ prompt, completion, cached }: Record<string, unknown>): string {
  const parts = [
    typeof prompt === "number" && prompt ? t("%1 asked", prompt.toLocaleString("en")) : "",
    typeof cached === "number" && cached ? t("%1 of them known", cached.toLocaleString("en")) : "",
    typeof completion === "number" && completion ? t("%1 answered", completion.toLocaleString("en")) : "",
  ];
  return parts.filter(Boolean).join(", ");
}

function seconds(value: unknown): string {
  if (typeof value !== "number" || value < 0.0005) return "";
  return value < 1 ? t("%1 ms", Math.round(value * 1000)) : t("%1 s", value.toFixed(1));
}

const rate = (value: unknown) => (typeof value === "number" ? t("%1 tokens a second", value.toFixed(0)) : "");

function ended({ finish, error }: Record<string, unknown>): string {
  return cut([finish, error].filter((one) => typeof one === "string").join(": "));
}

/** A moment as people here write it. */
function when(value: unknown): string {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? "" : new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

const cut = (text: string) => (text.length > 600 ? `${text.slice(0, 599)}…` : text);
