import { t } from "../words";
import { useEffect, useRef } from "preact/hooks";
import { Announcer } from "../compare/announce";
import { useFocusKept } from "../compare/focus";
import { StoreContext, useChanges } from "./context";
import { Engines } from "./Engines";
import { Get } from "./Get";
import { Installed } from "./Installed";
import { Keys } from "./Keys";
import type { Store, Tab } from "./store";
import { size } from "./words";

const TABS: Tab[] = ["installed", "apps", "get", "keys", "engines"];

const titleOf = (tab: Tab): string =>
  ({ installed: t("Installed"), apps: t("Other apps"), get: t("Get models"), keys: t("Keys"), engines: t("Engines") })[tab];

/** The model manager, whole. */
export function App({ store }: { store: Store }) {
  const spoken = useRef<HTMLDivElement>(null);
  const tabs = useRef<HTMLDivElement>(null);
  const frame = useFocusKept<HTMLElement>(".do button, [role=tab][tabindex='0']");
  useChanges((watcher) => store.watch(watcher));
  useEffect(() => {
    const announcer = new Announcer((text) => spoken.current && (spoken.current.textContent = text));
    store.say = (text) => announcer.say(text);
    return () => announcer.close();
  }, [store]);
  const keys = (event: KeyboardEvent) => {
    const at = TABS.indexOf(store.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (to + TABS.length) % TABS.length;
    store.open(TABS[next]!);
    tabs.current!.querySelectorAll<HTMLElement>("[role=tab]")[next]!.focus();
  };
  const { tab, live } = store;
  return (
    <StoreContext.Provider value={store}>
      <section class="manager" aria-label={t("Models")} ref={frame}>
        <header class="top">
          <div class="tabs" role="tablist" aria-label={t("Models, keys and engines")} ref={tabs} onKeyDown={keys}>
            {TABS.map((name) => (
              <button
                type="button"
                key={name}
                role="tab"
                id={`tab-${name}`}
                aria-selected={name === tab}
                aria-controls="shown"
                tabIndex={name === tab ? 0 : -1}
                onClick={() => store.open(name)}
              >
                {titleOf(name)}
                {name === "get" && live.pulls.some(({ running }) => running) && <span class="badge">{live.pulls.filter(({ running }) => running).length}</span>}
              </button>
            ))}
          </div>
          {live.memory && (
            <p class="memory">
              {t("%1 of %2 of memory free", size(live.memory.free), size(live.memory.total))}
            </p>
          )}
        </header>
        {(live.state === "away" || live.state === "absent") && (
          <p class="lost" role="status">
            <span>{live.why}</span>
            <button type="button" class="quiet-button" onClick={() => (live.again(), void store.look())}>
              {t("Try again")}
            </button>
          </p>
        )}
        <div class="shown" id="shown" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={-1}>
          <Shown tab={tab} />
        </div>
        <div class="spoken" aria-live="polite" ref={spoken} />
      </section>
    </StoreContext.Provider>
  );
}

function Shown({ tab }: { tab: Tab }) {
  switch (tab) {
    case "installed":
      return <Installed key={tab} foreign={false} />;
    case "apps":
      return <Installed key={tab} foreign />;
    case "get":
      return <Get />;
    case "keys":
      return <Keys />;
    case "engines":
      return <Engines />;
  }
}
