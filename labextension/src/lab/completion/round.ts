// What is offered at one place of the cursor: a lane for each model.

import { moment, type Moment } from "./counting";
import type { Flight } from "./flight";
import { SLOTS, type Context, type Editor } from "./types";

/** Where the cursor stands: in which cell, and with what around it. */
export interface Place {
  editor: Editor;
  widget: Context["widget"];
  before: string;
  after: string;
  prose: boolean;
  /** The same for all of one cell. */
  cell: string;
}

/** What has been typed since a flight began, if it is what that says; else `null`. */
export function typed(editor: Editor, { around, text }: Flight): string | null {
  if (editor.isDisposed) return null;
  const source = editor.model.sharedModel.getSource();
  const cursor = editor.getOffsetAt(editor.getCursorPosition());
  const { before, after } = around;
  if (cursor < before.length || source.length - cursor !== after.length) return null;
  if (!source.startsWith(before) || !source.endsWith(after)) return null;
  const more = source.slice(before.length, cursor);
  return text.startsWith(more) ? more : null;
}

export class Round {
  readonly lanes: (Flight | null)[] = [null, null];
  /** Where it begins in what each has said: so much was typed, or taken, before. */
  readonly skip = [0, 0];
  /** How much was typed, or taken, when it was looked at last. */
  readonly gone = [0, 0];
  /** Which is shown now. */
  visible: number | null = null;
  moment: Moment = moment();
  /** Who is shown first, where both come at about the same time. */
  first = Math.random() < 0.5 ? 0 : 1;
  /** Which slots have been asked for. */
  readonly asked = new Set<number>();

  constructor(readonly place: Place) {}

  /** Go on with those of an earlier one that say what was typed since; the others are stopped. */
  inherit(earlier: Round | undefined): void {
    for (const slot of SLOTS) {
      const flight = earlier?.lanes[slot];
      if (!earlier || !flight) continue;
      const said = earlier.place.editor === this.place.editor ? typed(this.place.editor, flight) : null;
      if (said !== null && !flight.stopped && !flight.error && flight.text.length > said.length) {
        this.lanes[slot] = flight;
        this.skip[slot] = this.gone[slot] = said.length;
        this.moment = earlier.moment;
        if (earlier.visible === slot) this.first = slot;
      } else flight.stop();
    }
    if (earlier && this.moment === earlier.moment) this.visible = earlier.visible;
  }

  get idle(): boolean {
    return this.lanes.every((flight) => !flight || flight.over);
  }

  stop(): void {
    for (const flight of this.lanes) flight?.stop();
  }
}
