// The widget (anywidget) of a comparison, and of a blind vote. Its traits: `_kind` ("comparison" or
// "vote"), `_live_id` (the comm's as well) and `_place`, by which a view's filters are found again.

import { follow, hideSaved, kernelOf, module, type Model } from "../anywidget";
import { Ballots } from "./ballots";
import { make, makeVote } from "./element";
import type { Host, Lost, Outgoing, Parts } from "./host";
import type { Event, VoteEvent } from "./protocol";
import { Store } from "./store";

class WidgetHost implements Host {
  readonly name = "widget";

  constructor(private readonly model: Model) {}

  send(message: Outgoing): void {
    this.model.send(message);
  }

  listen(listener: (event: Event | VoteEvent) => void): () => void {
    const take = (content: unknown) => listener(content as Event | VoteEvent);
    this.model.on("msg:custom", take);
    return () => this.model.off("msg:custom", take);
  }

  follow(listener: (lost: Lost) => void): () => void {
    return follow(kernelOf(this.model), () => idOf(this.model), listener);
  }

  async part<Name extends keyof Parts>(_name: Name, ask: () => Promise<string>): Promise<Parts[Name]> {
    return module<Parts[Name]>(await ask());
  }

  private get place(): string {
    return `jan-compare-${this.model.get("_place") || idOf(this.model)}`;
  }

  get view(): string {
    try {
      return sessionStorage.getItem(this.place) ?? "";
    } catch {
      return ""; // not in every frame
    }
  }

  set view(text: string) {
    try {
      if (text) sessionStorage.setItem(this.place, text);
      else sessionStorage.removeItem(this.place);
    } catch {
      // It is full, or there is none: then the view alone has it.
    }
  }
}

const idOf = (model: Model): string => String(model.get("_live_id"));

// The listeners of a view end with it; those of `initialize` live as long as the widget. So what is
// shown is kept there, and found by the views of the same widget within the notebook.
const kept = new WeakMap<object, Map<string, Store | Ballots>>();

function beside(model: Model): Map<string, Store | Ballots> {
  const manager = model.widget_manager ?? kept;
  let found = kept.get(manager);
  if (!found) kept.set(manager, (found = new Map()));
  return found;
}

function keptOf(model: Model): Store | Ballots {
  const all = beside(model);
  const known = all.get(idOf(model));
  if (known) return known;
  const host = new WidgetHost(model);
  const made = model.get("_kind") === "vote" ? new Ballots(host) : new Store(host);
  all.set(idOf(model), made);
  return made;
}

export default {
  initialize({ model }: { model: Model }): () => void {
    const own = keptOf(model);
    return () => {
      own.close();
      if (beside(model).get(idOf(model)) === own) beside(model).delete(idOf(model));
    };
  },
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const own = keptOf(model);
    const element = own instanceof Ballots ? makeVote(own) : make(own);
    el.append(element);
    const show = hideSaved(idOf(model));
    return () => {
      element.remove();
      show();
    };
  },
};
