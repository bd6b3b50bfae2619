"""What goes with a prompt: attachments, a schema, functions; and embeddings and speech."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy
import pydantic
import pytest
from PIL import Image

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.attachments import part_of
from jan_jupyter.requests import without_empty_stops
from jan_jupyter.structured import shape_of
from jan_jupyter.tools import Call, Toolbox
from support.jan import add_remote
from support.server import StreamingServer, tokens

PNG = b"\x89PNG\r\n\x1a\n"


def data_of(part: Any) -> bytes:
    url = part["image_url"]["url"]
    assert url.startswith("data:image/")
    return base64.b64decode(url.partition(",")[2])


class Figure:
    """As matplotlib's."""

    def savefig(self, file: Any, format: str, bbox_inches: str) -> None:
        file.write(PNG + format.encode())


class Axes:
    figure = Figure()


class Plot:
    def _repr_png_(self) -> bytes:
        return PNG


# Attachments


@pytest.mark.parametrize(
    "value",
    [
        Figure(),
        Axes(),
        Plot(),
        PNG,
        Image.new("RGB", (2, 2)),
        numpy.zeros((3, 4), dtype="uint8"),
        numpy.random.default_rng(0).random((3, 4, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_pictures_become_png(value: Any) -> None:
    assert data_of(part_of(value)).startswith(PNG)


def test_files_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    assert data_of(part_of(tmp_path / "a.png")) == PNG
    assert part_of(str(tmp_path / "a.csv"))["text"] == "a.csv:\n\nx,y\n1,2\n\n"
    assert part_of(tmp_path / "a.pdf")["file"]["filename"] == "a.pdf"
    address = "https://example.org/a.png"
    assert part_of(address)["image_url"]["url"] == address


def test_what_cannot_be_attached_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x00\xff\x00")
    for value, words in (
        (tmp_path / "none.png", "No such file"),
        (tmp_path / "a.bin", "neither an image"),
        (object(), "cannot be attached"),
        (numpy.zeros((2, 2, 7)), "shape"),
        (PNG + bytes(21 * 2**20), "too large"),
    ):
        with pytest.raises(errors.UsageError, match=words):
            part_of(value)


# Asking


@pytest.mark.parametrize(
    ("stop", "sent"),
    [
        ("END", {"stop": "END"}),
        (["END", ""], {"stop": ["END"]}),
        (["END"], {"stop": ["END"]}),
        ("", {}),
        ([""], {}),
        ([], {}),
        (None, {"stop": None}),
    ],
)
def test_stop_words_of_no_letters_are_left_out(stop: Any, sent: dict[str, Any]) -> None:
    assert without_empty_stops({"seed": 1, "stop": stop}) == {"seed": 1, **sent}


@pytest.fixture
def ask(isolated: Path, server: StreamingServer) -> Iterator[StreamingServer]:
    add_remote(isolated / "jan", server, short="n=5", echo="echo", caller="tools=1", plain="n=3")
    yield server
    bridge.wait(jan.router.close())


def test_attachments_go_before_the_text(ask: StreamingServer) -> None:
    reply = jan.chat("what is this?", "short", attach=[Figure()])
    (entry,) = ask.journal()
    picture, text = entry.body["messages"][0]["content"]
    assert data_of(picture).startswith(PNG)
    assert text == {"type": "text", "text": "what is this?"}
    assert reply.messages[0].text == "what is this?"


def test_a_local_model_without_a_projector_says_that_it_sees_nothing(isolated: Path) -> None:
    with pytest.raises(errors.BadRequest, match=r"jan-mini \(nitro\) sees no images"):
        jan.chat("what is this?", "jan-mini", attach=[Figure()])
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


class City(pydantic.BaseModel):
    name: str
    people: int


@dataclass
class Point:
    x: float
    y: float


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (City, '{"name": "Rome", "people": 3}', City(name="Rome", people=3)),
        (Point, '{"x": 1, "y": 2.5}', Point(1, 2.5)),
        (list[int], '{"value": [1, 2]}', [1, 2]),
        (Literal["yes", "no"], '{"value": "no"}', "no"),
        (tuple[int, str], '{"value": [1, "a"]}', (1, "a")),
        ({"type": "object", "required": ["a"]}, 'Sure:\n```json\n{"a": 1}\n```', {"a": 1}),
    ],
    ids=str,
)
def test_a_schema_reads_its_answers(schema: Any, text: str, value: Any) -> None:
    shape = shape_of(schema)
    assert shape.json_schema["type"] == "object"
    assert shape.read(text) == value


@pytest.mark.parametrize(
    ("schema", "text", "words"),
    [
        (City, '{"name": "Rome"}', "people: Field required"),
        (City, "Rome!", "not JSON"),
        (list[int], '{"value": ["x"]}', "0: .*integer"),
        ({"type": "object", "required": ["a"]}, "{}", "'a' is a required property"),
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_is_one_line(schema: Any, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        shape_of(schema).read(text)
    assert "\n" not in str(caught.value)


def test_what_is_no_schema_says_so() -> None:
    for schema in ({"type": "nonsense"}, lambda: 1, 5):
        with pytest.raises(errors.UsageError, match="schema"):
            shape_of(schema)


def test_the_value_of_a_reply(ask: StreamingServer) -> None:
    reply = jan.chat("a city", "short", schema=City)
    (entry,) = ask.journal()
    sent = entry.body["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"]["required"] == ["name", "people"]
    with pytest.raises(errors.AnswerMismatch, match="short") as caught:
        _ = reply.value
    assert caught.value.partial == "".join(tokens(5))
    with pytest.raises(errors.UsageError, match="no schema"):
        _ = jan.chat("x", "short").value


def test_a_reply_with_any_schema_can_be_pickled(ask: StreamingServer) -> None:
    @dataclass
    class Here:
        people: int

    city: dict[str, Any] = {"name": "Rome", "people": 3}
    for schema, value in (
        (City, City(**city)),
        (dict[str, Any], city),
        ({"type": "object"}, city),
        (Here, city),  # which nobody can find elsewhere: its values are plain JSON there
    ):
        reply = replace(jan.chat("a city", "short", schema=schema), text=json.dumps(city))
        assert pickle.loads(pickle.dumps(reply)).value == value


def test_llama_cpp_keeps_to_a_schema(isolated: Path) -> None:
    class Sum(pydantic.BaseModel):
        result: Literal[5, 7, 12]

    reply = jan.chat("what is 7 + 5?", "jan-mini", schema=Sum, temperature=0, max_tokens=60)
    assert isinstance(reply.value, Sum)
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


def test_probabilities_where_they_are_offered(isolated: Path) -> None:
    reply = jan.chat(
        "what is 7 + 5?", "jan-mini", temperature=0, logprobs=True, top_logprobs=2, max_tokens=4
    )
    assert "".join(row["token"] for row in reply.logprobs) == reply.text
    assert all(row["logprob"] <= 0 and len(row["top_logprobs"]) == 2 for row in reply.logprobs)
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


# Functions


def weather(city: str, days: int = 1) -> str:
    """The weather of a city."""
    return f"{city}: sun for {days}"


def test_a_function_is_described_by_its_hints() -> None:
    (described,) = Toolbox([weather]).descriptions
    function = described["function"]
    assert (function["name"], function["description"]) == ("weather", "The weather of a city.")
    assert function["parameters"]["required"] == ["city"]
    assert function["parameters"]["properties"]["days"]["type"] == "integer"


def call(name: str, arguments: Any) -> dict[str, Any]:
    return {"id": "1", "function": {"name": name, "arguments": json.dumps(arguments)}}


def run(*calls: dict[str, Any], tools: list[Any], approve: Any = True) -> list[str]:
    return [m.text for m in asyncio.run(Toolbox(tools, approve).answers(calls))]


def test_calls_are_validated_run_and_answered() -> None:
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    def broken() -> None:
        raise RuntimeError("no")

    tools = [weather, later, broken]
    found = run(
        call("weather", {"city": "Rome", "days": "2"}),
        call("later", {"x": 1}),
        call("broken", {}),
        call("weather", {"days": 1}),
        call("weather", {"city": "Rome", "evil": 1}),
        call("other", {}),
        tools=tools,
    )
    assert found[0] == "Rome: sun for 2"
    assert found[1] == "2"
    assert found[2] == "Error: RuntimeError: no"
    assert found[3].startswith("Error: city: Field required")
    assert found[4].startswith("Error: evil")
    assert found[5].startswith("Error: there is no function 'other'")


def test_nothing_runs_without_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Call] = []

    def deny(call: Call) -> bool:
        asked.append(call)
        return False

    assert run(call("weather", {"city": "Rome"}), tools=[weather], approve=deny) == [
        "Error: the user did not allow this call."
    ]
    assert str(asked[0]) == "weather(city='Rome', days=1)"
    prompts: list[str] = []

    def answered(prompt: str) -> str:
        prompts.append(prompt)
        return ""

    monkeypatch.setattr("builtins.input", answered)
    (said,) = run(call("weather", {"city": "Ro\x1bme"}), tools=[weather], approve=None)
    assert said.startswith("Error")
    assert "weather(" in prompts[0]
    assert "\x1b" not in prompts[0]
    monkeypatch.setattr("builtins.input", lambda prompt: (_ for _ in ()).throw(EOFError))
    with pytest.raises(errors.UsageError, match="approve=True"):
        run(call("weather", {"city": "Rome"}), tools=[weather], approve=None)


def test_the_loop_of_calls(ask: StreamingServer) -> None:
    ask.behave("caller", "tools=1,finish=tool_calls,times=1")
    threads: list[threading.Thread] = []

    def tool_0(**anything: Any) -> str:
        threads.append(threading.current_thread())
        return "42"

    stream = jan.stream("go", "caller", tools=[tool_0], approve=True)
    assert "".join(stream)
    entries = ask.journal()
    assert len(entries) == 2
    roles = [m["role"] for m in entries[1].body["messages"]]
    assert roles == ["user", "assistant", "tool"]
    assert threads == [threading.main_thread()]
    assert entries[1].body["messages"][-1]["content"] == "42"
    reply = stream.reply
    assert [m.role for m in reply.messages] == [*roles, "assistant"]
    assert reply.usage.prompt >= 2


def test_endless_calls_are_stopped(ask: StreamingServer) -> None:
    ask.behave("caller", "tools=1,finish=tool_calls")
    with pytest.raises(errors.UsageError) as caught:
        jan.chat("go", "caller", tools=[weather], approve=True)
    assert len(ask.journal()) == 11
    line = str(caught.value)
    assert line.startswith("caller (openai) has asked for functions 10 times in a row")
    assert "Look at what they return (`reply.messages`), give it fewer, or ask another" in line


def test_a_file_that_is_gone_since_it_was_listed_is_told(isolated: Path) -> None:
    mini = jan.models.get("jan-mini").file
    assert mini is not None
    file = isolated / "jan" / "models" / "gone" / "gone.gguf"
    file.parent.mkdir(parents=True)
    shutil.copy(mini, file)
    model = jan.models.get("gone")
    file.unlink()
    with pytest.raises(errors.ModelNotReady) as caught:
        jan.chat("hi", model)
    line = str(caught.value)
    assert line.startswith(f"Model gone (nitro): {file} cannot be read (No such file")
    assert line.endswith("Download or import it again.")


# Embeddings and speech


def test_embeddings_of_the_bundled_model(isolated: Path) -> None:
    found = jan.embed(["one", "two", "one"], "jan-mini")
    matrix = numpy.asarray(found)
    assert matrix.shape[0] == len(found) == 3
    assert numpy.allclose(matrix[0], matrix[2], atol=1e-3)
    assert not numpy.allclose(matrix[0], matrix[1], atol=1e-3)
    assert found.usage.prompt > 0
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


def test_the_bundled_model_fills_a_gap(isolated: Path) -> None:
    reply = jan.complete("def add(a, b):\n    return ", "\n", "jan-mini", max_tokens=20)
    assert str(reply) == reply.text == "a + b"
    assert not reply.notes  # it has learnt to
    assert (reply.model, reply.engine, reply.finish) == ("jan-mini", "nitro", "stop")
    assert reply.provenance()["parameters"]["max_tokens"] == 20
    assert reply.timings.first_token is not None
    again = bridge.wait(jan.acomplete("def add(a, b):\n    return ", "\n", max_tokens=2))
    assert (again.finish, again.usage.completion) == ("length", 2)
    assert reply.text.startswith(again.text)
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


def test_an_engine_that_cannot_says_so(isolated: Path) -> None:
    with pytest.raises(errors.BadRequest, match=r"nitro .*cannot speak"):
        jan.speak("hello", "jan-mini")
    nothing: list[Any] = [[], [7], ["a", 7], [[7], None], [[]], [[True]]]
    for given in nothing:
        with pytest.raises(errors.UsageError):
            jan.embed(given, "jan-mini")
    with pytest.raises(errors.BadRequest, match=r"jan-mini \(nitro\) cannot rank texts"):
        jan.rerank("a", ["b"], "jan-mini")
    bridge.wait(jan.router.close())
