// The page's language for all that is ours in it, where a language pack has words for it.

import { translateBy } from "../words";
import type { Packages, Plugin, Translator } from "./jupyter";

export function language({ translation }: Packages): Plugin {
  return {
    id: `${NAME}:language`,
    description: "Words in JupyterLab's language.",
    autoStart: true,
    requires: [],
    optional: translation ? [translation.ITranslator] : [],
    activate(_app, translator) {
      const words = (translator as Translator | null | undefined)?.load(NAME);
      if (words) translateBy((text, ...values) => words.__(text, ...values));
    },
  };
}

/** Written in by lab.mjs. */
declare const NAME: string;
