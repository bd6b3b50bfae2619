// What the extension adds to JupyterLab, a plugin for each thing that somebody may want to turn off.
// This and the container are all that a page loads at its start; the rest comes at its first use.

import { cells } from "./cells/plugin";
import { words } from "./cells/completer";
import { completion } from "./ghost";
import type { Packages, Plugin } from "./jupyter";
import { models } from "./manager";
import { outputs } from "./outputs";
import { side } from "./side";
import { status } from "./statusbar";

export function plugins(packages: Packages): Plugin[] {
  return [cells(packages), outputs(packages), side(packages), completion(packages), words(packages), models(packages), status(packages)];
}
