"""`jan-jupyter compare`: what is asked, what comes out, and what goes on where it was left."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from support.command_line import JAN_JUPYTER, begin
from support.jan import add_remote
from support.server import StreamingServer, tokens
from support.terminal import Program

from .conftest import Jan

TEXT = "".join(tokens(8))
MODELS = {
    "short": "",
    "longer": "n=12",
    "mirror": "verbatim",
    "slow": "n=3000,delay=0.02",
    "refused": "status=401",
}


@pytest.fixture
def place(isolated: Path, server: StreamingServer) -> Path:
    add_remote(isolated / "jan", server, **MODELS)
    return isolated


def test_what_came_is_on_stdout_and_progress_on_stderr(
    here: Jan, place: Path, server: StreamingServer
) -> None:
    words = ("compare", "-m", "short", "-m", "longer", "-t", "0", "Name", "a colour.")
    ended = here(*words, "--name", "colours")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("colours: 1 prompt × 2 models\n")
    assert "[short]" in ended.out
    assert "2 of 2" in ended.err
    assert "2 of 2" not in ended.out
    bodies = [entry.body for entry in server.journal()]
    assert [body["messages"][-1]["content"] for body in bodies] == ["Name a colour."] * 2
    assert [body["temperature"] for body in bodies] == [0, 0]
    # What has been asked is not asked again, unless that is wanted.
    assert here(*words).code == 0
    assert len(server.journal()) == 2
    assert here(*words, "--fresh").code == 0
    assert len(server.journal()) == 4


def test_json_and_files(here: Jan, place: Path, tmp_path: Path) -> None:
    names = [f"out.{ending}" for ending in ("html", "md", "json", "jsonl", "csv")]
    save = [word for name in names for word in ("--save", str(tmp_path / name))]
    words = ("compare", "-m", "short", "-m", "longer", "hi", "--as", "kept", *save, "--json")
    ended = here(*words)
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["name"] == "kept"
    assert [one["name"] for one in told["summary"]] == ["short", "longer"]
    assert [row["text"] for row in told["rows"]] == [TEXT, "".join(tokens(12))]
    assert json.loads((tmp_path / "out.json").read_text("utf-8")) == told["rows"]
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [*map(json.loads, lines)] == told["rows"]
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["model"] for row in csv.DictReader(file)] == ["short", "longer"]
    assert "<html" in (tmp_path / "out.html").read_text("utf-8").lower()
    assert (tmp_path / "out.md").read_text("utf-8").startswith("## kept\n")


def test_prompts_and_variables_from_files(
    here: Jan, place: Path, server: StreamingServer, tmp_path: Path
) -> None:
    cities, prompts = tmp_path / "cities.csv", tmp_path / "prompts.txt"
    cities.write_text("country,capital\nPeru,Lima\nChad,N'Djamena\n", "utf-8")
    words = ("--over", str(cities), "--expected", "capital", "--scorer", "exact", "{country}")
    told = here("compare", "-m", "mirror", *words, "--json").json()
    assert [(row["text"], row["expected"]) for row in told["rows"]] == [
        ("Peru", "Lima"),
        ("Chad", "N'Djamena"),
    ]
    assert [row["exact"] for row in told["rows"]] == [False, False]
    prompts.write_text("one\n\ntwo\n", "utf-8")
    more = ("compare", "-m", "mirror", "--prompts", str(prompts), "--repeat", "2", "--json")
    told = here(*more).json()
    assert [row["text"] for row in told["rows"]] == ["one", "one", "two", "two"]
    told = here("compare", "-m", "mirror", "why?", "--json", given="text").json()
    assert [row["text"] for row in told["rows"]] == ["text\n\nwhy?"]


def test_a_plan_asks_nothing(here: Jan, place: Path, server: StreamingServer) -> None:
    words = ("compare", "-m", "short", "--set", "temperature=0,1", "--repeat", "3", "hi")
    ended = here(*words, "--dry-run")
    assert ended.code == 0, ended.err
    assert "6 calls" in ended.out
    told = here(*words, "--dry-run", "--json").json()
    assert (told["calls"], told["stored"], told["paid"]) == (6, 0, 0)
    assert server.journal() == []


def test_many_paid_calls_want_a_yes(
    here: Jan, place: Path, server: StreamingServer, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"short": [2.5, 10]}', "utf-8")
    words = ("compare", "-m", "short", "--repeat", "101", "--prices", str(prices), "hi")
    ended = here(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "--yes" in ended.err
    assert server.journal() == []
    if sys.platform == "win32":
        return
    with Program(place, [*JAN_JUPYTER, *words]) as program:
        program.wait(r"Go on\? \[y/N\] $")
        program.write("n\r")
        assert program.end() == 2
    assert server.journal() == []
    ended = here(*words, "--yes", "--json")
    assert len(ended.json()["rows"]) == len(server.journal()) == 101


def test_failures_are_told_and_asked_again(here: Jan, place: Path, server: StreamingServer) -> None:
    words = ("compare", "-m", "short", "-m", "refused", "hi")
    ended = here(*words)
    assert ended.code == 1
    assert "1 of 2 calls failed; the same line asks them again." in ended.err
    server.behave("refused", "")
    assert here(*words).code == 0
    asked = sorted(entry.body["model"] for entry in server.journal())
    assert asked == ["refused", "refused", "short"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_stopped_it_shows_what_came_and_goes_on_later(
    here: Jan, place: Path, server: StreamingServer, number: str, code: int
) -> None:
    words = ("compare", "-m", "short", "-m", "slow", "hi", "--name", "cut", "--json")
    with begin(place, *words) as process:
        server.wait("complete")
        process.send_signal(getattr(signal, number))
        out, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert b"Stopped: " in errors
    rows = json.loads(out)["rows"]
    assert rows[0]["text"] == TEXT
    server.behave("slow", "")
    ended = here(*words)
    assert [row["text"] for row in ended.json()["rows"]] == [TEXT, TEXT]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["hi"], 2, "-m MODEL"),
        (["-m", "short"], 2, "no question"),
        (["-m", "short", "--prompts", "nowhere.txt"], 2, "nowhere.txt"),
        (["-m", "short", "--prompts", "x", "hi"], 2, "Either"),
        (["-m", "short", "--repeat", "0", "hi"], 2, "once"),
        (["-m", "short", "--scorer", "luck", "hi"], 2, "luck"),
        (["-m", "short", "-c", "hi"], 2, "-c"),
        (["-m", "short", "--save", "out.docx", "hi"], 2, ".docx"),
    ],
)
def test_what_is_wrong_is_one_line(
    here: Jan, place: Path, words: list[str], code: int, told: str
) -> None:
    ended = here("compare", *words)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert ended.err.startswith("jan-jupyter: ")
    assert ended.err.count("\n") == 1
    assert told in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal_and_does_not_command_it(place: Path, width: int) -> None:
    question = "before \x1b]0;owned\x07\x9b31m after"
    words = ("compare", "-m", "mirror", "-m", "short", question)
    with Program(place, [*JAN_JUPYTER, *words], columns=width) as program:
        assert program.end() == 0
        written = program.bytes().decode()
    assert all(c.isprintable() or c in "\r\n" for c in written)
    shown = written.replace("\r\n", "\n").split("\n")
    assert all(len(line.rpartition("\r")[2]) <= width for line in shown)
    beside = [line for line in shown if "[mirror]" in line and "[short]" in line]
    assert bool(beside) == (width >= 80)


def test_a_closed_pipe_is_no_error(place: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with begin(place, "compare", "-m", "short", "hi", stdout=writer) as process:
        os.close(writer)
        assert process.stderr is not None
        errors = process.stderr.read()
        assert process.wait(30) == 141
    assert b"Error" not in errors
