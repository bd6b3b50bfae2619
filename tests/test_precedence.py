"""Which value wins, and that what is told of it is what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge
from jan_jupyter.precedence import Level, Value, plain, resolve
from support.jan import add_model, add_remote, write_json
from support.server import StreamingServer


@pytest.fixture
def models(isolated: Path, server: StreamingServer) -> Iterator[Path]:
    folder = isolated / "jan"
    add_remote(folder, server, echo="echo")
    write_json(
        folder / "engines/openai/engine.json",
        {"base_url": server.base_url, "parameters": {"seed": 1, "top_p": 0.1}},
    )
    add_model(folder, "echo", engine="openai", parameters={"top_p": 0.2, "min_p": 0.2, "top_k": 2})
    yield folder
    bridge.wait(jan.router.close())


def test_the_strongest_wins_and_what_is_absent_falls_through() -> None:
    values = resolve(
        [
            Level("request", parameters={"a": 1, "b": None}),
            Level("thread", {"ctx_len": 7}, {"a": 2, "b": 2}),
            Level("default", {"ctx_len": 8, "ngl": 0}, {"c": False}),
        ]
    )
    assert values.parameters == {
        "a": Value(1, "request"),
        "b": Value(2, "thread"),
        "c": Value(False, "default"),
    }
    assert plain(values.settings) == {"ctx_len": 7, "ngl": 0}


def test_what_is_told_is_what_is_sent(models: Path, server: StreamingServer) -> None:
    jan.threads.assistants.create(
        "Careful", parameters={"top_k": 4, "frequency_penalty": 0.4, "presence_penalty": 0.4}
    )
    thread = jan.threads.create("levels", assistant="Careful")
    thread.configure(parameters={"presence_penalty": 0.5, "max_tokens": 5})
    talk = jan.Chat("echo", thread=thread, max_tokens=6)
    reply = talk.ask("hi")
    values = jan.router.values("echo", thread.levels(), {"max_tokens": 6})
    assert {name: value.level for name, value in values.parameters.items()} == {
        "max_tokens": "request",
        "presence_penalty": "thread",
        "frequency_penalty": "assistant",
        "top_k": "assistant",
        "top_p": "model",
        "min_p": "model",
        "seed": "engine",
    }
    sent = server.journal()[-1].body
    assert {name: sent[name] for name in values.parameters} == plain(values.parameters)
    assert reply.request is not None
    assert reply.request.parameters == plain(values.parameters)


def test_a_thread_tunes_how_a_local_model_is_loaded(isolated: Path) -> None:
    """The bundled model: what its worker would be started with, and where each value is from."""
    thread = jan.threads.create("tuned")
    thread.configure(settings={"ctx_len": 512})
    (name,) = (model.id for model in jan.models.list() if model.source == "bundled")
    request = jan.ChatRequest([jan.Message("user", "hi")])
    _, target = jan.router.prepare(request, name, thread.levels())
    assert target.values.settings["ctx_len"] == Value(512, "thread")
    assert target.values.settings["ngl"].level in ("default", "model")
    assert target.engine.spec(target.model).options["ctx_len"] == 512  # type: ignore[attr-defined]
    plainly = jan.router.target(name)
    assert plainly.model.settings.get("ctx_len") != 512
