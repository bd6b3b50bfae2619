"""A real IPython, or any program, in a real (pseudo) terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from .environment import isolated_environment

if sys.platform != "win32":
    import fcntl
    import pty
    import struct
    import termios

# The terminal must be the child's own, or Ctrl-C would not become a signal.
_OWN = """
import fcntl, os, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
_EXECUTE = f"{_OWN}os.execvp(sys.argv[1], sys.argv[1:])"
_LAUNCH = f"""{_OWN}
sys.argv = ["ipython", *sys.argv[1:]]
runpy.run_module("IPython", run_name="__main__", alter_sys=True)
"""
# Whatever would draw over the text that was written: suggestions, colours, titles.
_PLAIN = (
    "--no-banner",
    "--no-confirm-exit",
    "--colors=nocolor",
    "--no-term-title",
    "--TerminalInteractiveShell.autosuggestions_provider=None",
    "--TerminalInteractiveShell.highlight_matching_brackets=False",
)
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: titles
    r"|\x1b[@-Z\\-_=>78]|\x07"
)


def plain(text: str) -> str:
    """The text without what only moves the cursor or colours; line ends as `\\n`."""
    return re.sub(r"\r+\n", "\n", _ESCAPES.sub("", text)).replace("\r", "")


class Program:
    """A program under a pseudo-terminal; `columns` wide.

        with Program(folder, ["bash"]) as program:
            program.write("echo $((6 * 7))\r")
            program.wait("42")

    Timeouts are seconds and raise `TimeoutError`. Not for Windows.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        columns: int = 200,
    ) -> None:
        self.env = isolated_environment(folder) | {"TERM": "xterm"} | dict(env or {})
        self._command = [sys.executable, "-c", _EXECUTE, *command]
        self._columns = columns
        self._pieces: list[tuple[float, bytes]] = []
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, self._columns, 0, 0))
        mode = termios.tcgetattr(slave)
        mode[3] |= termios.NOFLSH  # else Ctrl-C may take away what is written at once in answer
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        try:
            self.process = subprocess.Popen(
                self._command,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=self.env,
                start_new_session=True,
            )
        finally:
            os.close(slave)
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()
        try:
            self.begin()
        except BaseException:
            self.close()
            raise
        return self

    def begin(self) -> None:
        """Until it can be typed to."""

    def end(self, timeout: float = 60) -> int:
        """Until it has ended; gives its exit code."""
        code = self.process.wait(timeout)
        self._reader.join()
        return code

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it and what it left in its session."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._master)

    def write(self, text: str) -> None:
        """Press keys: `\\r` is Enter, `\\t` Tab."""
        os.write(self._master, text.encode())

    def interrupt(self) -> float:
        """Press Ctrl-C; gives the time."""
        at = time.monotonic()
        self.write("\x03")
        return at

    @property
    def length(self) -> int:
        """How many bytes were written so far: a mark for `text` and `wait`."""
        with self._news:
            return sum(len(piece) for _, piece in self._pieces)

    def bytes(self, start: int = 0) -> bytes:
        """What was written since `start`, as it is."""
        with self._news:
            return b"".join(piece for _, piece in self._pieces)[start:]

    def text(self, start: int = 0) -> str:
        """What was written since `start`, without escape sequences."""
        return plain(self.bytes(start).decode("utf-8", "replace"))

    def wait(self, pattern: str, timeout: float = 60, *, start: int = 0) -> float:
        """Until what was written since `start` matches; gives the time of the piece that did."""
        end = time.monotonic() + timeout
        while True:
            with self._news:
                seen = len(self._pieces)
                at = self._pieces[-1][0] if self._pieces else 0.0
            if re.search(pattern, self.text(start)):
                return at
            if time.monotonic() >= end:
                raise TimeoutError(f"no {pattern!r} in:\n{self.text(start)}")
            with self._news:
                if seen == len(self._pieces):
                    self._news.wait(max(0.0, end - time.monotonic()))

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # Linux: the other side is closed
                piece = b""
            with self._news:
                if not piece:
                    return
                self._pieces.append((time.monotonic(), piece))
                self._news.notify_all()


class Terminal(Program):
    """IPython under a pseudo-terminal of 200 × 50 characters.

        with Terminal() as terminal:
            assert "42" in terminal.run("6 * 7")

    `arguments` go to IPython.
    """

    def __init__(
        self,
        folder: Path,
        python: str = sys.executable,
        *,
        env: Mapping[str, str] | None = None,
        arguments: Iterable[str] = (),
    ) -> None:
        # A terminal that cannot say where its cursor is would be waited for otherwise.
        super().__init__(folder, [], env={"PROMPT_TOOLKIT_NO_CPR": "1", **(env or {})})
        arguments = [*arguments]
        given = [argument.partition("=")[0] for argument in arguments]
        plain = [option for option in _PLAIN if option.partition("=")[0] not in given]
        self._command = [python, "-c", _LAUNCH, *plain, *arguments]
        self._prompts = 0

    def begin(self) -> None:
        self.wait_prompt()

    def run(self, code: str, timeout: float = 60) -> str:
        """Run a cell; gives what was written until the next prompt, with the echo of the code."""
        start = self.length
        self.type(code)
        self.wait_prompt(timeout)
        return self.text(start)

    def type(self, code: str) -> None:
        """Type a cell and enter it."""
        # Pasted, so that nothing is indented or completed; the empty lines end a `%%` cell.
        ends = "\n\n" if "\n" in code else ""
        self.write(f"\x1b[200~{code}{ends}\x1b[201~\r")

    def wait_prompt(self, timeout: float = 60) -> float:
        """Until IPython asks for the next cell; gives the time."""
        self._prompts += 1
        return self.wait(rf"In \[{self._prompts}\]:", timeout)
