// A comparison in a page of its own, saved as one file: drawn from the document that lies beside it.

import { highlighter } from "./code/index";
import { make } from "./compare/element";
import type { Host, Parts } from "./compare/host";
import type { Comparison } from "./compare/protocol";
import { Store } from "./compare/store";
import { kept } from "./kept";
import { mathml } from "./math";

const PARTS: Parts = { code: { highlighter }, math: { mathml } };

class PageHost implements Host {
  readonly name = "page";
  private memory = kept(`jan-comparison ${location.pathname}`);

  send(): void {
    throw new Error("A saved page has no kernel.");
  }

  listen(): () => void {
    return () => {};
  }

  follow(): () => void {
    return () => {};
  }

  async part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
    return PARTS[name];
  }

  get view(): string {
    return this.memory.text;
  }

  set view(text: string) {
    this.memory.text = text;
  }
}

const comparison = JSON.parse(document.getElementById("comparison")!.textContent!) as Comparison;
const main = document.querySelector("main")!;
const view = make(new Store(new PageHost(), comparison));
main.querySelector(".jan-compare")!.before(view);
main.classList.add("live"); // the static form gives way
