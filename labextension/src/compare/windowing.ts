// Which rows of a long list are in the page. All are of one height.

export interface Window {
  from: number;
  to: number;
}

/** Rows more than are in sight, above and below: for a scroll that is faster than a drawing. */
const OVER = 6;

export function windowOf(scrolled: number, height: number, row: number, count: number): Window {
  const first = Math.floor(scrolled / row) - OVER;
  const last = Math.ceil((scrolled + height) / row) + OVER;
  const to = Math.max(0, Math.min(count, last));
  return { from: Math.max(0, Math.min(first, to)), to };
}

/** Where to scroll to so that a row is in sight; `null`: it is. */
export function scrollTo(at: number, scrolled: number, height: number, row: number): number | null {
  if (at * row < scrolled) return at * row;
  if ((at + 1) * row > scrolled + height) return (at + 1) * row - height;
  return null;
}
