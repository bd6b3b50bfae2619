// What is said of a Jupyter server that answers.

import type { Words } from "../../host";

const CUT = "The connection to the Jupyter server is cut, and is being made again.";

/** `why`: what is known of what is in the way. */
export function serverWords(why: () => string): Words {
  return {
    connecting: "Connecting to the Jupyter server …",
    slow: "If that lasts, look at what the server says in its terminal.",
    waiting: {
      away: "Your message is sent as soon as the connection is there again.",
      open: "Your message is sent as soon as what was asked before is answered.",
      busy: "The server has not answered yet. Your message is sent as soon as it does.",
      idle: "The server has not answered yet. Your message is sent as soon as it does.",
    },
    lost: {
      get away() {
        return why() || CUT;
      },
      get dead() {
        return why() || CUT;
      },
      gone: CUT,
    },
    brings: "brings a cell, an output, the last error, a file or a variable along",
  };
}
