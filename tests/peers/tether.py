"""Runs a command, and ends it with all that it started when the tests are gone.

    python -I tether.py COMMAND …

Its own standard input is the tether: whoever started it holds the other end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

SECONDS = 10


def main() -> None:
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        sys.stdin.buffer.read()
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    threading.Thread(target=end, daemon=True).start()
    status = process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whoever outlived it: its own workers
    os._exit(status if status >= 0 else 1)


if __name__ == "__main__":
    main()
