// An item of the status bar: what is in memory, what answers, what is on its way. Of Notebook 7, which
// has no status bar, nothing.

import type { Application, Packages, Plugin, StatusBar } from "./jupyter";
import { load } from "./load";
import { Server } from "./server";

/** Milliseconds after the page is there, so that it does not wait for us. */
const PAUSE = 2000;
/** Milliseconds between two tries, at most. */
const LONGEST = 60_000;

export function status(packages: Packages): Plugin {
  const { lumino, statusbar } = packages;
  return {
    id: `${NAME}:status`,
    description: "Shows in the status bar which models are in memory and what they do.",
    autoStart: true,
    requires: [],
    optional: statusbar ? [statusbar.IStatusBar] : [],
    activate(app, bar) {
      if (!bar) return;
      const { commands, restored } = app as Application;
      const item = new lumino.Widget();
      item.addClass("jan-status");
      (bar as StatusBar).registerStatusItem(`${NAME}:status`, { item, align: "left", rank: 50 });
      void restored.then(() => pause(PAUSE)).then(seen).then(async () => {
        const { show } = await loaded();
        show(item.node, new Server(packages, app as Application), () => void commands.execute("jan:open-models"));
      });
    },
  };
}

const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

/** The status bar's part; while there is no server it is asked for again. */
async function loaded(): ReturnType<typeof load<"status">> {
  for (let time = PAUSE; ; time = Math.min(2 * time, LONGEST)) {
    try {
      return await load("status");
    } catch {
      await pause(time);
    }
  }
}

/** Until somebody sees the page. */
function seen(): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}

/** Written in by lab.mjs. */
declare const NAME: string;
