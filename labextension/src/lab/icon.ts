// Our mark in JupyterLab's toolbars, menus and tabs; its colour is the theme's.

import type { Icon, Packages } from "./jupyter";

export const SPARK =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" aria-hidden="true" viewBox="0 0 24 24"><g class="jp-icon3" fill="#616161">' +
  '<path d="M10 3l1.9 5.6a3.5 3.5 0 0 0 2.2 2.2L19.7 12.7l-5.6 1.9a3.5 3.5 0 0 0-2.2 2.2L10 22.4l-1.9-5.6a3.5 3.5 0 0 0-2.2-2.2L.3 12.7l5.6-1.9a3.5 3.5 0 0 0 2.2-2.2z"/>' +
  '<path d="M19 1l.9 2.6a1.5 1.5 0 0 0 1 1L23.5 5.5l-2.6.9a1.5 1.5 0 0 0-1 1L19 10l-.9-2.6a1.5 1.5 0 0 0-1-1L14.5 5.5l2.6-.9a1.5 1.5 0 0 0 1-1z"/></g></svg>';

export function icon({ ui }: Packages): Icon | undefined {
  return ui && new ui.LabIcon({ name: "jan-jupyter:jan", svgstr: SPARK });
}
