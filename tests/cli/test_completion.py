"""Tab in real shells; those that are not installed are left out."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jan_jupyter.cli.completion import SCRIPTS
from jan_jupyter.cli.tab import Line, offered
from support.jan import add_model, write_json
from support.terminal import Program

from .conftest import SCRIPT

BEGIN = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SETUP = {
    "bash": 'eval "$(jan-jupyter completion bash)"',
    "zsh": "autoload -Uz compinit && compinit -D -u && source <(jan-jupyter completion zsh)",
    "fish": "jan-jupyter completion fish | source",
}


class Shell(Program):
    """A shell that completes our command."""

    def __init__(self, name: str, folder: Path) -> None:
        path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
        super().__init__(folder, BEGIN[name], env={"PATH": path, "EDITOR": "emacs"})
        self._name = name

    def begin(self) -> None:
        self.write(f"{SETUP[self._name]}; echo be''gun\r")
        self.wait("begun")

    def after_tab(self, line: str, *expected: str) -> None:
        """Type a part of a line and Tab; it must become the words that are expected."""
        start = self.length
        # What is typed while it completes waits for that. Then the words are printed, not run.
        self.write(f"{line}\t\x01printf '<%s>' \r")
        self.wait(
            re.escape("".join(f"<{word}>" for word in ("jan-jupyter", *expected))), start=start
        )


@pytest.fixture(scope="module", params=SCRIPTS)
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp(name)
    for model in ("qwen-large", "llama3.2:1b", "my own model", "müller"):
        add_model(folder / "jan", model, engine="openai")
    (folder / "paths").mkdir()
    (folder / "paths" / "weights of mine.gguf").touch()
    with Shell(name, folder) as shell:
        shell.write(f"cd '{folder}/paths'\r")
        yield shell


def test_commands_options_models_and_files(shell: Shell) -> None:
    shell.after_tab("jan-jupyter compl", "completion")
    shell.after_tab("jan-jupyter models --verb", "models", "--verbose")
    shell.after_tab("jan-jupyter chat --model=jan-m", "chat", "--model=jan-mini")
    shell.after_tab("jan-jupyter show qwe", "show", "qwen-large")
    shell.after_tab("jan-jupyter show --json llama3.2:1", "show", "--json", "llama3.2:1b")
    shell.after_tab("jan-jupyter show my", "show", "my own model")
    shell.after_tab("jan-jupyter show 'my ow", "show", "my own model")
    shell.after_tab("jan-jupyter show mü", "show", "müller")
    shell.after_tab("jan-jupyter import weig", "import", "weights of mine.gguf")
    shell.after_tab("jan-jupyter edit qwen-large temper", "edit", "qwen-large", "temperature=")


@pytest.mark.parametrize(
    ("typed", "before", "current", "found", "given"),
    [
        ("jan-jupyter sh", [], "sh", "show", "show"),
        ("jan-jupyter show llama3.2:1", ["show"], "llama3.2:1", "llama3.2:1b", "1b"),
        ("jan-jupyter show 'a b", ["show"], "a b", "a b c", "a b c"),
        ("jan-jupyter show a\\ ", ["show"], "a ", "a b c", "a\\ b\\ c"),
        ('jan-jupyter show "x:', ["show"], "x:", "x:y", "x:y"),
        ("jan-jupyter show ", ["show"], "", "$(rm -r x)", "\\$\\(rm\\ -r\\ x\\)"),
        ('jan-jupyter show "', ["show"], "", "$(rm) `x`", "\\$(rm) \\`x\\`"),
        ("jan-jupyter show 'a", ["show"], "a", "a'b$(c)", "a'\\''b$(c)"),
        ("jan-jupyter show ", ["show"], "", "-x;y", "-x\\;y"),
    ],
)
def test_a_line_of_bash_is_taken_apart(
    typed: str, before: list[str], current: str, found: str, given: str
) -> None:
    line = Line(typed)
    assert (line.before, line.current, line.replacing(found)) == (before, current, given)


def test_names_that_would_break_a_line_are_not_offered(isolated: Path) -> None:
    for name in ("good", "two\nlines", "steers\x1b[2Jit"):
        write_json(
            isolated / "jan" / "models" / name[:3] / "model.json", {"id": name, "engine": "x"}
        )
    assert {text for text, _ in offered(["show"], "")} == {"good", "jan-mini"}
    assert offered(["show", "--json", "one"], "") == []
    assert offered(["nothing"], "") == []
    assert {"--json", "--help"} <= {text for text, _ in offered(["show"], "--")}
    assert [text for text, _ in offered(["threads"], "re")] == ["rename"]
    assert offered(["help"], "mod") == offered([], "mod")
