"""`jan-jupyter chat` with a question: what comes out, where, and with which exit code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.console import printable
from jan_jupyter.threads.store import ThreadStore
from support.command_line import begin
from support.jan import add_remote
from support.server import StreamingServer, tokens

from .conftest import Jan

TEXT = "".join(tokens(8))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
MODELS = {
    "short": "",
    "slow": "n=3000,delay=0.02",
    "silent": "n=5,first=60",
    "echo": "echo",
    "mirror": "verbatim",
    "cut": "n=20,cut=5",
    "refused": "status=401",
    "thinks": "reasoning=3000,delay=0.02",
    "longest": "n=5,finish=length",
}


@pytest.fixture
def place(isolated: Path, server: StreamingServer) -> Path:
    add_remote(isolated / "jan", server, **MODELS)
    return isolated


def asked(server: StreamingServer) -> Any:
    """The last message of the last request."""
    return server.journal()[-1].body["messages"][-1]["content"]


def test_the_answer_alone_is_on_stdout(jan: Jan, place: Path, server: StreamingServer) -> None:
    ended = jan("chat", "-m", "short", "what", "is", "this?")
    assert (ended.code, ended.out, ended.err) == (0, f"{TEXT}\n", "")
    assert asked(server) == "what is this?"


def test_what_is_piped_in_stands_above_the_question(
    here: Jan, place: Path, server: StreamingServer
) -> None:
    here("chat", "-m", "short", "summarise", given="a text\nof lines\n\n")
    assert asked(server) == "a text\nof lines\n\nsummarise"
    here("chat", "-m", "short", given="only this\n")
    assert asked(server) == "only this"
    here("chat", "-m", "short", "-", given="\ufeffand this")
    assert asked(server) == "and this"
    here("chat", "-m", "short", "empty pipe", given="")
    assert asked(server) == "empty pipe"


def test_pictures_come_from_a_pipe_or_a_file(
    here: Jan, place: Path, server: StreamingServer, tmp_path: Path
) -> None:
    (tmp_path / "plot.png").write_bytes(PNG)
    for given, more in ((PNG, ()), (b"", ("--image", str(tmp_path / "plot.png")))):
        ended = here("chat", "-m", "short", *more, "what is it?", given=given)
        assert ended.code == 0, ended.err
        picture, text = asked(server)
        assert picture["image_url"]["url"].startswith("data:image/png;base64,")
        assert text["text"] == "what is it?"
    ended = here("chat", "-m", "short", "what?", given=b"\x7fELF\x00\x01\xff")
    assert ended.code == 2
    assert "neither text nor a picture" in ended.err


def test_options_are_those_of_a_cell(here: Jan, place: Path, server: StreamingServer) -> None:
    words = ("-t", "0.5", "-n", "7", "--stop", "END", "-p", "top_k=3", "-s", "Be brief.")
    assert here("chat", "-m", "short", *words, "hi").code == 0
    body = server.journal()[-1].body
    assert (body["temperature"], body["top_k"], body["stop"]) == (0.5, 3, ["END"])
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    ended = here("chat", "-m", "short", *words, "--dry-run", "hi")
    assert ended.json()["body"]["messages"][-1]["content"] == "hi"
    assert len(server.journal()) == 1


def test_json_tells_all_that_is_known(here: Jan, place: Path, server: StreamingServer) -> None:
    ended = here("chat", "-m", "short", "--json", "--thread", "a trip", "hi")
    told = ended.json()
    assert told["text"] == TEXT
    assert (told["model"], told["engine"], told["finish"]) == ("short", "openai", "stop")
    assert told["usage"]["completion"] == 8
    assert told["timings"]["total"] > 0
    assert told["thread"]["title"] == "a trip"
    ended = here("chat", "-m", "refused", "--json", "hi")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1


def test_threads_go_on(here: Jan, place: Path, server: StreamingServer) -> None:
    assert here("chat", "-m", "short", "--thread", "a trip", "one").code == 0
    assert here("chat", "--thread", "a trip", "two").code == 0
    assert here("chat", "-c", "three").code == 0
    said = [message["content"] for message in server.journal()[-1].body["messages"]]
    assert said == ["one", TEXT, "two", TEXT, "three"]
    (kept,) = ThreadStore().list()
    assert len(ThreadStore().get(kept.id).messages) == 6


def test_formats(here: Jan, place: Path, tmp_path: Path) -> None:
    fence = "See:\n```python\nx = 1\n```\nor\n```html\n<b>hi</b>\n```\n"
    assert here("chat", "-m", "mirror", "-f", "code", given=fence).out == "x = 1\n\n<b>hi</b>\n"
    assert here("chat", "-m", "mirror", "-f", "html", given=fence).out == "<b>hi</b>\n"
    ended = here("chat", "-m", "mirror", "-f", "json", given='```\n{"a": 1}\n```')
    assert (ended.code, ended.json()) == (0, {"a": 1})
    ended = here("chat", "-m", "mirror", "-f", "json", "no JSON")
    assert (ended.code, ended.out) == (1, "no JSON\n")
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "required": ["a"]}', "utf-8")
    ended = here("chat", "-m", "mirror", "--schema", str(schema), '{"a": 1}')
    assert (ended.code, ended.out) == (0, '{"a": 1}\n')
    ended = here("chat", "-m", "mirror", "--schema", str(schema), '{"b": 1}')
    assert (ended.code, ended.out) == (1, '{"b": 1}\n')
    assert "does not fit the schema" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["-m", "refused", "hi"], 1, "refused"),
        (["-m", "nobody", "hi"], 1, "nobody"),
        (["-m", "short"], 2, "empty"),
        (["-m", "short", "--temperatur", "1", "hi"], 2, "--temperature"),
        (["-m", "short", "-t", "warm", "hi"], 2, "number"),
        (["-m", "short", "-m", "slow", "hi"], 2, "compare"),
        (["-m", "short", "--thread", " ", "hi"], 2, "name"),
        (["-m", "short", "-c", "hi"], 2, "no thread"),
        (["-m", "short", "--image", "nowhere.png", "hi"], 2, "nowhere.png"),
    ],
)
def test_what_is_wrong_is_one_line(
    here: Jan, place: Path, words: list[str], code: int, told: str
) -> None:
    ended = here("chat", *words)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("jan-jupyter: ")
    assert ended.err.count("\n") == 1
    assert told in ended.err


def test_an_answer_that_breaks_off_is_printed_and_kept(here: Jan, place: Path) -> None:
    ended = here("chat", "-m", "cut", "--thread", "a trip", "hi")
    came = "".join(tokens(5))
    assert (ended.code, ended.out) == (1, f"{came}\n")
    assert ended.err.count("\n") == 1
    assert ThreadStore().get("a trip").messages[-1].text == came
    ended = here("chat", "-m", "longest", "hi")
    assert (ended.code, ended.err) == (0, "cut at max_tokens\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_stops_the_answer_and_keeps_it(
    place: Path, server: StreamingServer, number: str, code: int
) -> None:
    with begin(place, "chat", "-m", "slow", "--thread", "a trip", "hi") as process:
        assert process.stdout is not None
        first = os.read(process.stdout.fileno(), 20)
        process.send_signal(getattr(signal, number))
        rest, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert errors == b"stopped\n"
    (entry,) = server.wait("closed")
    assert not entry.complete
    kept = ThreadStore().get("a trip").messages[-1]
    assert (first + rest).decode() == f"{kept.text.rstrip(chr(10))}\n"
    assert kept.status == "stopped"


def test_text_goes_into_a_pipe_as_it_comes(place: Path, server: StreamingServer) -> None:
    with begin(place, "chat", "-m", "slow", "hi") as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 5).decode() == tokens(1)[0][:5]
        (entry,) = server.journal()
        assert not entry.complete  # the answer would take a minute
        process.kill()


@pytest.mark.parametrize("model", ["slow", "thinks", "silent"])
def test_a_closed_pipe_stops_the_generation(
    place: Path, server: StreamingServer, model: str
) -> None:
    """Also while nothing is written: one that thinks would do so for a minute."""
    with begin(place, "chat", "-m", model, "--thread", "a trip", "hi") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        server.wait("received")
        process.stdout.close()
        server.wait("closed")
        assert process.wait(30) == 141
        assert process.stderr.read() == b""


def test_a_full_disk_is_told(place: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("wb") as nowhere:
        process = begin(place, "chat", "-m", "slow", "hi", stdout=nowhere.fileno())
    with process:
        assert process.stderr is not None
        told = process.stderr.read().decode()
    assert process.returncode == 1
    assert told.count("\n") == 1
    assert "space" in told.lower()


def test_a_pipe_gets_what_the_model_says_as_it_is(jan: Jan, place: Path) -> None:
    said = "a\x1b[31mb\u202ec\u00a0d"
    assert jan("chat", "-m", "mirror", given=said).out == f"{said}\n"


def test_blanks_and_joined_signs_stay_printable() -> None:
    text = "10\u00a0km, 1\u202f000, 日本\u3000語, 👩\u200d🔬, می\u200cخواهم"
    assert printable(text) == text
    assert printable("a\u202eb\u2066c\u200fd\x9b31me") == "abcd31me"


def test_text_of_windows_is_read() -> None:
    from jan_jupyter.cli.given import decoded

    assert decoded("größer".encode("utf-16")) == "größer"
    assert decoded(b"plain") == "plain"
