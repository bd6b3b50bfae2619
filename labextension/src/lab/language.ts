// The page's language for all that is ours in it, where a language pack has words for it.

import { translateBy } from "../words";
import type { Packages, Plugin, Translator } from "./jupyter";

/** A plugin that begins only when the page's language is known: its labels are in it from the start. */
export function worded(plugin: Plugin, { translation }: Packages): Plugin {
  if (!translation) return plugin;
  return {
    ...plugin,
    optional: [...plugin.optional, translation.ITranslator],
    activate(app, ...services) {
      const words = (services.pop() as Translator | null | undefined)?.load(NAME);
      if (words) translateBy((text, ...values) => words.__(text, ...values));
      return plugin.activate(app, ...services);
    },
  };
}

/** Written in by lab.mjs. */
declare const NAME: string;
