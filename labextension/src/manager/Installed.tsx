import { t } from "../words";
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
        [t("On this machine"), shown.filter(({ local }) => local)],
        [t("Over the network"), shown.filter(({ local }) => !local)],
      ];
  if (!store.models) return <Waiting what="models" />;
  return (
    <>
      <Failed text={store.failed.get("models")} onClose={() => store.dismiss("models")} />
      {foreign && <p class="remark">{t("They are used where they lie, and never changed.")}</p>}
      {all.length > 6 && (
        <input
          type="search"
          class="filter"
          placeholder={t("Find a model …")}
          aria-label={t("Find a model")}
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
          {filter ? t("No model’s name contains “%1”.", filter) : foreign ? t("No other program here has models that are known.") : t("There is no model yet.")}
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
            {t("Try again")}
          </button>
        </>
      ) : (
        <p>{t("Looking …")}</p>
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
            <IconButton icon="remove" class="remove" label={t("Remove %1", label)} onClick={() => !doing && setAsking(true)} />
          )}
          <IconButton icon="down" class="more" label={t("More of %1", label)} expanded={open} onClick={() => setOpen(!open)} />
        </div>
      </div>
      {held?.state === "loading" && <progress max={1} value={held.progress ?? undefined} aria-label={t("Loading %1", label)} />}
      {asking && (
        <Ask
          question={model.size ? t("Remove %1 and its file (%2)?", label, size(model.size)) : t("Remove %1?", label)}
          yes={t("Remove")}
          no={t("Keep")}
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
      <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Stop %1", label)} onClick={() => void store.stop(model.id)}>
        {t("Stop")}
      </button>
    );
  }
  if (held && !held.elsewhere) {
    return (
      <button type="button" class="quiet-button" aria-disabled={busy || held.state === "unloading"} aria-label={t("Unload %1", label)} onClick={() => held.state !== "unloading" && void store.unload(model.id)}>
        {t("Unload")}
      </button>
    );
  }
  if (model.state === "not-downloaded" || model.state === "missing-file") {
    return (
      <button type="button" class="quiet-button" aria-disabled={busy || coming} aria-label={t("Fetch %1", label)} onClick={() => !coming && void store.pull(model.id)}>
        {t("Fetch")}
      </button>
    );
  }
  if (model.state === "needs-key") {
    return (
      <button type="button" class="quiet-button" aria-label={t("Set its key: %1", label)} onClick={() => store.open("keys", model.engine)}>
        {t("Set its key")}
      </button>
    );
  }
  if (!model.loads || model.state !== "ready") return null;
  return (
    <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Load %1", label)} onClick={() => void store.load(model)}>
      {t("Load")}
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
    [t("Name for questions"), model.id],
    [t("Engine"), model.engine],
    [t("From"), model.origin],
    [t("Kind"), [model.architecture, model.quantisation].filter(Boolean).join(" · ")],
    [t("Context"), model.context ? (model.trained ? t("%1 tokens (trained for %2)", model.context.toLocaleString("en"), model.trained.toLocaleString("en")) : t("%1 tokens", model.context.toLocaleString("en"))) : ""],
    [t("Memory"), model.fit_note],
    [t("Settings"), listed(whole?.settings)],
    [t("Parameters"), listed(whole?.parameters)],
    [t("Remarks"), model.warnings.join(" ")],
    [t("About it"), whole?.description ?? why],
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
    model.context ? t("%1 context", tokens(model.context)) : "",
    model.vision ? t("vision") : "",
    model.reasoning ? t("reasoning") : "",
    model.foreign || model.origin === "data folder" ? "" : model.origin,
  ].filter(Boolean);

const wordsOf = (state: string): string =>
  ({
    ready: "",
    "not-running": t("its server does not run"),
    "needs-key": t("needs a key"),
    "not-downloaded": t("not fetched yet"),
    "missing-file": t("its file is missing"),
    broken: t("broken"),
  })[state] ?? state;

function noteOf(model: Model, held: Held | undefined, doing: string): string {
  if (held?.busy) return answering(held);
  if (held?.state === "loading") return held.progress ? t("loading %1", percent(held.progress)) : t("loading …");
  if (doing) return doing;
  if (held) return held.memory ? t("loaded · %1 of memory", size(held.memory)) : t("loaded");
  if (model.reason) return model.reason;
  if (model.fit && model.fit !== "fits") return model.fit_note;
  return wordsOf(model.state);
}
