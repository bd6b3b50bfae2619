import { useEffect, useRef, useState } from "preact/hooks";
import { act } from "../ui/act";
import { Announcer } from "../ui/announcer";
import { useFocusKept } from "../ui/focus";
import { Tabs } from "../ui/Tabs";
import { sayings } from "./announce";
import { Columns, Run } from "./Columns";
import { LookingContext, useDrawn } from "./context";
import type { State } from "./protocol";
import { Rows } from "./Rows";
import type { Store } from "./store";
import { Summary } from "./Summary";
import type { View } from "./view";
import { t } from "../words";

const TABS: [Exclude<View["tab"], "">, string][] = [
  ["columns", t("Columns")],
  ["rows", t("Rows")],
  ["summary", t("Summary")],
];

/** The whole of a comparison, in any place. */
export function App({ store }: { store: Store }) {
  const { live, say } = useAnnounced();
  useDrawn(store);
  useStatesSaid(store, say);
  const frame = useFocusKept<HTMLElement>(".body, .entry button[tabindex='0'], [role=tab][tabindex='0']");
  const onClick = (event: MouseEvent) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-act=copy]");
    if (button) act(button, say, () => false);
  };
  return (
    <LookingContext.Provider value={{ store, say }}>
      <section class="comparison" aria-label={t("Comparison")} ref={frame} onClick={onClick}>
        {store.comparison ? <Comparison store={store} /> : <Absent store={store} />}
        <div class="spoken" aria-live="polite" ref={live} />
      </section>
    </LookingContext.Provider>
  );
}

function Absent({ store }: { store: Store }) {
  const gone = store.lost === "gone" || store.lost === "dead";
  return <p class="empty">{gone ? t("The kernel is gone: run this cell again.") : t("Waiting for the kernel …")}</p>;
}

function Comparison({ store }: { store: Store }) {
  const comparison = store.comparison!;
  const many = comparison.cases.length > 1;
  // Columns while it runs, for that is where it is seen; of many prompts the summary afterwards.
  const began = useRef(!many);
  began.current ||= store.running;
  const tab = store.view.tab || (began.current ? "columns" : "summary");
  return (
    <>
      <header class="top">
        <h2>{comparison.asked || comparison.name || t("Comparison")}</h2>
        <Tabs label={t("Ways to look at it")} tabs={TABS} open={tab} onOpen={(name) => store.look({ tab: name })} />
      </header>
      <Run />
      <div class="shown" id="shown" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "columns" ? <Columns /> : tab === "rows" ? <Rows /> : <Summary />}
      </div>
      {comparison.left_out && <p class="remark left-out">{comparison.left_out}</p>}
    </>
  );
}

/** A place that is read out, and the way to say something there. */
export function useAnnounced() {
  const live = useRef<HTMLDivElement>(null);
  const [announcer] = useState(
    () =>
      new Announcer((text) => {
        if (live.current) live.current.textContent = text;
      }),
  );
  useEffect(() => () => announcer.close(), []);
  return { live, say: (text: string) => announcer.say(text), forget: () => announcer.forget() };
}

/** Say what has become of the columns, and that all has come. */
function useStatesSaid(store: Store, say: (text: string) => void): void {
  const before = useRef<{ states: State[]; running: boolean } | null>(null);
  useEffect(() => {
    const { states, running, comparison } = store;
    if (!comparison) return;
    const names = comparison.contestants.map(({ name }) => name);
    if (before.current) {
      for (const one of sayings(before.current.states, states, names)) say(one);
      if (before.current.running && !running) say(comparison.ended || t("The comparison is complete."));
    }
    before.current = { states, running };
  });
}
