// What is offered, for those who hear a page: once it is whole, and once only.

import { t } from "../../words";
import { Announcer } from "../../ui/announcer";
import type { Flight } from "./flight";

export class Spoken {
  private last: Flight | null = null;
  private readonly announcer: Announcer;

  constructor() {
    const node = document.createElement("div");
    node.className = "jan-completion-spoken";
    node.setAttribute("role", "status");
    node.style.cssText =
      "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: pre";
    document.body.append(node);
    this.announcer = new Announcer((text) => (node.textContent = text));
  }

  /** What is shown now, without the part that stands in the cell; `null`: nothing. */
  offer(flight: Flight | null, taken: number, isOneOfTwo: boolean): void {
    if (flight === this.last || (flight && !flight.over)) return;
    if (this.last) this.announcer.forget();
    this.last = flight;
    const text = flight?.text.slice(taken);
    if (!text) return;
    this.announcer.say(isOneOfTwo ? t("%1 offers: %2", flight!.model, text) : t("Offered: %1", text));
  }
}
