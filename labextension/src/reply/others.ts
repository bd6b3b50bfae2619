// The line that asks another model what an answer answers.

import type { ModelName } from "./place";
import type { Reply } from "./protocol";

/** Of a name, only what cannot be anything else in a cell: letters, digits, and what joins them. */
const SAFE = /^[\p{L}\p{N}_][\p{L}\p{N}_.:/@+()[\]-]*$/u;

/** Those that can be asked besides the one that has answered. */
export function others(models: ModelName[], { model, engine }: Reply): ModelName[] {
  const own = new Set([model, `${engine}:${model}`]);
  return models.filter(({ id }) => SAFE.test(id) && !own.has(id));
}

/** `id` is one of `others`, `name` that of the answer. */
export function compareLine(id: string, name: string): string {
  if (!SAFE.test(id) || !SAFE.test(name)) throw new Error("That is no name for a cell.");
  return `%jan compare with ${id} --of ${name}`;
}
