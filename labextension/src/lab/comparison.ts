// What the extension loads for the first comparison of a page.

import { make } from "../compare/element";
import { COMPARISON, type Comparison } from "../compare/protocol";
import { Store } from "../compare/store";
import { LabHost } from "./host";
import type { Around, Drawn } from "./renderer";

const views = new Set<View>();

export function draw(place: HTMLElement, data: Record<string, unknown>, around: Around): Drawn {
  return new View(place, data, around);
}

/** A comparison in an output. */
class View implements Drawn {
  private host: LabHost;
  private store: Store;
  private live = "";
  private rows = 0;

  constructor(
    private readonly place: HTMLElement,
    data: Record<string, unknown>,
    { session, keep }: Around,
  ) {
    const shown = data[COMPARISON] as Comparison;
    this.host = new LabHost(session, nameOf(shown), keep);
    this.note(shown);
    this.store = new Store(this.host, shown);
    place.append(make(this.store));
    views.add(this);
    this.store.watch(() => this.arrange());
    this.arrange();
  }

  /** The output was updated. */
  load(data: Record<string, unknown>): void {
    const shown = data[COMPARISON] as Comparison;
    this.note(shown);
    this.store.load(shown);
    this.arrange();
  }

  close(): void {
    views.delete(this);
    this.arrange();
    this.store.close();
    this.host.close();
  }

  private note({ live, rows }: Comparison): void {
    this.live = live?.id ?? "";
    this.rows = rows.length;
    this.host.turn(live?.id ?? null);
  }

  /**
   * Where a widget has shown it, a cell has two outputs of one comparison: how it began, and what
   * came of it. The first that is alive is seen, else what has most.
   */
  private arrange(): void {
    const area = this.place.closest(".jp-OutputArea");
    const same = [...views].filter((one) => one.live === this.live && one.place.closest(".jp-OutputArea") === area);
    const most = Math.max(...same.map(({ rows }) => rows));
    const seen = same.find((one) => one.store.alive) ?? same.find((one) => one.rows === most);
    for (const one of this.live && area ? same : []) {
      const output = one.place.closest<HTMLElement>(".jp-OutputArea-child");
      if (output) output.style.display = one === seen ? "" : "none";
    }
  }
}

/** By which its view is found again: the same from its beginning on, when it has no name yet. */
function nameOf({ asked, cases, contestants }: Comparison): string {
  return [asked, cases[0]?.name ?? "", ...contestants.map(({ name }) => name)].join(" ").slice(0, 500);
}
