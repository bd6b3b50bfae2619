// fast-check with the same draws each time, so that a change is what makes a test fail; EXPLORE=N draws
// others, and N times as many: to find what nobody has thought of.

import fc from "fast-check";

const more = Number(process.env.EXPLORE ?? 0);
if (!more) fc.configureGlobal({ seed: 771 });

/** How many draws, of so many. */
export const runs = (few: number): number => few * Math.max(more, 1);

export default fc;
