// When texts are drawn: one in a frame, and not more than half of the page's time for all.

/** Milliseconds between two frames at least. */
const INTERVAL = 33;

/** … and at most: what waits longer makes a longer frame. */
const LONGEST_PAUSE = 50;

const waiting = new Set<() => void>();
let busy = false;
let due = 0;

/** Draw soon; asking again before that changes nothing. */
export function drawSoon(draw: () => void): void {
  waiting.add(draw);
  schedule();
}

export function forget(draw: () => void): void {
  waiting.delete(draw);
}

function schedule(): void {
  if (busy || !waiting.size) return;
  busy = true;
  const pause = Math.max(0, due - performance.now());
  setTimeout(() => requestAnimationFrame(run), pause);
}

function run(): void {
  const began = performance.now();
  const [draw] = waiting;
  if (draw) {
    waiting.delete(draw);
    draw();
  }
  // After the frame: layout and painting are part of what it cost.
  setTimeout(() => {
    const now = performance.now();
    due = now + Math.max(INTERVAL / (waiting.size + 1), Math.min(now - began, LONGEST_PAUSE));
    busy = false;
    schedule();
  });
}
