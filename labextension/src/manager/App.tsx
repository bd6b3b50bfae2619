import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Announcer } from "../ui/announcer";
import { useFocusKept } from "../ui/focus";
import { Tabs } from "../ui/Tabs";
import { t } from "../words";
import { StoreContext, useChanges } from "./context";
import { Engines } from "./Engines";
import { Get } from "./Get";
import { Installed } from "./Installed";
import { Keys } from "./Keys";
import type { Store, Tab } from "./store";
import { size } from "./words";

const tabsOf = (running: number): [Tab, ComponentChildren][] => [
  ["installed", t("Installed")],
  ["apps", t("Other apps")],
  ["get", <>{t("Get models")}{running > 0 && <span class="badge">{running}</span>}</>],
  ["keys", t("Keys")],
  ["engines", t("Engines")],
];

/** The model manager, whole. */
export function App({ store }: { store: Store }) {
  const spoken = useRef<HTMLDivElement>(null);
  const frame = useFocusKept<HTMLElement>(".do button, [role=tab][tabindex='0']");
  useChanges((watcher) => store.watch(watcher));
  useEffect(() => {
    const announcer = new Announcer((text) => spoken.current && (spoken.current.textContent = text));
    store.say = (text) => announcer.say(text);
    return () => announcer.close();
  }, [store]);
  const { tab, live } = store;
  const running = live.pulls.filter((pull) => pull.running).length;
  return (
    <StoreContext.Provider value={store}>
      <section class="manager" aria-label={t("Models")} ref={frame}>
        <header class="top">
          <Tabs label={t("Models, keys and engines")} tabs={tabsOf(running)} open={tab} onOpen={(name) => store.open(name)} />
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
