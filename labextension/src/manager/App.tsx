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

const TABS: [Tab, string][] = [
  ["installed", "Installed"],
  ["apps", "Other apps"],
  ["get", "Get models"],
  ["keys", "Keys"],
  ["engines", "Engines"],
];

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
    const at = TABS.findIndex(([name]) => name === store.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (to + TABS.length) % TABS.length;
    store.open(TABS[next]![0]);
    tabs.current!.querySelectorAll<HTMLElement>("[role=tab]")[next]!.focus();
  };
  const { tab, live } = store;
  return (
    <StoreContext.Provider value={store}>
      <section class="manager" aria-label="Models" ref={frame}>
        <header class="top">
          <div class="tabs" role="tablist" aria-label="Models, keys and engines" ref={tabs} onKeyDown={keys}>
            {TABS.map(([name, text]) => (
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
                {text}
                {name === "get" && live.pulls.some(({ running }) => running) && <span class="badge">{live.pulls.filter(({ running }) => running).length}</span>}
              </button>
            ))}
          </div>
          {live.memory && (
            <p class="memory">
              {size(live.memory.free)} of {size(live.memory.total)} of memory free
            </p>
          )}
        </header>
        {(live.state === "away" || live.state === "absent") && (
          <p class="lost" role="status">
            <span>{live.why}</span>
            <button type="button" class="quiet-button" onClick={() => (live.again(), void store.look())}>
              Try again
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
