"""`make demo`: run `%%jan` for real, in a fresh kernel, and show the answer as it streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

from jupyter_client.manager import start_new_kernel

CELLS = (
    "%load_ext jan_jupyter",
    "%%jan\nWhat is model.json?",
    "%jan what is 7 + 5?",
    'country = "Italy"',
    "%%jan -t 0\nWhat is the capital of {country}?",
)


def main() -> None:
    print("1. Starting a real Jupyter kernel …", flush=True)
    began = monotonic()
    manager, client = start_new_kernel(
        kernel_name="python3",
        env={**os.environ, "JAN_MODEL": "jan-mini"},
        stderr=subprocess.DEVNULL,
    )
    print(f"   ready after {monotonic() - began:.1f} s.\n")
    print(
        "2. Running cells in it; the answers are those of jan-mini, the tiny model that is bundled."
    )
    try:
        for number, code in enumerate(CELLS, 1):
            print(f"\nIn [{number}]: " + code.replace("\n", "\n        "), flush=True)
            shown = Shown()
            reply = client.execute_interactive(code, output_hook=shown.message, timeout=120)
            shown.end()
            if reply["content"]["status"] != "ok":
                sys.exit(f"The cell failed: {reply['content']['evalue']}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(
        "\n3. All of this ran on this machine, without network. Go on in JupyterLab:\n\n"
        "     .venv/bin/jupyter lab notebooks/quickstart.ipynb\n\n"
        "   `%jan help` shows what there is, `%jan models` what you have: models that Jan"
        " downloaded\n   are found by themselves."
    )


class Shown:
    """Prints what is new in an output that grows."""

    def __init__(self) -> None:
        self._text = ""
        self._footer = ""

    def message(self, message: dict) -> None:  # type: ignore[type-arg]
        content = message["content"]
        kind = message["msg_type"]
        if kind in ("display_data", "update_display_data", "execute_result"):
            text = content["data"].get("text/plain", "")
            if content["metadata"].get("jan"):
                self._footer = content["data"].get("text/markdown", "").rpartition("\n")[2]
            if not text.startswith(self._text):  # what was told while loading gives way
                self._print("\n")
                self._text = ""
            self._print(text[len(self._text) :])
            self._text = text
        elif kind == "stream":
            self._print(content["text"])
        elif kind == "error":
            self._print("\n".join(content["traceback"]))

    def end(self) -> None:
        if self._text:
            print("\n  " + plain(self._footer))

    @staticmethod
    def _print(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def plain(markup: str) -> str:
    """A footer without its HTML."""
    import html
    import re

    return html.unescape(re.sub("<[^>]+>", "", markup)).strip()


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    main()
