// The model manager: opened by a command, from the launcher and wherever models are chosen.

import { t } from "../words";
import type { Application, Launcher, Packages, Palette, Plugin, Restorer } from "./jupyter";
import { load } from "./load";
import type { Manager, Tab } from "./models";
import { Server } from "./server";

const OPEN = "jan:open-models";
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><g class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="1.3" stroke-linejoin="round"><path d="m8 1.8 5.5 2.7L8 7.2 2.5 4.5z"/><path d="M2.5 8 8 10.7 13.5 8M2.5 11.5 8 14.2l5.5-2.7"/></g></svg>`;

export function models(packages: Packages): Plugin {
  const { application, apputils, launcher, lumino, ui } = packages;
  const wanted = [application?.ILayoutRestorer, application?.ILabShell, apputils?.ICommandPalette, launcher?.ILauncher];
  return {
    id: `${NAME}:models`,
    description: "A place to load, fetch and remove models, and for keys and engines.",
    autoStart: true,
    requires: [],
    optional: wanted.filter((token) => token !== undefined),
    activate(given, ...services) {
      const app = given as Application;
      // What the page does not have was not asked for.
      const [restorer, shell, palette, cards] = wanted.map((token) => token && services.shift());
      const icon = ui && new ui.LabIcon({ name: `${NAME}:models`, svgstr: ICON });
      let manager: Promise<Manager | undefined> | undefined;
      let first: Tab = "installed";

      const widget = new (class extends lumino.Widget {
        override onAfterAttach(message: object): void {
          super.onAfterAttach(message);
          if (manager) void manager.then((shown) => shown?.wake());
          else this.begin();
        }

        override onAfterDetach(message: object): void {
          super.onAfterDetach(message);
          void manager?.then((shown) => shown?.rest());
        }

        override onActivateRequest(message: object): void {
          super.onActivateRequest(message);
          if (!manager) this.begin();
          void manager!.then((shown) => shown?.focus());
        }

        private begin(): void {
          this.node.textContent = "";
          const made = load("models").then(({ Manager }) => new Manager(this.node, new Server(packages, app), first));
          manager = made.catch((error) => {
            // jan_jupyter was upgraded while the page was open, or the server is away.
            this.node.textContent = t("The models cannot be shown: reload the page. (%1)", error);
            return (manager = undefined);
          });
        }
      })();
      widget.id = `${NAME}-models`;
      Object.assign(widget.title, { label: t("Models"), caption: t("Models, keys and engines"), icon, closable: true });
      (restorer as Restorer | null)?.add(widget, widget.id);

      app.commands.addCommand(OPEN, {
        label: ({ isLauncher }) => (isLauncher ? t("Models") : t("Manage Models")),
        caption: t("Load, fetch and remove models; keys and engines"),
        icon,
        describedBy: { args: { type: "object", properties: { tab: { type: "string", enum: ["installed", "apps", "get", "keys", "engines"] } } } },
        execute: async ({ tab }) => {
          first = (tab as Tab) || first;
          if (!widget.isAttached) app.shell.add(widget, shell ? "main" : "right");
          app.shell.activateById(widget.id);
          if (tab) (await manager)?.open(tab as Tab);
        },
      });
      (palette as Palette | null)?.addItem({ command: OPEN, category: "Jan" });
      (cards as Launcher | null)?.add({ command: OPEN, category: "Jan", rank: 2 });
    },
  };
}

/** Written in by lab.mjs. */
declare const NAME: string;
