"""Ghost text in IPython's terminal: a real IPython in a pseudo-terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jan_jupyter.magics import ghost
from support.jan import add_remote
from support.server import StreamingServer, tokens
from support.terminal import Terminal

pytest.importorskip(
    "IPython.terminal.shortcuts.auto_suggest", reason="this IPython suggests nothing by itself"
)
from jan_jupyter.magics.suggesting import MOST_BEFORE, Suggesting, earlier

NAVIGABLE = ("--TerminalInteractiveShell.autosuggestions_provider=NavigableAutoSuggestFromHistory",)
RIGHT = "\x1b[C"
WORDS = "".join(tokens(4))
LAST = tokens(4)[-1].strip()


@pytest.fixture
def terminal(tmp_path: Path, server: StreamingServer) -> Iterator[Terminal]:
    """With a model that says `WORDS`, and one that is held after two words."""
    add_remote(tmp_path / "jan", server, says="n=4", held="n=4,hold=2", broken="status=401")
    with Terminal(tmp_path, arguments=NAVIGABLE) as running:
        running.run("%load_ext jan_jupyter")
        yield running


def choose(terminal: Terminal, model: str) -> None:
    terminal.run(f"%config Jan.ghost_text = {model!r}")


def take(terminal: Terminal, last: str) -> None:
    """Take what is offered, which ends with `last`."""
    start = terminal.length
    terminal.write(RIGHT)  # with what follows in one piece, prompt_toolkit would take it for pasted
    terminal.wait(last, start=start)


def test_it_is_off_until_a_model_is_chosen(terminal: Terminal, server: StreamingServer) -> None:
    terminal.run("x = 'apple'")
    terminal.write("y = ")
    terminal.write("1\r")
    terminal.wait_prompt()
    assert not server.journal()


def test_a_model_suggests_and_a_key_takes_it(terminal: Terminal, server: StreamingServer) -> None:
    choose(terminal, "says")
    terminal.run("apples = 3")
    start = terminal.length
    terminal.write("said = '")
    terminal.wait(LAST, start=start)
    take(terminal, LAST)
    terminal.write("'\r")
    terminal.wait_prompt()
    assert WORDS.rstrip() in terminal.run("print(said)")
    (entry, *_) = server.journal()
    asked = entry.body["messages"][0]["content"]
    assert asked.endswith("apples = 3\n\nsaid = '")
    assert "ghost_text" not in asked  # nor as what IPython makes of the line
    assert entry.body["stop"] == ["\n"]


def test_history_comes_first_and_what_is_typed_along_stays(
    terminal: Terminal, server: StreamingServer
) -> None:
    choose(terminal, "says")
    terminal.run("orange = 'from history'")
    start = terminal.length
    terminal.write("orange")
    terminal.wait("from history", start=start)
    take(terminal, "history")
    terminal.write("\r")
    terminal.wait_prompt()
    assert not server.journal()

    start = terminal.length
    terminal.write("z = '")
    terminal.wait(LAST, start=start)
    for sign in WORDS[:6]:
        start = terminal.length
        terminal.write(sign)
        terminal.wait(re.escape(sign) if sign.strip() else "", start=start)
    take(terminal, LAST)
    terminal.write("'\r")
    terminal.wait_prompt()
    assert WORDS.rstrip() in terminal.run("print(z)")
    assert len(server.journal()) == 1


def test_typing_on_stops_the_model(terminal: Terminal, server: StreamingServer) -> None:
    choose(terminal, "held")
    start = terminal.length
    terminal.write("a = '")
    terminal.wait(tokens(1)[0].strip(), start=start)
    terminal.write("b'")
    (entry,) = server.wait("closed")
    assert not entry.complete
    terminal.write("\r")
    terminal.wait_prompt()
    assert "b" in terminal.run("print(a)")


def test_what_cannot_be_is_said_once_and_it_can_be_turned_off(
    terminal: Terminal, server: StreamingServer
) -> None:
    choose(terminal, "broken")
    start = terminal.length
    terminal.write("a = ")
    terminal.wait("No ghost text: ", start=start)
    terminal.write("1 + ")
    server.wait("complete", count=2)
    terminal.write("2\r")
    terminal.wait_prompt()
    assert terminal.text(start).count("No ghost text: ") == 1
    choose(terminal, "")
    shown = terminal.run("type(get_ipython().auto_suggest).__name__")
    assert "'NavigableAutoSuggestFromHistory'" in shown
    choose(terminal, "says")
    assert "'Suggesting'" in terminal.run("type(get_ipython().auto_suggest).__name__")
    terminal.run("%unload_ext jan_jupyter")
    shown = terminal.run("type(get_ipython().auto_suggest).__name__")
    assert "'NavigableAutoSuggestFromHistory'" in shown


def test_the_bundled_model_suggests(tmp_path: Path) -> None:
    chosen = {"JAN_GHOST_TEXT": "jan-mini", "JAN_KEEP_ALIVE": "2"}
    with Terminal(tmp_path, env=chosen, arguments=NAVIGABLE) as terminal:
        terminal.run("%load_ext jan_jupyter")
        start = terminal.length
        terminal.write("import numpy as")
        terminal.wait(r"import numpy as np", start=start)
        take(terminal, "np")
        terminal.write("\r")
        terminal.wait_prompt()


def test_no_key_goes_elsewhere(terminal: Terminal, server: StreamingServer) -> None:
    choose(terminal, "says")
    terminal.run("api_key = 'canary'")
    start = terminal.length
    terminal.write("b = '")
    terminal.wait(LAST, start=start)
    assert "canary" not in str([entry.body for entry in server.journal()])


def test_earlier_cells_begin_at_the_same_place_for_a_while() -> None:
    cells = ["", "%jan hello", "!ls", *(f"value_{n} = {n}" + "\nx" * 20 for n in range(400))]
    begins = [earlier(cells[:n])[:12] for n in range(3, len(cells), 5)]
    assert begins[0] == ""
    assert len({*begins}) < 10
    assert all(len(earlier(cells[:n])) <= MOST_BEFORE for n in range(0, len(cells), 7))
    assert earlier(cells[:5]) == cells[3] + "\n\n" + cells[4] + "\n\n"


def test_where_it_cannot_be_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ghost.choose(SimpleNamespace(pt_app=None), "m")
    assert "IPython in a terminal" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "IPython.terminal.shortcuts.auto_suggest", None)
    monkeypatch.delitem(sys.modules, "jan_jupyter.magics.suggesting")
    ghost.choose(SimpleNamespace(pt_app=object()), "m")
    assert capsys.readouterr().out == f"{ghost._OLD}\n"


@pytest.mark.parametrize(
    ("said", "shown"), [("a b\nc", "a b"), ("\x1b[31mred", ""), ("a\x07b", "a"), ("é", "é")]
)
def test_a_terminal_is_told_nothing(said: str, shown: str) -> None:
    from jan_jupyter.magics.suggesting import _line

    assert _line(said) == shown


def test_it_takes_the_place_of_what_was_there_and_gives_it_back() -> None:
    handlers: Any = SimpleNamespace(
        add_handler=lambda handler: None, remove_handler=lambda handler: None
    )
    buffer = SimpleNamespace(on_text_insert=handlers, on_cursor_position_changed=handlers)
    app = SimpleNamespace(default_buffer=buffer, auto_suggest=None)
    shell = SimpleNamespace(pt_app=app, auto_suggest=None)
    ours = Suggesting(shell, "m")
    assert shell.auto_suggest is app.auto_suggest is ours
    ours.leave()
    assert shell.auto_suggest is app.auto_suggest is None
