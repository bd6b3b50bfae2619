// The words of the interface. A page that has them in another language (JupyterLab with a language
// pack) says so for all of us that is in it, whichever bundle it came with.

/** As gettext has it: in the text `%1`, `%2` … stand for the values. */
export type Translate = (text: string, ...values: unknown[]) => string;

const PLACE = Symbol.for("jan-jupyter words");
const page = globalThis as { [PLACE]?: Translate };

/** A text that people read, in their language if there is one for it. */
export const t: Translate = (text, ...values) =>
  page[PLACE] ? page[PLACE](text, ...values) : text.replace(/%(\d)/g, (_, at) => String(values[at - 1]));

/** Such a text with what is drawn in the places of `%1`, `%2` …: the parts in their order. */
export function around<Drawn>(text: string, ...drawn: Drawn[]): (string | Drawn)[] {
  const places = drawn.map((_, at) => `%${at + 1}`);
  return t(text, ...places)
    .split(/%(\d)/)
    .map((part, at) => (at % 2 ? drawn[Number(part) - 1]! : part));
}

export function translateBy(translate: Translate): void {
  page[PLACE] = translate;
}
