// The renderer of an output. JupyterLab keeps it while the output is updated, and so what somebody
// looks at stays as it is.

import { t } from "../words";
import type { Application, CodeConsole, Lumino, MimeModel, NotebookPanel, Packages, Renderer, SessionContext, Widget } from "./jupyter";

/** Where an output stands. */
export interface Around {
  app: Application;
  packages: Packages;
  /** The notebook or the console that it belongs to, where there is one. */
  panel?: Panel;
  session?: SessionContext;
  /** Put something else into the output. */
  keep(data: Record<string, unknown>): void;
}

export type Panel = NotebookPanel | CodeConsole;

/** An output that is drawn. */
export interface Drawn {
  /** It was updated. */
  load(data: Record<string, unknown>): void;
  close(): void;
}

/** What draws a kind of output; loaded at its first use. */
export interface Drawing {
  draw(place: HTMLElement, data: Record<string, unknown>, around: Around): Drawn;
}

type Known = Pick<Around, "app" | "packages" | "panel">;

export function rendererOf(
  Base: Lumino["Widget"],
  kind: string,
  load: () => Promise<Drawing>,
): new (known: Known) => Renderer {
  return class extends Base {
    private drawn: Drawn | null = null;
    private model: MimeModel | null = null;
    private begun = false;

    constructor(private readonly known: Known) {
      super();
      this.addClass(`jan-${kind}-output`);
    }

    async renderModel(model: MimeModel): Promise<void> {
      this.model = model;
      if (this.drawn) this.drawn.load(model.data);
      else if (this.isAttached) await this.begin();
    }

    /** What is far from sight in a long notebook waits until somebody comes there. */
    override onAfterAttach(message: object): void {
      super.onAfterAttach(message);
      if (this.model) void this.begin();
    }

    private async begin(): Promise<void> {
      if (this.begun) return;
      this.begun = true;
      try {
        const { draw } = await load();
        if (this.isDisposed || !this.model) return;
        this.node.textContent = this.node.style.whiteSpace = "";
        const panel = this.known.panel ?? panelAround(this);
        const keep = (data: Record<string, unknown>) => this.model?.setData({ data });
        this.drawn = draw(this.node, this.model.data, { ...this.known, panel, session: panel?.sessionContext, keep });
      } catch (error) {
        // jan_jupyter was upgraded while the page was open, or the server is away.
        this.begun = false;
        const plain = String(this.model?.data["text/plain"] ?? "");
        this.node.textContent = `${t("This cannot be drawn: reload the page. (%1)", error)}\n\n${plain}`;
        this.node.style.whiteSpace = "pre-wrap";
      }
    }

    override dispose(): void {
      if (this.isDisposed) return;
      this.drawn?.close();
      super.dispose();
    }
  };
}

/** What an output stands in, of what has a session: a console has one, too. */
function panelAround(widget: Widget): Panel | undefined {
  for (let place: Widget | null = widget; place; place = place.parent) {
    if ((place as Partial<Panel>).sessionContext) return place as Panel;
  }
  return undefined;
}
