// Formulas as MathML, which browsers show and screen readers read. Asked for at the first formula.

import temml from "temml";

/** MathML of a formula; what cannot be read is shown as it was written. */
export function mathml(source: string, display: boolean): string {
  return temml.renderToString(source, {
    displayMode: display,
    throwOnError: true,
    strict: false,
    trust: false,
    maxSize: [50, 20],
    maxExpand: 200,
  });
}
