"""Which classes are refused as engines, and what happens when names collide."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import errors
from jan_jupyter.engines.base import Engine
from jan_jupyter.engines.install.listing import described, listing
from jan_jupyter.engines.registry import engine_class
from jan_jupyter.engines.validate import refusal
from jan_jupyter.models.store import ModelStore
from jan_jupyter.types import ChatRequest, Delta, Message
from support.environments import REPOSITORY
from support.jan import add_model, write_json


class Good(Engine):
    name = "good"

    async def chat(self, model: Any, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        yield Delta("good", finish="stop")


class Delegating(Good):
    """Its `chat` gives a generator that another function makes; so does a decorated one."""

    def chat(self, model: Any, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        return Good.chat(self, model, request)


class Final(Good):
    """Once it is closed it answers no more; and closing it fails."""

    name = "final"
    closed = False

    async def chat(self, model: Any, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        assert not self.closed
        yield Delta("good", finish="stop")

    async def close(self) -> None:
        self.closed = True
        raise RuntimeError("it was not open")


def with_method(name: str, method: Any) -> type[Engine]:
    return type("Wrong", (Good,), {name: method})


async def coroutine(self: Any, model: Any, request: Any) -> None: ...
def generator(self: Any, model: Any, request: Any) -> Iterator[Delta]:
    yield Delta()


async def no_request(self: Any, model: Any) -> AsyncGenerator[Delta, None]:
    yield Delta()


async def keyword_only(self: Any, *, model: Any, request: Any) -> AsyncGenerator[Delta, None]:
    yield Delta()


def plain_load(self: Any, model: Any) -> None: ...
async def load_of_nothing(self: Any) -> None: ...
async def async_preview(self: Any, model: Any, request: Any) -> Mapping[str, Any]:
    return {}


def no_options(self: Any) -> None: ...
def listed(self: Any) -> list[str]:
    return []


@pytest.mark.parametrize("found", [Good, Delegating])
def test_an_engine_is_taken(found: type[Engine]) -> None:
    assert refusal(found) == ""


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Good.chat, "not a subclass"),
        (dict, "not a subclass"),
        (Engine, "lacks chat"),
        (type("Nameless", (Engine,), {"chat": Good.chat}), "lacks `name`"),
        (with_method("chat", coroutine), "coroutine, but must be an async generator"),
        (with_method("chat", generator), "plain generator"),
        (with_method("chat", no_request), "chat(self, model, request)"),
        (with_method("chat", keyword_only), "chat(self, model, request)"),
        (with_method("load", plain_load), "load must be a coroutine"),
        (with_method("load", load_of_nothing), "load(self, model)"),
        (with_method("models", listed), "models must be a coroutine"),
        (with_method("preview", async_preview), "preview must be a plain function"),
        (with_method("__init__", no_options), "__init__(self, options, notify)"),
    ],
)
def test_a_wrong_class_is_refused_with_the_reason(found: object, reason: str) -> None:
    assert reason in refusal(found)


def test_the_class_that_the_documentation_shows_is_an_engine(isolated: Path) -> None:
    text = (REPOSITORY / "docs" / "writing-engines.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], names)
    assert refusal(names["Shout"]) == ""
    engine = names["Shout"](ModelStore().engine_options("shout"))

    async def said() -> list[Delta]:
        request = ChatRequest([Message("user", "a b")], {})
        return [delta async for delta in engine.chat(None, request)]

    deltas = asyncio.run(said())
    assert "".join(delta.text for delta in deltas) == "A B "
    assert deltas[-1].finish == "stop"


def offer(folder: Path, package: str, **engines: str) -> None:
    """An installed package, as an installer leaves it."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    points = "\n".join(f"{name} = {where}" for name, where in engines.items())
    (info / "entry_points.txt").write_text(f"[jan_jupyter.engines]\n{points}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that Python looks into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    (folder / "good_engine.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    return folder


def test_colliding_and_broken_plugins_are_listed_and_take_nobody_down(
    site: Path, isolated: Path
) -> None:
    store = ModelStore()
    add_model(isolated / "jan", "mine", engine="good")
    offer(site, "a-good", good="good_engine:Good", mlx="good_engine:Good")
    offer(site, "b-thief", openai="good_engine:Good", anthropic="good_engine:Good")
    offer(site, "c-late", good="good_engine:Delegating")
    offer(site, "d-broken", exits="exits_engine:Any", absent="good_engine:Absent")
    (site / "exits_engine.py").write_text("raise SystemExit('no licence')\n")

    rows = [row for row in listing(store) if row.kind == "plug-in"]
    states = {(row.name, row.package): (row.state, row.remark) for row in rows}
    assert states["good", "a-good 1.0"] == ("ready", "")
    assert states["mlx", "a-good 1.0"] == ("ready", "")
    assert states["openai", "b-thief 1.0"][0] == "broken"
    assert "of jan_jupyter" in states["openai", "b-thief 1.0"][1]
    assert "taken by package a-good" in states["good", "c-late 1.0"][1]
    assert "no licence" in states["exits", "d-broken 1.0"][1]
    assert "Absent" in states["absent", "d-broken 1.0"][1]
    assert [row.models for row in rows if row.name == "good"] == [1, 0]
    assert next(row for row in listing(store) if row.name == "openai").package == "jan-jupyter"

    assert engine_class("openai").__module__ == "jan_jupyter.engines.openai"
    assert engine_class("good").__module__ == "good_engine"
    assert store.get("mine").state == "ready"
    with pytest.raises(errors.EngineUnavailable, match=r"exits of package d-broken.*no licence"):
        engine_class("exits")


def test_a_package_is_seen_when_it_comes_and_when_it_goes(site: Path, isolated: Path) -> None:
    add_model(isolated / "jan", "mine", engine="good")
    store = ModelStore()
    assert store.get("mine").state == "broken"
    offer(site, "a-good", good="good_engine:Good")
    assert store.get("mine").state == "ready"
    (site / "a_good-2.0.dist-info").mkdir()
    for file in (site / "a-good-1.0.dist-info").iterdir():
        file.unlink()
    (site / "a-good-1.0.dist-info").rmdir()
    assert store.get("mine").state == "broken"


def test_an_engine_that_was_closed_is_never_asked_again(site: Path, isolated: Path) -> None:
    offer(site, "a-final", final="good_engine:Final")
    add_model(isolated / "jan", "mine", engine="final")
    file = write_json(isolated / "jan" / "engines" / "final" / "engine.json", {})
    early = jan.stream("hi", "mine")
    write_json(file, {"headers": {"x": "y"}})
    assert jan.chat("hi", "mine").text == "good"
    assert early.target.engine.closed  # type: ignore[attr-defined]
    assert early.reply.text == "good"


def test_an_engine_in_detail_shows_no_key(isolated: Path) -> None:
    folder = isolated / "jan" / "engines" / "box"
    folder.mkdir(parents=True)
    (folder / "engine.json").write_text(
        '{"base_url": "https://me:sk-1@box.example/v1?api_key=sk-2&version=3", "api_key": "sk-3",'
        ' "headers": {"X-Auth": "sk-4"}, "settings": {"auth_token": "sk-5", "timeout": 5},'
        ' "parameters": {"max_tokens": 7}}'
    )
    found = described(ModelStore(), "box")
    assert found["address"] == "https://box.example/v1?api_key=…&version=3"
    assert found["key"] == str(folder / "engine.json")
    assert "max_tokens=7" in found["parameters"]
    assert "timeout=5" in found["settings"]
    assert "sk-" not in str(found)


@pytest.fixture(autouse=True)
def _no_modules_stay() -> Iterator[None]:
    yield
    for name in ("good_engine", "exits_engine"):
        sys.modules.pop(name, None)
