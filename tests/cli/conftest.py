"""The command line as people have it: the console script, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.cli import main
from jan_jupyter.commands import screen

SCRIPT = Path(sys.executable).with_name("jan-jupyter")


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


Jan = Callable[..., Ended]


@pytest.fixture
def jan(isolated: Path) -> Iterator[Jan]:
    """Runs `jan-jupyter WORDS` in the test's own folders; `given` is what it reads, `env` goes on
    top of the environment. At the end it unloads what was loaded."""
    loaded: set[str] = set()

    def run(*words: str, given: str = "", env: dict[str, str] | None = None) -> Ended:
        if "load" in words[:1]:
            loaded.add(words[1])
        done = subprocess.run(
            [SCRIPT, *words],
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            env={**os.environ, **(env or {})},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    yield run
    for name in loaded:
        run("unload", name)


@pytest.fixture
def here(
    isolated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Jan]:
    """The same in this process, for what ends at once; `given` is text or bytes."""
    before = screen.screen()
    stdin = isolated / "stdin"

    def run(*words: str, given: str | bytes = "") -> Ended:
        stdin.write_bytes(given.encode() if isinstance(given, str) else given)
        with stdin.open(encoding="utf-8") as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            code = main(words)
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    yield run
    screen.use(before)


@pytest.fixture
def data_folder(isolated: Path) -> Path:
    """Where the command line's models and threads are."""
    return isolated / "jan"
