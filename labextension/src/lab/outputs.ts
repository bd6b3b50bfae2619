// Our own outputs: drawn whether they are trusted or not, for nothing of what they hold is run.

import { COMPARISON } from "../compare/protocol";
import type { NotebookTracker, Packages, Plugin, Rendermime, SessionContext } from "./jupyter";
import { load } from "./load";
import { rendererOf } from "./renderer";

/** Better than the widgets' own (-10): they cannot draw what was saved. */
const RANK = -20;

export function outputs({ lumino, rendermime, notebook }: Packages): Plugin {
  const Renderer = rendererOf(lumino.Widget, () => load("comparison"));
  const factory = (session?: SessionContext) => ({
    safe: true,
    mimeTypes: [COMPARISON],
    createRenderer: () => new Renderer(session),
  });
  return {
    id: `${NAME}:outputs`,
    description: "Shows comparisons of models, alive or saved.",
    autoStart: true,
    requires: [rendermime.IRenderMimeRegistry],
    optional: notebook ? [notebook.INotebookTracker] : [],
    activate(_app, rendermime, tracker) {
      (rendermime as Rendermime).addFactory(factory(), RANK);
      // Notebooks have a registry of their own: it knows whose outputs it draws, in other views of
      // an output as well.
      const add = (panel: { sessionContext: SessionContext; content: { rendermime: Rendermime } }) =>
        panel.content.rendermime.addFactory(factory(panel.sessionContext), RANK);
      const found = tracker as NotebookTracker | null | undefined;
      found?.forEach(add);
      found?.widgetAdded.connect((_, panel) => add(panel));
    },
  };
}

/** Written in by lab.mjs. */
declare const NAME: string;
