// What the extension adds to JupyterLab. This and the container are all that a page loads at its
// start; the rest comes at its first use.

import { COMPARISON } from "../compare/protocol";
import type { Lumino, NotebookTracker, Plugin, Rendermime, SessionContext, Token } from "./jupyter";
import { rendererOf } from "./renderer";

/** Better than the widgets' own (-10): they cannot draw what was saved. */
const RANK = -20;

export interface Tokens {
  rendermime: Token;
  notebooks?: Token;
}

export function plugins(lumino: Lumino, tokens: Tokens): Plugin[] {
  return [comparison(lumino, tokens)];
}

/** Draws comparisons in outputs, whether trusted or not: it runs nothing of what they hold. */
function comparison({ Widget }: Lumino, { rendermime, notebooks }: Tokens): Plugin {
  const Renderer = rendererOf(Widget, () => import(COMPARISON_MODULE));
  const factory = (session?: SessionContext) => ({
    safe: true,
    mimeTypes: [COMPARISON],
    createRenderer: () => new Renderer(session),
  });
  return {
    id: `${NAME}:comparison`,
    description: "Shows comparisons of models, alive or saved.",
    autoStart: true,
    requires: [rendermime],
    optional: notebooks ? [notebooks] : [],
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

/** Written in by build.mjs. */
declare const NAME: string;
declare const COMPARISON_MODULE: string;
