"""`jan-jupyter chat` at a keyboard: a conversation in a real terminal."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jan_jupyter.threads.store import ThreadStore
from support.command_line import JAN_JUPYTER
from support.jan import add_model, add_remote
from support.server import StreamingServer, tokens
from support.terminal import Program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")

TEXT = "".join(tokens(8))
MODELS = {"short": "", "slow": "n=3000,delay=0.02", "mirror": "verbatim", "refused": "status=401"}
AT_PROMPT = r"> $"
HOSTILE = (
    "\x1b]0;owned\x07",  # a title
    "\x1b]52;c;cm0gLXJm\x07",  # the clipboard
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",  # a link that is another
    "\x1b[2J\x1b[H\x1b[1A\x1b[8m",  # cleared, moved, hidden
    "\x1b[6n\x1b[c\x05",  # what a terminal answers, as if it were typed
    "\x1bP+q544e\x1b\\\x1b_x\x1b\\\x1b^y\x1b\\",  # strings of other kinds
    "\x9b31m\x9d0;owned\x9c\x90q\x9c",  # the same in one byte of Latin-1
    "safe\rOVER\x08\x08\x7f\x0e\x0f\x1a",  # written over, other characters
    "\u202egnp.exe\u202c\u2066x\u2069\u200f",  # turned round
)


@pytest.fixture
def place(isolated: Path, server: StreamingServer) -> Path:
    add_remote(isolated / "jan", server, **MODELS)
    return isolated


@pytest.fixture
def talk(place: Path) -> Iterator[Callable[..., Program]]:
    open_: list[Program] = []

    def begin(*words: str, width: int = 100) -> Program:
        program = Program(place, [*JAN_JUPYTER, "chat", *words], columns=width)
        open_.append(program.__enter__())
        program.wait(AT_PROMPT)
        return program

    yield begin
    for program in open_:
        program.close()


def said(program: Program, line: str, until: str = AT_PROMPT) -> str:
    """Enter a line; what is written until the next prompt, without the line itself."""
    start = program.length
    program.write(f"{line}\r")
    program.wait(rf"(?s)\n.*{until}", start=start)
    return program.text(start).partition("\n")[2].removesuffix("> ")


def sent(server: StreamingServer) -> list[str]:
    """What the last request has told the model."""
    return [message["content"] for message in server.journal()[-1].body["messages"]]


def test_a_conversation_goes_on_and_ends(
    talk: Callable[..., Program], server: StreamingServer
) -> None:
    program = talk("-m", "short", "-s", "Be brief.")
    assert program.text().startswith("short · /help for commands, Ctrl-D to leave\n")
    answer = said(program, "one")
    assert answer.startswith(f"{TEXT}\nshort · 8 tokens")
    said(program, "two")
    assert sent(server) == ["Be brief.", "one", TEXT, "two"]
    said(program, "/retry")
    assert sent(server) == ["Be brief.", "one", TEXT, "two"]
    said(program, "/new")
    said(program, "three")
    assert sent(server) == ["Be brief.", "three"]
    program.write("\x04")
    assert program.end() == 0
    assert ThreadStore().list() == []


def test_several_lines(talk: Callable[..., Program], server: StreamingServer) -> None:
    program = talk("-m", "short")
    said(program, "one \\", until="… $")
    said(program, "two")
    assert sent(server)[-1] == "one \ntwo"
    said(program, '"""def f():', until="… $")
    said(program, "    return 1", until="… $")
    said(program, '"""')
    assert sent(server)[-1] == "def f():\n    return 1"
    said(program, " /model is a word")
    assert sent(server)[-1] == " /model is a word"
    said(program, "/usr/bin is where?")
    assert sent(server)[-1] == "/usr/bin is where?"
    assert len(server.journal()) == 4


def test_ctrl_c_stops_an_answer_and_keeps_it(
    talk: Callable[..., Program], server: StreamingServer
) -> None:
    program = talk("-m", "slow", "--thread", "a trip")
    start = program.length
    program.write("go on for long\r")
    program.wait("kernel", start=start)
    program.interrupt()
    program.wait(rf"stopped\n\n{AT_PROMPT}", start=start)
    (entry,) = server.wait("closed")
    assert not entry.complete
    kept = ThreadStore().get("a trip").messages
    assert [message.status for message in kept] == ["ready", "stopped"]
    # What a terminal has not shown by then it throws away.
    shown = program.text(start).partition("\n")[2].partition("^C")[0]
    assert shown
    assert kept[1].text.startswith(shown)
    program.write("half a lin")
    program.wait("half a lin$", start=start)
    start = program.length
    program.interrupt()
    try:
        program.wait(r"\n> ", 5, start=start)
    except TimeoutError:  # Python hears of one just before it waits for a key with that key
        program.interrupt()
        program.wait(r"\n> ", start=start)
    program.write("\x04")
    assert program.end() == 0
    assert len(server.journal()) == 1  # what was dropped was not asked


