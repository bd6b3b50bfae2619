// <jan-models> and <jan-status>: the model manager, and the item of a status bar.

import type { ComponentChild } from "preact";
import { element, Shell } from "../shell";
import { App } from "./App";
import { Status } from "./Status";
import type { Store } from "./store";
import css from "./style.css";

class JanModels extends Shell {
  store: Store | null = null;
  protected readonly css = css;

  protected content(): ComponentChild {
    return this.store && <App store={this.store} />;
  }
}

class JanStatus extends Shell {
  store: Store | null = null;
  manage = () => {};
  protected readonly css = css;

  protected content(): ComponentChild {
    return this.store && <Status store={this.store} manage={this.manage} />;
  }
}

export function makeModels(store: Store): HTMLElement {
  const made = element("jan-models", JanModels);
  made.className = "whole";
  made.store = store;
  return made;
}

export function makeStatus(store: Store, manage: () => void): HTMLElement {
  const made = element("jan-status", JanStatus);
  made.store = store;
  made.manage = manage;
  return made;
}
