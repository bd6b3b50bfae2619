// Texts in the language of the page.

import type { Translator } from "./jupyter";

export type Words = (text: string, ...values: unknown[]) => string;

/** By the page's translator; where it has none, as they are. */
export function wordsOf(translator: unknown): Words {
  const found = (translator as Translator | null | undefined)?.load(NAME);
  if (found) return (text, ...values) => found.__(text, ...values);
  return (text, ...values) => text.replace(/%(\d)/g, (_, number) => String(values[number - 1]));
}

/** Written in by lab.mjs. */
declare const NAME: string;
