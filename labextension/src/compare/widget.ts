// The widget (anywidget) of a comparison, and of a blind vote. Its traits: `_kind` ("comparison" or
// "vote"), `_live_id` (the comm's as well) and `_place`, by which a view's filters are found again.

import { follow, hideSaved, kernelOf, module, type Model } from "../anywidget";
import { kept, type Kept } from "../kept";
import { Ballots } from "./ballots";
import { make, makeVote } from "./element";
import type { Host, Lost, Outgoing, Parts } from "./host";
import type { Event, VoteEvent } from "./protocol";
import { Store } from "./store";

class WidgetHost implements Host {
  readonly name = "widget";

  private memory: Kept;

  constructor(private readonly model: Model) {
    this.memory = kept(`jan-compare-${model.get("_place") || idOf(model)}`);
  }

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

  get view(): string {
    return this.memory.text;
  }

  set view(text: string) {
    this.memory.text = text;
  }
}

const idOf = (model: Model): string => String(model.get("_live_id"));

// The listeners of a view end with it; those of `initialize` live as long as the widget. So what is
// shown belongs to the model as that has it, and is found by the views of the same widget within the
// notebook. It is made for the first view: where JupyterLab's renderer shows the output, there is none.
class Shown {
  private made: Store | Ballots | null = null;

  constructor(private readonly model: Model) {}

  get it(): Store | Ballots {
    if (this.made) return this.made;
    const host = new WidgetHost(this.model);
    return (this.made = this.model.get("_kind") === "vote" ? new Ballots(host) : new Store(host));
  }

  close(): void {
    this.made?.close();
  }
}

const shown = new WeakMap<object, Map<string, Shown>>();

function beside(model: Model): Map<string, Shown> {
  const manager = model.widget_manager ?? shown;
  let found = shown.get(manager);
  if (!found) shown.set(manager, (found = new Map()));
  return found;
}

function keptOf(model: Model): Shown {
  const all = beside(model);
  let known = all.get(idOf(model));
  if (!known) all.set(idOf(model), (known = new Shown(model)));
  return known;
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
    const own = keptOf(model).it;
    const element = own instanceof Ballots ? makeVote(own) : make(own);
    el.append(element);
    const show = hideSaved(idOf(model));
    return () => {
      element.remove();
      show();
    };
  },
};
