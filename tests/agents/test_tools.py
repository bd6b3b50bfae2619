"""The tools that agents get: none unless the user wants it, and then within bounds."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Application, Config

from jan_jupyter import errors
from jan_jupyter.agents import TOOLS, agent_tools, asking, tools
from jan_jupyter.agents.tools import jan_ask, jan_compare, jan_models
from jan_jupyter.compare.running import facts
from jan_jupyter.compare.steps import PAID_UNASKED
from jan_jupyter.settings import Jan, settings
from support.jan import KEY, add_remote
from support.server import StreamingServer, tokens

PAGE = Path(__file__).parents[2] / "docs" / "jupyter-ai.md"


@pytest.fixture
def data(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(asking, "purse", asking.Purse())
    return isolated / "jan"


def asked(call: Any) -> Any:
    return asyncio.run(call)


# Whether there are any ----------------------------------------------------------------------------


def test_there_are_none_by_default() -> None:
    assert agent_tools() == []


def test_jupyter_finds_what_says_so() -> None:
    (found,) = entry_points(group="jupyter_server_mcp.tools", name="jan")
    assert found.load() is agent_tools
    (persona,) = entry_points(group="jupyter_ai.personas", name="jan")
    assert persona.value == "jan_jupyter.agents:JanPersona"


def test_a_variable_turns_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAN_AGENT_TOOLS", "1")
    found = [name.split(":") for name in agent_tools()]
    assert [name for _, name in found] == [*TOOLS]
    for module, name in found:
        function = getattr(import_module(module), name)
        assert function is getattr(tools, name)
        assert inspect.iscoroutinefunction(function)
        assert function.__doc__


class Program(Application):
    """A program of Jupyter, which has read its configuration."""


@pytest.fixture
def program() -> Any:
    yield Program.instance()
    Program.clear_instance()


def test_the_configuration_of_the_program_turns_them_on(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    program.config = Config(json.loads(shown))
    assert len(agent_tools()) == len(TOOLS)
    assert settings().agent_paid_calls == 20
    Jan.clear_instance()
    monkeypatch.setenv("JAN_AGENT_TOOLS", "0")  # the environment is stronger
    assert agent_tools() == []


def test_the_page_tells_the_bounds() -> None:
    told = " ".join(PAGE.read_text("utf-8").split())
    assert f"up to {asking.MOST_TOKENS:,} tokens" in told
    assert f"up to {asking.MOST_PROMPTS} prompts to up to {asking.MOST_MODELS} models" in told
    assert f"({PAID_UNASKED} if you say nothing" in told
    assert settings().agent_paid_calls == PAID_UNASKED
    assert tools.LONGEST == 300
    assert all(f"| `{name}` |" in told for name in TOOLS)


def test_what_cannot_be_read_there_is_told(program: Program) -> None:
    program.config = Config({"Jan": {"agent_paid_calls": "many"}})
    with pytest.raises(errors.SettingsError, match="agent_paid_calls"):
        agent_tools()


# What they do -------------------------------------------------------------------------------------


def test_models_are_listed_in_short(data: Path, server: StreamingServer) -> None:
    add_remote(data, server, quick="n=3")
    found = {model["id"]: model for model in asked(jan_models())}
    mini = {"engine": "nitro", "where": "this machine", "paid": False, "default": True}
    assert found["jan-mini"] == {"id": "jan-mini", **mini}
    assert found["quick"]["engine"] == "openai"
    assert not found["quick"]["default"]
    assert KEY not in json.dumps(found)


def test_models_are_listed_where_the_default_is_none(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAN_MODEL", "not-there")
    Jan.clear_instance()
    assert [(model["id"], model["default"]) for model in asked(jan_models())] == [
        ("jan-mini", False)
    ]


def test_a_question_is_answered(data: Path, server: StreamingServer) -> None:
    add_remote(data, server, quick="n=3,usage=always")
    answer = asked(jan_ask("Why?", "quick", "Be brief.", 50))
    assert answer["answer"] == "".join(tokens(3))
    assert {name: answer[name] for name in ("model", "engine", "tokens", "ended")} == {
        "model": "quick",
        "engine": "openai",
        "tokens": 3,
        "ended": "whole",
    }
    (entry,) = server.journal()
    assert entry.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
    ]
    assert entry.body["max_tokens"] == 50


def test_models_are_compared_in_short(data: Path, server: StreamingServer) -> None:
    add_remote(data, server, one="n=3", long="n=2000", refused="error=invalid_api_key,leak")
    found = asked(jan_compare(["Why?", "How?"], ["one", "long", "refused"]))
    rows = {(row["prompt"], row["model"]): row for row in found["answers"]}
    assert len(rows) == 6
    assert rows["Why?", "one"]["answer"] == "".join(tokens(3))
    assert "error" not in rows["Why?", "one"]
    assert len(rows["How?", "long"]["answer"]) <= asking.SHORT + 1
    assert "refused" in rows["How?", "refused"]["error"]
    assert KEY not in json.dumps(found)
    assert found["run"]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: jan_ask("Why?", "nobody"), "There is no model 'nobody'"),
        (lambda: jan_ask(" ", "quick"), "The question is empty"),
        (lambda: jan_ask("Why?", "quick", max_tokens=5000), "`max_tokens` is 1 to 4,096"),
        (lambda: jan_ask("Why?", "quick", max_tokens=0), "`max_tokens` is 1 to 4,096"),
        (lambda: jan_ask("y" * 100_001, "quick"), "too much text"),
        (lambda: jan_ask("Why?", "refused"), "refused the key"),
        (lambda: jan_compare([], ["quick"]), "1 to 6 models and 1 to 10 prompts"),
        (lambda: jan_compare(["a"] * 11, ["quick"]), "1 to 6 models and 1 to 10 prompts"),
        (lambda: jan_compare(["a"], ["quick"] * 7), "1 to 6 models and 1 to 10 prompts"),
    ],
)
def test_what_goes_wrong_is_one_line_without_a_key(
    data: Path, server: StreamingServer, call: Any, line: str
) -> None:
    add_remote(data, server, quick="n=3", refused="error=invalid_api_key,leak")
    with pytest.raises(errors.JanError) as raised:
        asked(call())
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_prompt_is_text_and_never_a_file(data: Path, server: StreamingServer) -> None:
    secret = data / "secret.txt"
    data.mkdir(exist_ok=True)
    secret.write_text("the secret")
    add_remote(data, server, echo="echo")
    answer = asked(jan_ask(str(secret), "echo"))
    compared = asked(jan_compare([str(secret), "{secret}"], ["echo"]))
    assert json.loads(answer["answer"]) == str(secret)
    assert "the secret" not in json.dumps(compared)


# What costs money ---------------------------------------------------------------------------------


@pytest.fixture
def paid(data: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch) -> StreamingServer:
    """A model that costs money, as one at somebody else's address does."""
    add_remote(data, server, dear="n=3", other="n=3")
    monkeypatch.setattr(facts, "is_own_server", lambda address: False)
    monkeypatch.setenv("JAN_AGENT_PAID_CALLS", "3")
    return server


