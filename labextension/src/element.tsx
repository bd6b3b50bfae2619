// <jan-chat>: the chat as one custom element. Set its `session`, put it into a page.

import { render } from "preact";
import type { Session } from "./session";
import css from "./style.css";
import { App } from "./ui/App";

/** What JupyterLab, VS Code and marimo set where the theme is changed. */
const THEMES = ["data-jp-theme-light", "data-vscode-theme-kind", "data-theme"];

export class JanChat extends HTMLElement {
  session: Session | null = null;
  private theme = new MutationObserver(() => this.follow());

  /** All is dark where JupyterLab or VS Code is, or where the page says so; else as the system is. */
  private follow(): void {
    const { jpThemeLight: light, vscodeThemeKind: kind } = document.body.dataset;
    const said = light ? (light === "true" ? "light" : "dark") : kind && (/light/.test(kind) ? "light" : "dark");
    const declared = getComputedStyle(this.parentElement ?? document.body).colorScheme;
    this.style.colorScheme = said || (declared === "normal" ? "" : declared);
  }

  connectedCallback(): void {
    window.addEventListener("keydown", this, true);
    this.theme.observe(document.body, { attributes: true, attributeFilter: THEMES });
    this.follow();
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!this.session || root.querySelector(".panel")) return;
    const style = document.createElement("style");
    style.textContent = css;
    const place = document.createElement("div");
    place.className = "place";
    root.replaceChildren(style, place);
    render(<App session={this.session} root={this} />, place);
  }

  /** JupyterLab's shortcuts must not hear what is typed here, but for those that save. */
  handleEvent(event: Event): void {
    const { ctrlKey, metaKey, key } = event as KeyboardEvent;
    const saves = (ctrlKey || metaKey) && key.toLowerCase() === "s";
    if (saves) delete this.dataset.lmSuppressShortcuts;
    else this.dataset.lmSuppressShortcuts = "true";
  }

  disconnectedCallback(): void {
    // JupyterLab moves outputs about: only what stays away is taken down.
    queueMicrotask(() => {
      const place = this.shadowRoot?.querySelector(".place");
      if (!this.isConnected) this.theme.disconnect();
      if (!this.isConnected) window.removeEventListener("keydown", this, true);
      if (!this.isConnected && place) {
        render(null, place);
        place.remove();
      }
    });
  }
}

/** Make one. Several copies of this module may live in a page: each defines its own name. */
export function make(session: Session): JanChat {
  let name = "jan-chat";
  for (let i = 2; customElements.get(name) && customElements.get(name) !== JanChat; i++) {
    name = `jan-chat-${i}`;
  }
  if (!customElements.get(name)) customElements.define(name, JanChat);
  const element = document.createElement(name) as JanChat;
  element.session = session;
  return element;
}
