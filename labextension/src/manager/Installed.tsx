import { useEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../ui/icons";
import { Marked } from "../ui/Marked";
import { Ask, Failed } from "./Ask";
import { useStore } from "./context";
import type { Held } from "./live";
import { noteOf as answering } from "./Status";
import type { Model, Whole } from "./protocol";
import { percent, size, tokens } from "./words";

/** The models that are here: ours and remote ones, or (`foreign`) those of other programs. */
export function Installed({ foreign }: { foreign: boolean }) {
  const store = useStore();
  const [filter, setFilter] = useState("");
  const all = store.models?.filter((model) => model.foreign === foreign) ?? [];
  const word = filter.toLowerCase();
  const shown = all.filter(({ id, name, engine }) => `${id} ${name} ${engine}`.toLowerCase().includes(word));
  const groups: [string, Model[]][] = foreign
    ? [...new Set(shown.map(({ origin }) => origin))].map((origin) => [origin, shown.filter((one) => one.origin === origin)])
    : [
        ["On this machine", shown.filter(({ local }) => local)],
        ["Over the network", shown.filter(({ local }) => !local)],
      ];
  if (!store.models) return <Waiting what="models" />;
  return (
    <>
      <Failed text={store.failed.get("models")} onClose={() => store.dismiss("models")} />
      {foreign && <p class="remark">They are used where they lie, and never changed.</p>}
      {all.length > 6 && (
        <input
          type="search"
          class="filter"
          placeholder="Find a model …"
          aria-label="Find a model"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      {groups.map(([title, models]) =>
        models.length ? (
          <section key={title} aria-label={title}>
            <h2>{title}</h2>
            <ul class="rows">
              {models.map((model) => (
                <Row key={model.id} model={model} held={store.live.held.find(({ model: id }) => id === model.id)} />
              ))}
            </ul>
          </section>
        ) : null,
      )}
      {!shown.length && (
        <p class="empty">
          {filter ? `No model’s name contains “${filter}”.` : foreign ? "No other program here has models that are known." : "There is no model yet."}
        </p>
      )}
    </>
  );
}

export function Waiting({ what }: { what: string }) {
  const store = useStore();
  const why = store.failed.get(what);
  return (
    <div class="empty">
      {why ? (
        <>
          <p role="alert">{why}</p>
          <button type="button" class="quiet-button" onClick={() => void store.look()}>
            Try again
          </button>
        </>
      ) : (
        <p>Looking …</p>
      )}
    </div>
  );
}

function Row({ model, held }: { model: Model; held: Held | undefined }) {
  const store = useStore();
  const [open, setOpen] = useState(false);
  const [asking, setAsking] = useState(false);
  const row = useRef<HTMLLIElement>(null);
  const doing = store.doing.get(model.id) ?? "";
  const label = model.name || model.id;
  const state = held?.busy ? "answering" : held?.state === "ready" ? "loaded" : (held?.state ?? model.state);
  const keep = () => {
    setAsking(false);
    row.current?.querySelector<HTMLElement>(".remove")?.focus();
  };
  return (
    <li class="row" ref={row} data-model={model.id}>
      <div class="line">
        <span class="light" data-state={state} aria-hidden="true" />
        <div class="about">
          <h3>{label}</h3>
          <p class="marks">
            {marks(model).map((mark) => (
              <small key={mark}>{mark}</small>
            ))}
          </p>
          <p class="note">
            <Marked text={noteOf(model, held, doing)} />
          </p>
        </div>
        <div class="do">
          <Actions model={model} held={held} label={label} busy={doing !== ""} />
          {model.removable && (
            <IconButton icon="remove" class="remove" label={`Remove ${label}`} onClick={() => !doing && setAsking(true)} />
          )}
          <IconButton icon="down" class="more" label={`More of ${label}`} expanded={open} onClick={() => setOpen(!open)} />
        </div>
      </div>
      {held?.state === "loading" && <progress max={1} value={held.progress ?? undefined} aria-label={`Loading ${label}`} />}
      {asking && (
        <Ask
          question={`Remove ${label}${model.size ? ` and its file (${size(model.size)})` : ""}?`}
          yes="Remove"
          no="Keep"
          onYes={() => {
            setAsking(false);
            void store.remove(model);
          }}
          onNo={keep}
        />
      )}
      <Failed text={store.failed.get(model.id) ?? store.failed.get(`pull ${model.id}`)} onClose={() => (store.dismiss(model.id), store.dismiss(`pull ${model.id}`))} />
      {open && <Details model={model} />}
    </li>
  );
}

function Actions({ model, held, label, busy }: { model: Model; held: Held | undefined; label: string; busy: boolean }) {
  const store = useStore();
  const coming = store.live.pulls.some(({ id, running }) => id === model.id && running);
  if (held?.ours) {
    return (
      <button type="button" class="quiet-button" aria-disabled={busy} aria-label={`Stop ${label}`} onClick={() => void store.stop(model.id)}>
        Stop
      </button>
    );
  }
  if (held && !held.elsewhere) {
    return (
      <button type="button" class="quiet-button" aria-disabled={busy || held.state === "unloading"} aria-label={`Unload ${label}`} onClick={() => void store.unload(model.id)}>
        Unload
      </button>
    );
  }
  if (model.state === "not-downloaded" || model.state === "missing-file") {
    return (
      <button type="button" class="quiet-button" aria-disabled={busy || coming} aria-label={`Fetch ${label}`} onClick={() => void store.pull(model.id)}>
        Fetch
      </button>
    );
  }
  if (model.state === "needs-key") {
    return (
      <button type="button" class="quiet-button" aria-label={`Set its key: ${label}`} onClick={() => store.open("keys", model.engine)}>
        Set its key
      </button>
    );
  }
  if (!model.loads || model.state !== "ready") return null;
  return (
    <button type="button" class="quiet-button" aria-disabled={busy} aria-label={`Load ${label}`} onClick={() => void store.load(model)}>
      Load
    </button>
  );
}

/** What is known of it besides; the description is somebody's text, and shown as text. */
function Details({ model }: { model: Model }) {
  const store = useStore();
  const [whole, setWhole] = useState<Whole | null>(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    store.whole(model.id).then(setWhole, (error: Error) => setWhy(error.message));
  }, [model.id]);
  const rows: [string, string][] = [
    ["Name for questions", model.id],
    ["Engine", model.engine],
    ["From", model.origin],
    ["Kind", [model.architecture, model.quantisation].filter(Boolean).join(" · ")],
    ["Context", model.context ? `${model.context.toLocaleString("en")} tokens${model.trained ? ` (trained for ${model.trained.toLocaleString("en")})` : ""}` : ""],
    ["Memory", model.fit_note],
    ["Settings", listed(whole?.settings)],
    ["Parameters", listed(whole?.parameters)],
    ["Remarks", model.warnings.join(" ")],
    ["About it", whole?.description ?? why],
  ];
  return (
    <dl class="details">
      {rows
        .filter(([, text]) => text)
        .map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{text}</dd>
          </div>
        ))}
    </dl>
  );
}

const listed = (values: Record<string, unknown> | undefined): string =>
  Object.entries(values ?? {})
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");

const marks = (model: Model): string[] =>
  [
    model.engine,
    model.size ? size(model.size) : "",
    model.quantisation,
    model.context ? `${tokens(model.context)} context` : "",
    model.vision ? "vision" : "",
    model.reasoning ? "reasoning" : "",
    model.foreign || model.origin === "data folder" ? "" : model.origin,
  ].filter(Boolean);

const STATES: Record<string, string> = {
  ready: "",
  "not-running": "its server does not run",
  "needs-key": "needs a key",
  "not-downloaded": "not fetched yet",
  "missing-file": "its file is missing",
  broken: "broken",
};

function noteOf(model: Model, held: Held | undefined, doing: string): string {
  if (held?.busy) return answering(held);
  if (held?.state === "loading") return held.progress ? `loading ${percent(held.progress)}` : "loading …";
  if (doing) return doing;
  if (held) return held.memory ? `loaded · ${size(held.memory)} of memory` : "loaded";
  if (model.reason) return model.reason;
  if (model.fit && model.fit !== "fits") return model.fit_note;
  return STATES[model.state] ?? model.state;
}
