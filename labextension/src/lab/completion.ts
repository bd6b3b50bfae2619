// What the extension loads when a model is chosen for inline completion.

import { t } from "../words";
import { asked, type Cell } from "./completion/around";
import { Counter } from "./completion/counting";
import { Flight, pieces, REPLACED } from "./completion/flight";
import { Models, type Model, reader } from "./completion/models";
import { Round, typed, type Place } from "./completion/round";
import { holdsSecret } from "./completion/secrets";
import { Spoken } from "./completion/spoken";
import {
  type Chosen,
  type Context,
  type Editor,
  type Item,
  modelsOf,
  type Offered,
  SHOWN,
  SLOTS,
} from "./completion/types";
import { statusOf, type Server } from "./server";

export { agree, choose } from "./completion/choosing";
export { reader };

const NOTHING: Offered = { items: [] };
/** Milliseconds for which the one that was drawn is waited for by the other. */
const DRAWN = 250;
/** Milliseconds between two looks at a text that grows. */
const GROWING = 30;
/** Milliseconds for which a model that has failed is left alone. */
const PATIENCE = 5000;
const TOKENS = { line: 48, block: 160 };
/** Characters that surely fit into a token, and the part of a context that is for what is read. */
const CHARACTERS = 2;

/** Characters of the name by which the server knows where somebody types. */
const KEY = 500;

const pause = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time));

/** What JupyterLab asks for text at the cursor. */
export class Completer {
  readonly models: Models;
  private readonly counter: Counter;
  private readonly spoken = new Spoken();
  private readonly rounds = new WeakMap<Editor, Round>();
  private latest: Round | undefined;
  /** The last request of a cell and a model: the next one waits until it has ended. */
  private readonly tails = new Map<string, Promise<void>>();
  private readonly streams = new Map<string, { round: Round; slot: number }>();
  private readonly budgets = new Map<string, number>();
  private readonly quiet = new Map<string, number>();
  private count = 0;

  constructor(
    private readonly server: Server,
    private readonly chosen: () => Chosen,
    private readonly tell: (model: string, problem: string) => void,
    private readonly prefix: string,
  ) {
    this.models = new Models(server);
    this.counter = new Counter(server);
    void this.models.list().catch(() => {}); // so that the first text does not wait for it
  }

  // As JupyterLab asks -------------------------------------------------------------------------

  /** What the model of a slot says at the cursor; JupyterLab asks all slots at once. */
  async fetch(slot: number, context: Context): Promise<Offered> {
    const place = placeOf(context, this.chosen().prose);
    if (!place) return NOTHING;
    const round = this.roundAt(place, slot);
    round.asked.add(slot);
    const other = 1 - slot;
    const automatic = context.triggerKind !== 0;
    const flight = (round.lanes[slot] ??= this.begin(slot, place, automatic));
    if (!flight) {
      // JupyterLab would take away what the other has shown, if this one came first.
      await round.lanes[other]?.begun();
      await pause(0);
      return NOTHING;
    }
    await flight.begun();
    const rival = round.lanes[other];
    if (rival && round.first === other && !rival.text) {
      await Promise.race([rival.begun(), pause(DRAWN)]);
      await pause(0);
    } else if (rival && round.first === other) await pause(0);
    const said = typed(place.editor, flight);
    if (this.rounds.get(place.editor) !== round || said === null || !flight.text) return NOTHING;
    const text = flight.text.slice(said.length);
    if (!text) return NOTHING;
    round.moment.offered.set(flight.model, flight.first);
    this.look(round);
    const token = `${++this.count}`;
    for (const [old, one] of this.streams) if (one.round !== round) this.streams.delete(old); // nobody took it
    if (!flight.over) this.streams.set(token, { round, slot });
    return { items: [{ insertText: text, isIncomplete: !flight.over, token }] };
  }

  async *stream(token: string): AsyncGenerator<{ response: Item }> {
    const found = this.streams.get(token);
    if (!found) return;
    const { round, slot } = found;
    this.streams.delete(token);
    const flight = round.lanes[slot]!;
    let shown = flight.text;
    for (let over = false; !over; ) {
      await flight.news();
      await pause(GROWING);
      over = flight.over;
      const said = typed(round.place.editor, flight);
      if (this.rounds.get(round.place.editor) !== round || said === null) return;
      if (flight.text === shown || flight.stopped) continue;
      shown = flight.text;
      yield { response: { insertText: shown.slice(said.length), isIncomplete: !over, token } };
    }
    this.look(round); // it is whole now
  }

  // Rounds ---------------------------------------------------------------------------------------

