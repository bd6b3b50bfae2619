// The prebuilt extension as JupyterLab loads it: a container by the protocol of module federation,
// written by hand. Building one with JupyterLab's builder takes 421 MB of packages; all that is
// needed of them is in the page already.

import { PACKAGES, type Packages } from "./jupyter";
import { worded } from "./language";
import { plugins } from "./plugins";

interface Version {
  get(): Promise<() => unknown> | (() => unknown);
  loaded?: boolean | 1;
}

/** What the page's packages are shared by: `scope[name][version]`. */
type Scope = Record<string, Record<string, Version>>;

let scope: Scope = {};

const numbers = (version: string) => version.split(/[.+-]/, 3).map(Number);

function newer(a: string, b: string): number {
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (y[i] || 0) - (x[i] || 0);
  return 0;
}

/** The page's own copy of a package: the one that is in use, else the newest. */
async function shared<Package>(name: string): Promise<Package | undefined> {
  const versions = scope[name] ?? {};
  const all = Object.keys(versions).sort(newer);
  const chosen = versions[all.find((one) => versions[one]!.loaded) ?? all[0] ?? ""];
  if (!chosen) return undefined;
  chosen.loaded = 1;
  return (await chosen.get())() as Package;
}

async function extension(): Promise<() => unknown> {
  const names = Object.keys(PACKAGES) as (keyof typeof PACKAGES)[];
  const found = await Promise.all(names.map((name) => shared(PACKAGES[name])));
  const given = Object.fromEntries(names.map((name, i) => [name, found[i]]));
  const packages = { ...given, share: shared } as unknown as Packages;
  if (!packages.lumino || !packages.rendermime || !packages.services) {
    throw new Error("This page shares no JupyterLab 4 with extensions.");
  }
  const made = plugins(packages).map((plugin) => worded(plugin, packages));
  return () => made;
}

const page = globalThis as { _JUPYTERLAB?: Record<string, unknown> };
(page._JUPYTERLAB ??= {})[NAME] = {
  init(shares: Scope): void {
    scope = shares;
  },
  get(module: string): Promise<() => unknown> {
    if (module !== MODULE) return Promise.reject(new Error(`There is no ${module} in ${NAME}.`));
    return extension();
  },
};

/** Written in by lab.mjs. */
declare const NAME: string;
declare const MODULE: string;
