"""A persona's answers, over a chat that stands in for Jupyter AI's."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jan_jupyter import bridge, settings
from jan_jupyter.agents import answering
from jan_jupyter.agents.answering import Answering, choices, refused, said
from jan_jupyter.workspace import shared
from support.jan import KEY, add_remote
from support.server import StreamingServer, tokens

ME, ADA = "jupyter-ai-personas::jan_jupyter::JanPersona", "ada"


@dataclass
class Said:
    """A message of Jupyter AI's chat."""

    body: str
    sender: str = ADA
    id: str = ""
    metadata: dict[str, Any] | None = None
    attachments: list[str] | None = None
    deleted: bool | None = None


@dataclass
class Persona:
    """And what it has of its base."""

    messages: list[Said]
    attached: dict[str, Any] = field(default_factory=dict)
    id: str = ME
    chat: Any = None

    def __post_init__(self) -> None:
        for number, message in enumerate(self.messages):
            message.id = str(number)
        self.chat = SimpleNamespace(
            get_messages=lambda: self.messages, get_attachments=lambda: self.attached
        )

    def resolve_attachment_to_path(self, attachment_id: str) -> str | None:
        path = self.attached[attachment_id].value
        return path if Path(path).exists() else None


def read(*messages: Said, **attached: Any) -> list[tuple[str, Any]]:
    """What a model reads when the last of them is asked."""
    persona = Persona([*messages], attached)
    return [(one.role, one.content) for one in said(persona, persona.messages[-1])]


def file(path: Path, **more: Any) -> Any:
    return SimpleNamespace(value=str(path), **{"type": "file", "cells": None, **more})


# What is asked ------------------------------------------------------------------------------------


def test_the_chat_is_what_the_model_reads() -> None:
    chat = [
        Said("Hello", ME),
        Said("What is 1 < 2?"),
        Said(
            "It is &lt;true&gt;\n\n<small>m · 3 tokens</small>",
            ME,
            metadata={"jan": {"text": "It is <true>"}},
        ),
        Said("Personas were refreshed.", "hidden::jupyter_ai_system"),
        Said("", deleted=True),
        Said("And 2 < 1?"),
    ]
    asked, answered, now = ("user", "What is 1 < 2?"), ("assistant", "It is <true>"), "And 2 < 1?"
    assert read(*chat) == [asked, answered, ("user", now)]


def test_questions_without_an_answer_of_ours_are_one() -> None:
    """Some models want questions and answers to take turns."""
    other = Said("I am another persona.", "jupyter-ai-personas::other::P")
    failed = Said("⚠ There is no key.", ME, metadata={"jan": {"text": ""}})
    found = read(Said("One"), other, failed, Said("Two"))
    assert found == [("user", "One\n\nI am another persona.\n\nTwo")]


def test_what_is_said_later_is_not_asked_yet() -> None:
    persona = Persona([Said("One"), Said("Two")])
    assert [one.content for one in said(persona, persona.messages[0])] == ["One"]


def test_a_question_may_stand_in_no_chat() -> None:
    """Another program asks it, by a route of Jupyter AI."""
    question = Said("Why?", id="elsewhere")
    assert [one.content for one in said(Persona([]), question)] == ["Why?"]


def test_files_are_attached_text_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    csv, png = file(tmp_path / "a.csv"), file(tmp_path / "p.png")
    first = Said("What is in it?", attachments=["csv"])
    assert read(first, csv=csv) == [("user", "a.csv:\n\nx,y\n1,2\n\n\n\nWhat is in it?")]
    follow = Said("And here?", attachments=["png", "gone"])
    (found,) = read(first, follow, csv=csv, png=png, gone=file(tmp_path / "gone"))
    assert [part["type"] for part in found[1]] == ["text", "text", "image_url", "text"]


def test_a_notebook_goes_without_its_outputs(tmp_path: Path) -> None:
    cells = [
        {"id": "a", "cell_type": "code", "source": ["x = 1\n", "x"], "outputs": [{"text": "1"}]},
        {"id": "b", "cell_type": "markdown", "source": "# Title"},
    ]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    question = Said("Why?", attachments=["n"])
    ((_, whole),) = read(question, n=file(path, type="notebook"))
    assert whole == "n.ipynb:\n\n[code]\nx = 1\nx\n\n[markdown]\n# Title\n\nWhy?"
    chosen = file(path, type="notebook", cells=[SimpleNamespace(id="b")])
    assert read(question, n=chosen) == [("user", "n.ipynb:\n\n[markdown]\n# Title\n\nWhy?")]
    path.write_text("[]")
    assert read(question, n=chosen) == [("user", "n.ipynb:\n\n[]\n\n\nWhy?")]


def test_an_attachment_that_cannot_be_sent_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00\x80")
    binary, question = file(tmp_path / "a.bin"), Said("What is it?", attachments=["a"])
    with pytest.raises(Exception, match="neither an image, nor a PDF, nor text"):
        read(question, a=binary)
    assert read(question, Said("Never mind."), a=binary) == [("user", "What is it?\n\nNever mind.")]


def test_the_picker_has_all_that_can_be_asked(isolated: Path, server: StreamingServer) -> None:
    add_remote(isolated / "jan", server, quick="n=3")
    default, found = choices()
    assert default == "jan-mini"
    assert ("quick", "quick", "openai") in found
    assert ("jan-mini", "Jan mini", "nitro") in found


# What comes ---------------------------------------------------------------------------------------

Meanwhile = Callable[[Answering, asyncio.Event], Awaitable[None]]
"""What is done beside; the event tells that something has been shown."""


