import type { Reply } from "./protocol";

/** Where an answer came from: model, engine, parameters, when, with which versions. */
export function About({ reply }: { reply: Reply }) {
  return (
    <dl class="about" tabIndex={0} aria-label="How this answer came about">
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
    ["Model", model],
    ["Engine", engine],
    row("When", when(about.at)),
    row("Parameters", pairs(part(about.parameters)) || "the defaults"),
    row("Tokens", tokens(usage)),
    ...Object.entries(SECONDS).map(([key, title]) => row(title, seconds(timings[key]))),
    row("Speed", rate(timings.tokens_per_second)),
    row("Ended", ended(about)),
    row("Versions", pairs(part(about.versions))),
    row("Thread", thread),
    row("Name", name),
  ];
  return found.filter((one): one is Row => one !== null && one[1] !== "");
}

const SECONDS: Record<string, string> = {
  queue: "Waited for a slot",
  load: "Loading the model",
  prompt: "Reading the prompt",
  first_token: "To the first token",
  total: "In all",
};

const row = (name: string, value: string): Row | null => (value ? [name, value] : null);

const part = (value: unknown) => (value && typeof value === "object" ? (value as Record<string, unknown>) : {});

function pairs(values: Record<string, unknown>): string {
  const all = Object.entries(values).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return cut(all.join(", "));
}

function tokens({ prompt, completion, cached }: Record<string, unknown>): string {
  const parts = [
    typeof prompt === "number" && prompt ? `${prompt.toLocaleString("en")} asked` : "",
    typeof cached === "number" && cached ? `${cached.toLocaleString("en")} of them known` : "",
    typeof completion === "number" && completion ? `${completion.toLocaleString("en")} answered` : "",
  ];
  return parts.filter(Boolean).join(", ");
}

function seconds(value: unknown): string {
  if (typeof value !== "number" || value < 0.0005) return "";
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
}

const rate = (value: unknown) => (typeof value === "number" ? `${value.toFixed(0)} tokens a second` : "");

function ended({ finish, error }: Record<string, unknown>): string {
  return cut([finish, error].filter((one) => typeof one === "string").join(": "));
}

/** A moment as people here write it. */
function when(value: unknown): string {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? "" : new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

const cut = (text: string) => (text.length > 600 ? `${text.slice(0, 599)}…` : text);