  private roundAt(place: Place, slot: number): Round {
    const earlier = this.rounds.get(place.editor);
    const same = earlier?.place.before === place.before && earlier.place.after === place.after;
    if (earlier && same && !earlier.asked.has(slot) && earlier.lanes.every((one) => !one?.stopped)) {
      return earlier;
    }
    const round = new Round(place);
    round.inherit(earlier);
    if (earlier && round.moment !== earlier.moment) {
      this.counter.close(earlier.moment);
      this.spoken.offer(null, 0, false);
    }
    if (this.latest && this.latest.place.editor !== place.editor) this.leave(this.latest);
    if (!earlier) this.watch(place.editor);
    this.rounds.set(place.editor, round);
    this.latest = round;
    return round;
  }

  /** Ask the model of a slot, after a while; `null`: there is none. */
  private begin(slot: number, place: Place, automatic: boolean): Flight | null {
    const chosen = this.chosen();
    const model = modelsOf(chosen)[slot]!;
    if (!model || (this.quiet.get(model) ?? 0) > performance.now()) return null;
    const flight = new Flight(model, { ...place, line: chosen.length === "line" });
    void this.ask(flight, place, automatic ? chosen.delay : 0);
    return flight;
  }

  private async ask(flight: Flight, place: Place, delay: number): Promise<void> {
    const key = `${place.cell} ${flight.model}`;
    try {
      if (delay) await pause(delay);
      while (!flight.over && this.tails.has(key)) await this.tails.get(key);
      if (flight.over) return;
      const running = this.run(flight, place, key);
      this.tails.set(key, running);
      await running.finally(() => this.tails.delete(key));
    } finally {
      flight.stop();
    }
    if (flight.error) this.failed(flight);
    else if (!flight.stopped) this.tell(flight.model, "");
  }

  private async run(flight: Flight, place: Place, key: string): Promise<void> {
    const model = await this.models.find(flight.model).catch(() => undefined);
    const problem = model ? this.hindrance(model, place) : t("There is no model %1 that is ready.", flight.model);
    if (!model) this.quiet.set(flight.model, performance.now() + PATIENCE);
    if (problem) {
      this.tell(flight.model, problem);
      flight.stop();
    }
    if (!model || flight.over) return;
    const { length } = this.chosen();
    const around = asked(place, this.cellsAround(place), this.budget(model), !model.local);
    const more = { max_tokens: TOKENS[length], priority: "completion", key: key.slice(-KEY) };
    // What is likeliest; some models elsewhere take no temperature.
    const body = { model: model.id, ...around, ...more, ...(model.local && { temperature: 0 }) };
    await flight.run((signal) => pieces(this.server, body, signal));
  }

  /** Why nothing is sent to it; empty: nothing is in the way. */
  private hindrance(model: Model, { before, after }: Place): string {
    if (model.local) return "";
    if (!this.chosen().agreedHosts.includes(reader(model))) {
      return t("Nothing goes to %1 before you have said yes: choose the model again.", reader(model));
    }
    return holdsSecret(before + after) ? t("This cell holds a key: it does not go to %1.", reader(model)) : "";
  }

  private budget({ id, context }: Model): number {
    const most = Math.min(this.chosen().characters, this.budgets.get(id) ?? Infinity);
    return context ? Math.min(most, Math.max(context - TOKENS.block, 64) * CHARACTERS) : most;
  }

  private cellsAround({ editor, widget }: Place): { earlier: Cell[]; later: Cell[] } {
    const cells = (this.chosen().otherCells && widget.content?.widgets) || [];
    const at = cells.findIndex((cell) => cell.editor === editor);
    const plain = ({ model }: (typeof cells)[number]): Cell => ({
      source: model.sharedModel.getSource(),
      type: model.type,
    });
    return { earlier: cells.slice(0, Math.max(at, 0)).map(plain), later: at < 0 ? [] : cells.slice(at + 1).map(plain) };
  }

  private failed({ model, error }: Flight): void {
    const status = statusOf(error);
    if (status === REPLACED) return;
    const long = status === 400 && /context|too long/i.test(error!.message);
    if (long) this.budgets.set(model, Math.max((this.budgets.get(model) ?? this.chosen().characters) >> 1, 256));
    else this.quiet.set(model, performance.now() + PATIENCE);
    this.tell(model, error!.message);
  }

  // What becomes of it -----------------------------------------------------------------------------

  private watch(editor: Editor): void {
    const check = () => this.check(editor);
    editor.model.sharedModel.changed.connect(check);
    editor.model.selections.changed.connect(check);
    editor.host.addEventListener("focusout", ({ relatedTarget }) => {
      const round = this.rounds.get(editor);
      const to = relatedTarget instanceof Element ? relatedTarget : null;
      if (round && !editor.host.contains(to) && !to?.closest(".jp-InlineCompleter")) this.leave(round);
    });
  }

  /** Something was typed, or the cursor has moved: what does not fit any more ends at once. */
  private check(editor: Editor): void {
    const round = this.rounds.get(editor);
    if (!round) return;
    round.lanes.forEach((flight, slot) => {
      const said = flight && typed(editor, flight);
      if (said === null) flight?.stop();
      // Only later: JupyterLab tells after it that its own command has put this in.
      else queueMicrotask(() => (round.gone[slot] = said.length));
    });
    this.look(round);
  }