async def watched(
    model: str, question: str = "Why?", meanwhile: Meanwhile | None = None
) -> tuple[list[dict[str, Any]], list[str], Answering]:
    """All that is shown of an answer, and what is told while it is awaited."""
    persona = Persona([Said(question)])
    told: list[str] = []
    found: list[dict[str, Any]] = []
    answer = Answering(persona, persona.messages[-1], model)
    came = asyncio.Event()
    other = asyncio.ensure_future(meanwhile(answer, came)) if meanwhile else None
    async for fields in answer.shown(told.append):
        found.append(fields)
        came.set()
    if other is not None:
        await other
    return found, told, answer


@pytest.fixture
def data(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Answers are looked at again and again, as if they took long."""
    monkeypatch.setattr(answering, "INTERVAL", 0.005)
    return isolated / "jan"


def test_an_answer_grows_and_ends_with_what_it_was(data: Path, server: StreamingServer) -> None:
    add_remote(data, server, slow="n=60,delay=0.01,usage=always")
    found, told, answer = asyncio.run(watched("slow"))
    *growing, last = [fields["body"] for fields in found]
    whole = "".join(tokens(60))
    assert len(growing) > 3
    assert all(len(one) < len(two) for one, two in pairwise(growing))
    assert "slow · 60 tokens" in last
    assert found[-1]["metadata"]["jan"]["text"] == whole
    assert found[-1]["metadata"]["jan"]["model"] == "slow"
    assert {fields["metadata"] is None for fields in found[:-1]} == {True}
    assert told == ["is typing …"]
    assert answer.spent["output_tokens"] == 60
    assert answer.context == {}  # nobody tells how much it may read


def test_a_stop_ends_it_at_the_engine_and_keeps_what_came(
    data: Path, server: StreamingServer
) -> None:
    add_remote(data, server, slow="n=100000,delay=0.005")

    async def stop(answer: Answering, came: asyncio.Event) -> None:
        await came.wait()
        answer.stop()

    found, _, _ = asyncio.run(watched("slow", meanwhile=stop))
    server.wait("closed")
    assert "slow · stopped" in found[-1]["body"]
    assert found[-1]["metadata"]["jan"]["finish"] == "cancelled"
    assert found[-1]["metadata"]["jan"]["text"].startswith(tokens(1)[0])


@pytest.mark.parametrize("behaviour", ["first=60", "headers=60"])
def test_a_stop_before_the_first_word(data: Path, server: StreamingServer, behaviour: str) -> None:
    add_remote(data, server, late=behaviour)

    async def stop(answer: Answering, _: asyncio.Event) -> None:
        await asyncio.to_thread(server.wait, "received")
        answer.stop()

    found, _, answer = asyncio.run(watched("late", meanwhile=stop))
    server.wait("closed")
    (last,) = found
    assert "stopped" in last["body"]
    assert last["metadata"]["jan"]["text"] == ""
    assert answer.spent == {}


def test_a_stop_before_anything(data: Path) -> None:
    async def at_once(answer: Answering, _: asyncio.Event) -> None:
        answer.stop()

    found, _, answer = asyncio.run(watched("jan-mini", meanwhile=at_once))
    assert [fields["body"] for fields in found] == ["*stopped*"]
    assert (answer.spent, answer.context) == ({}, {})


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("refused", "refused the key for refused"),
        ("cut", "was cut off: the connection broke"),
        ("nobody", "There is no model"),
        ("keyless", "ANTHROPIC_API_KEY"),
    ],
)
def test_what_goes_wrong_is_one_line_without_a_key(
    data: Path, server: StreamingServer, no_pauses: None, model: str, line: str
) -> None:
    add_remote(
        data,
        server,
        refused="error=invalid_api_key,leak",
        cut="n=20,cut=3",
    )
    (data / "models" / "keyless").mkdir()
    (data / "models" / "keyless" / "model.json").write_text('{"id":"keyless","engine":"claude"}')
    found, _, _ = asyncio.run(watched(model))
    last = found[-1]
    lines = html.unescape(last["body"]).splitlines()
    assert lines[-1].startswith("⚠ ")
    assert len(lines) == 1 or model == "cut"
    assert line in lines[-1]
    assert KEY not in json.dumps(found)
    assert "Traceback" not in last["body"]
    assert last["metadata"]["jan"]["text"] == ("".join(tokens(3)) if model == "cut" else "")


def test_what_a_model_says_is_made_harmless(data: Path, server: StreamingServer) -> None:
    add_remote(data, server, echo="echo")
    evil = "<script>alert(1)</script> ![x](https://evil.example/x.png)"
    found, _, _ = asyncio.run(watched("echo", evil))
    last = found[-1]
    assert "<script" not in last["body"]
    assert "![" not in last["body"]
    assert json.loads(last["metadata"]["jan"]["text"]) == evil


def test_the_footer_may_be_turned_off(
    data: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_remote(data, server, quick="n=3")
    monkeypatch.setenv("JAN_FOOTER", "false")
    assert not settings.settings().footer
    found, _, _ = asyncio.run(watched("quick"))
    assert found[-1]["body"] == "".join(tokens(3)).strip() or "small" not in found[-1]["body"]


def test_loading_is_told_and_the_gauge_filled(data: Path) -> None:
    found, told, answer = asyncio.run(watched("jan-mini", "Hello"))
    assert found[-1]["metadata"]["jan"]["text"]
    assert any(line.startswith("· ") for line in told)
    assert answer.context["context_size"] > answer.context["context_tokens"] > 0
    assert answer.spent["input_tokens"] > 0
    bridge.wait(shared().router.unload("jan-mini"))


def test_a_fault_of_ours_says_so(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"secret {KEY}")

    monkeypatch.setattr(answering, "said", fail)
    found, _, _ = asyncio.run(watched("jan-mini"))
    (last,) = found
    assert last["body"] == refused(RuntimeError())
    assert KEY not in last["body"]
    assert "An answer in a chat failed" in caplog.text
