// The renderer of an output. JupyterLab keeps it while the output is updated, and so what somebody
// looks at stays as it is.

import { COMPARISON, type Comparison } from "../compare/protocol";
import type { Lumino, MimeModel, Renderer, SessionContext, Widget } from "./jupyter";
import type * as Drawing from "./comparison";

export function rendererOf(
  Base: Lumino["Widget"],
  load: () => Promise<typeof Drawing>,
): new (session?: SessionContext) => Renderer {
  return class extends Base {
    private view: Drawing.View | null = null;
    private shown: Comparison | null = null;
    private model: MimeModel | null = null;
    private begun = false;

    constructor(private readonly session?: SessionContext) {
      super();
      this.addClass("jan-comparison-output");
    }

    async renderModel(model: MimeModel): Promise<void> {
      this.shown = model.data[COMPARISON] as Comparison;
      this.model = model;
      if (this.view) this.view.load(this.shown);
      else if (this.isAttached) await this.begin();
    }

    /** What is far from sight in a long notebook waits until somebody comes there. */
    override onAfterAttach(message: object): void {
      super.onAfterAttach(message);
      if (this.shown) void this.begin();
    }

    private async begin(): Promise<void> {
      if (this.begun) return;
      this.begun = true;
      try {
        const { View } = await load();
        if (this.isDisposed || !this.shown) return;
        const session = this.session ?? sessionAround(this);
        const keep = (data: Record<string, unknown>) => this.model?.setData({ data });
        this.view = new View(this.node, this.shown, session, keep);
      } catch (error) {
        // jan_jupyter was upgraded while the page was open, or the server is away.
        this.node.textContent = `The comparison cannot be drawn: reload the page. (${error})`;
      }
    }

    override dispose(): void {
      if (this.isDisposed) return;
      this.view?.close();
      super.dispose();
    }
  };
}

/** The session of what an output stands in: a console has one, too. */
function sessionAround(widget: Widget): SessionContext | undefined {
  for (let place: Widget | null = widget; place; place = place.parent) {
    const found = (place as { sessionContext?: SessionContext }).sessionContext;
    if (found) return found;
  }
  return undefined;
}
