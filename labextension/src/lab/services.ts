// What a plugin would like to have of JupyterLab, where the page has it.

import type { Token } from "./jupyter";

/** The tokens of those that the page's packages have, and from what a plugin is given the services by name. */
export function wanted<Services extends object>(tokens: Record<keyof Services, Token | undefined>) {
  const names = (Object.keys(tokens) as (keyof Services)[]).filter((name) => tokens[name]);
  return {
    optional: names.map((name) => tokens[name]!),
    found: (given: unknown[]): { [Name in keyof Services]: Services[Name] | null } => {
      const all = Object.fromEntries(names.map((name, at) => [name, given[at] ?? null]));
      const none = Object.fromEntries(Object.keys(tokens).map((name) => [name, null]));
      return { ...none, ...all } as { [Name in keyof Services]: Services[Name] | null };
    },
  };
}
