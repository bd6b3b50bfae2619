// What is said of a kernel that answers.

import type { Words } from "./host";
import { t } from "./words";

export const KERNEL: Words = {
  connecting: t("Connecting to the kernel …"),
  slow: t("If no cell is running, restart it (Kernel ▸ Restart Kernel), then run this cell again."),
  waiting: {
    away: t("Your message is sent as soon as the connection is there again."),
    open: t("Your message is sent as soon as what was asked before is answered."),
    busy: t("Waiting for the kernel: it is busy with a cell. Your message is sent as soon as it listens."),
    idle: t("The kernel runs no cell, and does not answer. If that lasts, restart it (Kernel ▸ Restart Kernel): your message is kept."),
  },
  lost: {
    away: t("The connection to the kernel is cut, and is being made again. If it takes long: Kernel ▸ Reconnect to Kernel."),
    dead: t("The kernel has ended: run this cell to go on (Shift+Enter in it), or restart the kernel first."),
    gone: t("The kernel was restarted: run this cell to go on (Shift+Enter in it)."),
  },
  brings: t("brings a variable, a cell, a file or the last error along"),
};
