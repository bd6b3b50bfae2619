// What is said of a kernel that answers.

import type { Words } from "./host";

export const KERNEL: Words = {
  connecting: "Connecting to the kernel …",
  slow: "If no cell is running, restart it (Kernel ▸ Restart Kernel), then run this cell again.",
  waiting: {
    away: "Your message is sent as soon as the connection is there again.",
    open: "Your message is sent as soon as what was asked before is answered.",
    busy: "Waiting for the kernel: it is busy with a cell. Your message is sent as soon as it listens.",
    idle: "The kernel runs no cell, and does not answer. If that lasts, restart it (Kernel ▸ Restart Kernel): your message is kept.",
  },
  lost: {
    away: "The connection to the kernel is cut, and is being made again. If it takes long: Kernel ▸ Reconnect to Kernel.",
    dead: "The kernel has ended: run this cell to go on (Shift+Enter in it), or restart the kernel first.",
    gone: "The kernel was restarted: run this cell to go on (Shift+Enter in it).",
  },
  brings: "brings a variable, a cell, a file or the last error along",
};
