// Our own outputs: drawn whether they are trusted or not, for nothing of what they hold is run.

import { COMPARISON } from "../compare/protocol";
import { CONVERSATION, REPLY } from "../reply/protocol";
import type { Application, NotebookPanel, NotebookTracker, Packages, Plugin, Rendermime } from "./jupyter";
import { load } from "./load";
import { rendererOf } from "./renderer";

/** Better than the widgets' own (-10): they cannot draw what was saved. */
const RANK = -20;

/** What draws which outputs. */
const KINDS: [name: "comparison" | "reply", mimeTypes: string[]][] = [
  ["comparison", [COMPARISON]],
  ["reply", [REPLY, CONVERSATION]],
];

export function outputs(packages: Packages): Plugin {
  const { lumino, rendermime, notebook } = packages;
  const kinds = KINDS.map(([name, mimeTypes]) => ({
    mimeTypes,
    Renderer: rendererOf(lumino.Widget, name, () => load(name)),
  }));
  return {
    id: `${NAME}:outputs`,
    description: "Shows answers, conversations and comparisons of models, alive or saved.",
    autoStart: true,
    requires: [rendermime.IRenderMimeRegistry],
    optional: notebook ? [notebook.INotebookTracker] : [],
    activate(started, rendermime, tracker) {
      const app = started as Application;
      const addTo = (registry: Rendermime, panel?: NotebookPanel) => {
        for (const { mimeTypes, Renderer } of kinds) {
          const createRenderer = () => new Renderer({ app, packages, panel });
          registry.addFactory({ safe: true, mimeTypes, createRenderer }, RANK);
        }
      };
      addTo(rendermime as Rendermime);
      // Notebooks have a registry of their own: it knows whose outputs it draws, in other views of
      // an output as well.
      const add = (panel: NotebookPanel) => addTo(panel.content.rendermime, panel);
      const found = tracker as NotebookTracker | null | undefined;
      found?.forEach(add);
      found?.widgetAdded.connect((_, panel) => add(panel));
    },
  };
}

/** Written in by lab.mjs. */
declare const NAME: string;
