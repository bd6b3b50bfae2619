import type { Brought, Context } from "../protocol";
import type { Along } from "../session";
import { t } from "../words";
import { IconButton } from "./icons";

/** What goes with a draft, each with about how many tokens it has and what of it was cut. */
export function AlongView(props: { along: Along | null; attached: Context[]; onRemove: (one: Context) => void }) {
  const { along, attached, onRemove } = props;
  const known = along?.context ?? [];
  // What is attached is seen at once, and told of once it is known.
  const unknown = attached.filter((one) => !known.some(({ label }) => label === one.label));
  const chips: (Context & Partial<Brought>)[] = [...unknown, ...known];
  if (!chips.length && !along?.missing.length) return null;
  return (
    <div class="along">
      {chips.length > 0 && (
        <div class="context" role="group" aria-label={t("Goes along")}>
          {chips.map((one) => {
            const own = attached.find(({ label }) => label === one.label);
            return (
              <div class="chip" key={one.label}>
                <details class={one.cut ? "cut" : ""}>
                  <summary>
                    {one.label}
                    {one.tokens !== undefined && <small>{` ≈ ${one.tokens.toLocaleString()} tokens`}</small>}
                    {Boolean(one.cut) && <small class="lost-letters">{`, ${t("%1 characters cut", one.cut!.toLocaleString())}`}</small>}
                  </summary>
                  <pre tabIndex={0}>{one.text}</pre>
                </details>
                {own && <IconButton icon="close" label={t("Leave out %1", one.label)} onClick={() => onRemove(own)} />}
              </div>
            );
          })}
        </div>
      )}
      {along?.missing.map((line) => (
        <p class="remark" role="status" key={line}>
          {line}
        </p>
      ))}
    </div>
  );
}

/** How much of what a model can read a question takes. */
export function Gauge({ along }: { along: Along | null }) {
  if (!along?.tokens) return <span class="tokens" role="status" />;
  const { tokens, counted, length } = along;
  const said = `${counted ? "" : "≈ "}${tokens.toLocaleString()}`;
  const over = length !== null && tokens >= length;
  return (
    <span class={`tokens ${over ? "over" : ""}`} role="status" title={over ? t("More than the model can read, with its answer") : ""}>
      {length ? t("%1 of %2 tokens", said, length.toLocaleString()) : t("%1 tokens", said)}
      {length !== null && <meter min={0} max={length} high={length * 0.75} value={Math.min(tokens, length)} aria-label={t("How full the model's context is")} />}
    </span>
  );
}
