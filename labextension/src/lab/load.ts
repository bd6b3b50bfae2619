// What a page loads of us at its first use.

export interface Modules {
  cells: typeof import("./cells");
  comparison: typeof import("./comparison");
  completion: typeof import("./completion");
  reply: typeof import("./reply");
  models: typeof import("./models");
  status: typeof import("./status");
  panel: typeof import("./panel");
}

/** The files of the modules; written in by lab.mjs. */
declare const FILES: Record<keyof Modules, string>;

export function load<Name extends keyof Modules>(name: Name): Promise<Modules[Name]> {
  return import(FILES[name]) as Promise<Modules[Name]>;
}
