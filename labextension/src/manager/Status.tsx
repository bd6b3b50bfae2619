import { t } from "../words";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useFocusKept } from "../ui/focus";
import { StoreContext, useChanges, useStore } from "./context";
import { Failed } from "./Ask";
import type { Held, Live } from "./live";
import { PullRow, shareOf } from "./Pulls";
import type { Store } from "./store";
import { percent, size } from "./words";

interface Summary {
  text: string;
  /** For the light. */
  state: string;
  /** 0 … 1; `undefined`: it goes on, and nobody knows how far it is; `null`: nothing does. */
  progress: number | null | undefined;
}

/** What is said in the status bar: the one thing that matters most now. */
export function summaryOf({ state, held, pulls }: Pick<Live, "state" | "held" | "pulls">): Summary {
  if (state === "absent") return { text: t("Jan: not on this server"), state: "failed", progress: null };
  if (state === "away") return { text: t("Jan: no answer"), state: "failed", progress: null };
  const loading = held.find((one) => one.state === "loading" || one.state === "queued");
  if (loading) {
    const share = loading.progress;
    return { text: share ? t("Loading %1 %2", loading.model, percent(share)) : t("Loading %1", loading.model), state: "loading", progress: share ?? undefined };
  }
  const coming = pulls.filter(({ running }) => running);
  const writing = held.filter(({ busy }) => busy);
  const here = held.filter(({ elsewhere }) => !elsewhere);
  const memory = here.reduce((sum, one) => sum + one.memory, 0);
  const amount = memory ? ` · ${size(memory)}` : "";
  if (writing.length) {
    const who = writing.length === 1 ? t("%1 answers", writing[0]!.model) : t("%1 models answer", writing.length);
    return { text: `${who}${amount}`, state: "answering", progress: null };
  }
  if (coming.length) {
    const [first] = coming as [(typeof coming)[0]];
    const share = shareOf(first);
    const who = first.id + (coming.length > 1 ? ` +${coming.length - 1}` : "");
    return { text: share === null ? t("Fetching %1", who) : t("Fetching %1 %2", who, percent(share)), state: "loading", progress: share ?? undefined };
  }
  if (held.length === 1) return { text: `${held[0]!.model}${amount}`, state: "loaded", progress: null };
  if (held.length) return { text: `${t("%1 models", held.length)}${amount}`, state: "loaded", progress: null };
  return { text: "Jan", state: "none", progress: null };
}

/** The item of the status bar, and what opens above it. */
export function Status({ store, manage }: { store: Store; manage: () => void }) {
  const { live } = store;
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useChanges((watcher) => store.watch(watcher));
  const { text, state, progress } = summaryOf(live);
  return (
    <StoreContext.Provider value={store}>
      <button
        ref={button}
        type="button"
        class="item"
        aria-haspopup="dialog"
        aria-expanded={open}
        title={live.why || t("Models in memory")}
        onClick={() => setOpen(!open)}
      >
        <span class="light" data-state={state} aria-hidden="true" />
        <span class="text">{text}</span>
        {progress !== null && <progress max={1} value={progress} aria-hidden="true" />}
      </button>
      {open && (
        <Popup
          anchor={button.current!}
          manage={() => {
            setOpen(false);
            manage();
          }}
          onClose={(back) => {
            setOpen(false);
            if (back) button.current?.focus();
          }}
        />
      )}
    </StoreContext.Provider>
  );
}

function Popup({ anchor, manage, onClose }: { anchor: HTMLElement; manage: () => void; onClose: (back: boolean) => void }) {
  const store = useStore();
  const { held, pulls, memory, why } = store.live;
  const here = held.filter(({ elsewhere }) => !elsewhere);
  const others = held.filter(({ elsewhere }) => elsewhere);
  const box = useFocusKept<HTMLDivElement>(".do button, footer button");
  useLayoutEffect(() => {
    const popup = box.current!;
    // Above all of the page: JupyterLab's bar clips what leaves it.
    popup.showPopover();
    const place = () => {
      const { left, top } = anchor.getBoundingClientRect();
      popup.style.left = `${Math.max(8, Math.min(left, innerWidth - popup.offsetWidth - 8))}px`;
      popup.style.bottom = `${innerHeight - top + 6}px`;
    };
    place();
    popup.focus();
    const away = (event: PointerEvent) => {
      if (![popup, anchor].some((one) => event.composedPath().includes(one))) onClose(false);
    };
    document.addEventListener("pointerdown", away, true);
    window.addEventListener("resize", place);
    return () => {
      document.removeEventListener("pointerdown", away, true);
      window.removeEventListener("resize", place);
    };
  }, []);
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    onClose(true);
  };
  return (
    <div class="popup" popover="manual" role="dialog" aria-label={t("Models in memory")} tabIndex={-1} ref={box} onKeyDown={keys}>
      {why ? (
        <p class="empty">{why}</p>
      ) : (
        <>
          {here.length > 0 && <Rows title={t("In memory")} held={here} />}
          {others.length > 0 && <Rows title={t("Asked over the network")} held={others} />}
          {!held.length && <p class="empty">{t("No model is in memory. The first question loads one.")}</p>}
          {pulls.length > 0 && (
            <>
              <h2>{t("On their way")}</h2>
              <ul class="rows">
                {pulls.map((pull) => (
                  <PullRow key={pull.id} pull={pull} />
                ))}
              </ul>
            </>
          )}
        </>
      )}
      <footer>
        {memory && (
          <span>
            {t("%1 of %2 free", size(memory.free), size(memory.total))}
          </span>
        )}
        <button type="button" class="quiet-button" onClick={manage}>
          {t("All models …")}
        </button>
      </footer>
    </div>
  );
}

function Rows({ title, held }: { title: string; held: Held[] }) {
  return (
    <>
      <h2>{title}</h2>
      <ul class="rows">
        {held.map((one) => (
          <HeldRow key={one.model} held={one} />
        ))}
      </ul>
    </>
  );
}

function HeldRow({ held }: { held: Held }) {
  const store = useStore();
  const busy = store.doing.has(held.model);
  const loading = held.state === "loading" || held.state === "queued";
  return (
    <li class="row" data-model={held.model}>
      <div class="line">
        <span class="light" data-state={held.busy ? "answering" : loading ? "loading" : "loaded"} aria-hidden="true" />
        <div class="about">
          <h3>{held.model}</h3>
          <p class="note">{[noteOf(held), held.memory ? size(held.memory) : "", held.engine].filter(Boolean).join(" · ")}</p>
        </div>
        <div class="do">
          {held.ours > 0 && (
            <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Stop %1", held.model)} onClick={() => void store.stop(held.model)}>
              {t("Stop")}
            </button>
          )}
          {!held.elsewhere && (
            <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Unload %1", held.model)} onClick={() => void store.unload(held.model)}>
              {t("Unload")}
            </button>
          )}
        </div>
      </div>
      {loading && <progress max={1} value={held.progress ?? undefined} aria-label={t("Loading %1", held.model)} />}
      <Failed text={store.failed.get(held.model)} onClose={() => store.dismiss(held.model)} />
    </li>
  );
}

export function noteOf({ state, busy, ours, tokens, progress }: Held): string {
  if (busy) {
    const answers = busy > 1 ? t("writes %1 answers", busy) : t("answers");
    return [answers, ours ? tokens && t("%1 tokens", tokens) : t("asked elsewhere")].filter(Boolean).join(" · ");
  }
  if (state === "loading" || state === "queued") return progress ? t("loading %1", percent(progress)) : t("loading …");
  return state === "unloading" ? t("is being unloaded") : "";
}
