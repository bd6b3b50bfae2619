// The line that asks another model what an answer answers.

import { isPlain, written } from "../names";
import type { ModelName } from "./place";
import type { Reply } from "./protocol";

/** Those that can be asked besides the one that has answered. */
export function others(models: ModelName[], { model, engine }: Reply): ModelName[] {
  const own = new Set([model, `${engine}:${model}`]);
  return models.filter(({ id }) => isPlain(id) && !own.has(id));
}

/** `id` is one of `others`, `name` that of the answer. */
export function compareLine(id: string, name: string): string {
  if (!isPlain(id) || !isPlain(name)) throw new Error("That is no name for a cell.");
  return `%jan compare with ${written(id)} --of ${name}`;
}
