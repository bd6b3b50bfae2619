// The renderer of an output. JupyterLab keeps it while the output is updated, and so what somebody
// looks at stays as it is.

import { COMPARISON, type Comparison } from "../compare/protocol";
import type { Lumino, MimeModel, Renderer, SessionContext, Widget } from "./jupyter";
import type * as View from "./comparison";

export function rendererOf(
  Base: Lumino["Widget"],
  load: () => Promise<typeof View>,
): new (session?: SessionContext) => Renderer {
  return class extends Base {
    private view: View.View | null = null;
    private shown: Comparison | null = null;
    private loading: Promise<void> | null = null;

    constructor(private readonly session?: SessionContext) {
      super();
      this.addClass("jan-comparison-output");
    }

    async renderModel(model: MimeModel): Promise<void> {
      this.shown = model.data[COMPARISON] as Comparison;
      if (this.view) return this.view.load(this.shown);
      this.loading ??= this.begin();
      return this.loading;
    }

    private async begin(): Promise<void> {
      const made = await load().catch(() => null);
      this.loading = null;
      if (this.isDisposed || !this.shown) return;
      if (!made) {
        // jan_jupyter was upgraded while the page was open, or the server is away.
        this.node.textContent = "The comparison cannot be drawn: reload the page.";
        return;
      }
      this.view = new made.View(this.node, this.shown, () => this.session ?? sessionAround(this));
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
