// What is said of a Jupyter server that answers.

import type { Words } from "../../host";
import { t } from "../../words";

const cut = () => t("The connection to the Jupyter server is cut, and is being made again.");

/** `why`: what is known of what is in the way. */
export function serverWords(why: () => string): Words {
  return {
    connecting: t("Connecting to the Jupyter server …"),
    slow: t("If that lasts, look at what the server says in its terminal."),
    waiting: {
      away: t("Your message is sent as soon as the connection is there again."),
      open: t("Your message is sent as soon as what was asked before is answered."),
      busy: t("The server has not answered yet. Your message is sent as soon as it does."),
      idle: t("The server has not answered yet. Your message is sent as soon as it does."),
    },
    lost: {
      get away() {
        return why() || cut();
      },
      get dead() {
        return why() || cut();
      },
      gone: cut(),
    },
    brings: t("brings a cell, an output, the last error, a file or a variable along"),
  };
}