def test_a_thread_is_gone_on_with(talk: Callable[..., Program], server: StreamingServer) -> None:
    first = talk("-m", "short", "--thread", "a trip")
    assert "thread a trip: new" in first.text()
    said(first, "one")
    first.write("\x04")
    first.end()
    again = talk("--thread", "a trip")
    assert re.search(rf"thread a trip: 2 messages\n> one\n{re.escape(TEXT.strip())}", again.text())
    start = again.length
    again.write("\x1b[A")  # the history has the questions of the thread
    again.wait("one", start=start)
    again.write("\r")
    again.wait(rf"tokens.*\n\n{AT_PROMPT}", start=start)
    assert sent(server) == ["one", TEXT, "one"]
    said(again, "/retry")
    assert sent(server) == ["one", TEXT, "one"]
    kept = ThreadStore().get("a trip")
    assert len(kept.messages) == 4
    assert "thread another: new" in said(again, "/thread another")
    said(again, "/model short")
    said(again, "else")
    assert sent(server) == ["else"]


def test_what_is_wrong_is_a_line_and_it_goes_on(
    talk: Callable[..., Program], server: StreamingServer, tmp_path: Path
) -> None:
    program = talk("-m", "refused")
    assert said(program, "hi").count("\n") == 1
    assert "nobody" in said(program, "/model nobody")
    assert "did you mean /model?" in said(program, "/modle short")
    assert "cannot be attached" in said(program, "/attach nowhere.png")
    assert "/set KEY=VALUE" in said(program, "/set warm")
    assert "Nothing has been asked" in said(talk("-m", "short"), "/retry")
    said(program, "/model short")
    said(program, "/set temperature=0.5")
    (tmp_path / "notes.txt").write_text("some notes", "utf-8")
    said(program, f"/image {tmp_path / 'notes.txt'}")
    said(program, "what is it?")
    body = server.journal()[-1].body
    assert body["temperature"] == 0.5
    assert "some notes" in str(body["messages"][-1]["content"])
    said(program, "and now?")
    assert server.journal()[-1].body["messages"][-1]["content"] == "and now?"
    assert "/exit" in said(program, "/help")
    program.write("/exit\r")
    assert program.end() == 0


def test_tab_offers_commands_and_models(talk: Callable[..., Program]) -> None:
    program = talk("-m", "short")
    start = program.length
    program.write("/mo\t")
    program.wait("/model", start=start)
    program.write(" sl\t")
    program.wait("/model slow", start=start)
    program.write("\r")
    program.wait(rf"slow\n{AT_PROMPT}", start=start)


def test_tab_offers_names_as_they_are_typed_here(talk: Callable[..., Program], place: Path) -> None:
    """Without the quotes that a line of a cell needs."""
    add_model(place / "jan", "My model", engine="openai")
    ThreadStore(place / "jan").create("My thread")
    program = talk("-m", "short")
    for what in ("model", "thread"):
        start = program.length
        program.write(f"/{what} My\t")
        program.wait(f"/{what} My {what}$", start=start)
        program.write("\r")
        program.wait(rf"My {what}.*\n{AT_PROMPT}", start=start)


def test_a_model_does_not_command_the_terminal(place: Path) -> None:
    """Each of its characters comes in a piece of its own: no sequence is ever seen as a whole."""
    question = "\n".join(["before", *HOSTILE, "after"])
    with Program(place, [*JAN_JUPYTER, "chat", "-m", "mirror", question]) as program:
        assert program.end() == 0
        written = program.bytes().decode()
    answer, _, footer = written.partition("\x1b[2m")  # our own colour of the line below
    lines = answer.replace("\r\n", "\n").split("\n")
    assert (lines[0], lines[len(HOSTILE) + 1]) == ("before", "after")
    for text in (answer.replace("\r\n", "\n"), footer.removesuffix("\x1b[0m\r\n")):
        assert all(character.isprintable() or character == "\n" for character in text)


def test_json_does_not_command_it_either(place: Path) -> None:
    question = "".join(HOSTILE)
    words = ("chat", "-m", "mirror", "--json", question)
    with Program(place, [*JAN_JUPYTER, *words]) as program:
        assert program.end() == 0
        written = program.bytes().decode().replace("\r\n", "\n")
    assert all(character.isprintable() or character == "\n" for character in written)
    assert json.loads(written)["text"] == question


def test_a_question_is_typed_where_the_answer_goes_into_a_file(
    place: Path, server: StreamingServer
) -> None:
    answer = place / "answer.txt"
    line = f'"$@" > {shlex.quote(str(answer))}'
    words = ["sh", "-c", line, "sh", *JAN_JUPYTER, "chat", "-m", "short"]
    with Program(place, words) as program:
        program.write("two\rlines\r\x04")
        assert program.end() == 0
    assert answer.read_text("utf-8") == f"{TEXT}\n"
    assert sent(server) == ["two\nlines"]


def test_the_footer_and_threads_are_harmless_too(
    place: Path, server: StreamingServer, talk: Callable[..., Program]
) -> None:
    program = talk("-m", "mirror", "--thread", "a trip")
    said(program, "a b")
    program.write("\x04")
    program.end()
    thread = ThreadStore().get("a trip")
    thread.update(thread.messages[-1].id, content="x\x1b]0;owned\x07y\x9b31m")
    again = talk("--thread", "a trip")
    assert "x]0;ownedy31m" in again.text()
    assert b"\x1b]0" not in again.bytes()


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_of_ours_is_wider_than_the_terminal(
    talk: Callable[..., Program], width: int
) -> None:
    program = talk("-m", "short", width=width)
    said(program, "one")
    for line in said(program, "/help").split("\n"):
        assert len(line) < width
