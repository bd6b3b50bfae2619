// <jan-chat>: the chat as one custom element. Set its `session`, put it into a page.

import { render } from "preact";
import type { Session } from "./session";
import css from "./style.css";
import { App } from "./ui/App";

export class JanChat extends HTMLElement {
  session: Session | null = null;
  private theme = new MutationObserver(() => this.follow());

  /** Scrollbars and fields are dark where JupyterLab's theme is, whatever the system prefers. */
  private follow(): void {
    const light = document.body.dataset.jpThemeLight;
    this.style.colorScheme = light ? (light === "true" ? "light" : "dark") : "";
  }

  connectedCallback(): void {
    window.addEventListener("keydown", this, true);
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
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
