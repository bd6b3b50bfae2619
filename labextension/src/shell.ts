// What our custom elements have in common: a shadow root with a style, the page's theme, and the
// keyboard, which is theirs while somebody is in them.

import { render, type ComponentChild } from "preact";
import base from "./base.css";

/** What JupyterLab, VS Code and marimo set where the theme is changed. */
const THEMES = ["data-jp-theme-light", "data-vscode-theme-kind", "data-theme"];

export abstract class Shell extends HTMLElement {
  private theme = new MutationObserver(() => this.follow());

  /** Its own style, behind the common one. */
  protected abstract readonly css: string;

  /** What it shows; `null`: it was given nothing yet. */
  protected abstract content(): ComponentChild;

  /** All is dark where JupyterLab or VS Code is, or where the page says so; else as the system is. */
  private follow(): void {
    const { jpThemeLight: light, vscodeThemeKind: kind } = document.body.dataset;
    const said = light ? (light === "true" ? "light" : "dark") : kind && (/light/.test(kind) ? "light" : "dark");
    const declared = getComputedStyle(this.parentElement ?? document.body).colorScheme;
    this.style.colorScheme = said || (declared === "normal" ? "" : declared);
  }

  connectedCallback(): void {
    window.addEventListener("keydown", this, true);
    this.dataset.lmSuppressShortcuts = "true";
    this.theme.observe(document.body, { attributes: true, attributeFilter: THEMES });
    this.follow();
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (root.querySelector(".place")) return;
    const content = this.content();
    if (content === null) return;
    // No style element: the policy of a saved page lets none in.
    const style = new CSSStyleSheet();
    style.replaceSync(base + this.css);
    root.adoptedStyleSheets = [style];
    const place = document.createElement("div");
    place.className = "place";
    root.replaceChildren(place);
    render(content, place);
  }

  /** JupyterLab's shortcuts must not hear what is typed here, but for those that save; beside a
   * notebook there is nothing that they could do to it. */
  handleEvent(event: Event): void {
    const { ctrlKey, metaKey, key } = event as KeyboardEvent;
    const saves = (ctrlKey || metaKey) && key.toLowerCase() === "s";
    if (saves || this.dataset.place === "side") delete this.dataset.lmSuppressShortcuts;
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

/** An element of that class. Several copies of a module may live in a page: each has its own name. */
export function element<Kind extends Shell>(tag: string, kind: new () => Kind): Kind {
  let name = tag;
  for (let i = 2; customElements.get(name) && customElements.get(name) !== kind; i++) {
    name = `${tag}-${i}`;
  }
  if (!customElements.get(name)) customElements.define(name, kind);
  return document.createElement(name) as Kind;
}