def test_agents_may_ask_so_often_for_money(paid: StreamingServer) -> None:
    assert {one["id"]: one["paid"] for one in asked(jan_models())}["dear"]
    asked(jan_ask("One?", "dear"))
    asked(jan_compare(["Two?"], ["dear", "other"]))
    assert len(paid.journal()) == 3
    for call in (jan_ask("Three?", "dear"), jan_compare(["Three?"], ["dear"])):
        with pytest.raises(errors.UsageError, match=r"3 of 3 \(Jan.agent_paid_calls"):
            asked(call)
    assert len(paid.journal()) == 3
    asked(jan_compare(["Two?"], ["dear", "other"]))  # what is stored costs nothing


def test_a_comparison_that_costs_too_much_asks_nothing(paid: StreamingServer) -> None:
    with pytest.raises(errors.UsageError, match="4 answers that cost money"):
        asked(jan_compare(["One?", "Two?"], ["dear", "other"]))
    assert paid.journal() == []


# How long they take -------------------------------------------------------------------------------


def test_whoever_leaves_stops_the_answer(data: Path, server: StreamingServer) -> None:
    add_remote(data, server, slow="n=100000,delay=0.005")

    async def leave() -> None:
        asking = asyncio.ensure_future(jan_ask("Why?", "slow"))
        await asyncio.to_thread(server.wait, "first")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(leave())
    server.wait("closed")


def test_nothing_takes_for_ever(
    data: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_remote(data, server, slow="n=100000,delay=0.005")
    asked(jan_models())  # all is imported
    monkeypatch.setattr(tools, "LONGEST", 0.3)
    with pytest.raises(errors.UsageError, match=r"jan_ask was stopped after 0\.3 s"):
        asked(jan_ask("Why?", "slow"))
    server.wait("closed")


def test_a_fault_of_ours_says_so(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(KEY)

    monkeypatch.setattr(asking, "look_at", fail)
    with pytest.raises(errors.JanError) as raised:
        asked(jan_models())
    assert str(raised.value) == "jan_models failed (RuntimeError); the log tells more."
    assert raised.value.__cause__ is None
    assert "jan_models failed" in caplog.text