  private leave(round: Round): void {
    round.stop();
    this.look(round);
  }

  /** See, as soon as it is drawn, what is shown. */
  private look(round: Round): void {
    requestAnimationFrame(() => this.seen(round));
  }

  private seen(round: Round): void {
    const { host } = round.place.editor;
    if (this.rounds.get(round.place.editor) !== round) return;
    const ghosts = [...host.querySelectorAll<HTMLElement>(".jp-GhostText[data-provided-by]")].filter(
      ({ className, textContent }) => textContent && !/Spacer/.test(className),
    );
    const slot = ghosts.length ? this.whose(round, ghosts[0]!) : undefined;
    round.visible = slot ?? null;
    host.classList.toggle(SHOWN, slot !== undefined);
    const flight = slot === undefined ? null : round.lanes[slot];
    if (flight) round.moment.shown.add(flight.model);
    this.spoken.offer(flight ?? null, slot === undefined ? 0 : round.gone[slot]!, round.lanes.every(Boolean));
    // JupyterLab leaves it there when what was shown is typed away, and Tab would do nothing then.
    if (!ghosts.length) host.classList.remove("jp-mod-inline-completer-active");
    if (round.idle && !ghosts.length) this.counter.close(round.moment);
  }

  /** Which slot's text that is. Newer JupyterLabs leave the name of another there, on turning. */
  private whose({ place, lanes }: Round, ghost: HTMLElement): number | undefined {
    const plain = (text: string) => text.replace(/[\s⇓]/g, "");
    const shown = plain(ghost.textContent!);
    const fitting = SLOTS.filter((slot) => {
      const flight = lanes[slot];
      const said = flight && typed(place.editor, flight);
      return flight && said != null && plain(flight.text.slice(said.length)).startsWith(shown);
    });
    const named = SLOTS.find((slot) => ghost.dataset.providedBy === `${this.prefix}${slot}`);
    return fitting.length === 1 ? fitting[0] : fitting.find((slot) => slot === named);
  }

  /** JupyterLab shows that of the other. */
  cycled(): void {
    if (this.latest) this.look(this.latest);
  }

  /** JupyterLab has put in all that was shown; by whom that is, what stands there tells best. */
  accepted(): void {
    const round = this.latest;
    if (!round) return;
    const { lanes, gone, visible, place } = round;
    const added = (slot: number) => {
      const flight = lanes[slot];
      return ((flight && typed(place.editor, flight)) ?? "").slice(gone[slot]);
    };
    const slot = [visible, ...SLOTS].find((one) => one !== null && added(one));
    if (slot === undefined || slot === null) return;
    this.took(round, slot, added(slot));
    lanes[slot]!.stop();
    this.look(round);
  }

  get isShown(): boolean {
    const round = this.latest;
    return round?.visible != null && round.place.editor.host.classList.contains(SHOWN);
  }

  /** Put in the next word, or line, of what is shown. */
  take(what: "word" | "line"): void {
    const round = this.latest;
    const slot = round?.visible ?? null;
    const flight = slot === null ? null : round!.lanes[slot];
    if (!round || !flight || slot === null) return;
    const { editor } = round.place;
    const said = typed(editor, flight);
    if (said === null) return;
    const rest = flight.text.slice(said.length);
    const pattern = what === "word" ? /^\s*(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]+)/u : /^\n?[^\n]*/;
    const insert = pattern.exec(rest)?.[0];
    if (!insert) return;
    const from = editor.getOffsetAt(editor.getCursorPosition());
    this.took(round, slot, insert);
    editor.editor.dispatch({
      changes: { from, insert },
      selection: { anchor: from + insert.length },
      userEvent: "input.complete",
    });
  }

  private took(round: Round, slot: number, text: string): void {
    const { moment } = round;
    moment.taken = round.lanes[slot]!.model;
    moment.shown.add(moment.taken);
    moment.characters += text.length;
    moment.words += text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;
    round.gone[slot] = round.gone[slot]! + text.length;
  }
}

/** Where JupyterLab asks for text; `null`: where none is wanted. */
function placeOf({ editor, widget }: Context, prose: boolean): Place | null {
  if (!editor) return null;
  const { start, end } = editor.getSelection();
  const cursor = editor.getOffsetAt(end);
  if (editor.getOffsetAt(start) !== cursor) return null;
  const source = editor.model.sharedModel.getSource();
  const cell = widget.content?.widgets?.find((one) => one.editor === editor);
  const isProse = /markdown|x-ipythongfm|text\/plain/.test(editor.model.mimeType) || /^%%jan\b/.test(source);
  if ((isProse && !prose) || cell?.model.type === "raw" || !source.trim()) return null;
  return {
    editor,
    widget,
    before: source.slice(0, cursor),
    after: source.slice(cursor),
    prose: isProse,
    cell: `${widget.context?.path ?? widget.id}#${cell?.model.id ?? ""}`,
  };
}
