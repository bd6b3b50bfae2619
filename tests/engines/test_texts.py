"""What fills a gap, and what order documents have: asked of servers as each wants it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from jan_jupyter import errors
from jan_jupyter.engines.between import CHATTED, Unfenced, unfenced
from jan_jupyter.engines.http.endpoint import Remote
from jan_jupyter.types import Delta
from support.server import StreamingServer, tokens

from .asking import engine, model, text

BEFORE, AFTER = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))"
CODE = "a + b\n\nx = `1`"


def once(asked: Remote, doing: Coroutine[Any, Any, Any]) -> Any:
    async def whole() -> Any:
        try:
            return await doing
        finally:
            await asked.close()

    return asyncio.run(whole())


def fill(asked: Remote, name: str, settings: dict[str, Any], **parameters: Any) -> list[Delta]:
    async def gather() -> list[Delta]:
        answer = asked.complete(model(name, **settings), BEFORE, AFTER, parameters)
        async with aclosing(answer) as deltas:
            return [delta async for delta in deltas]

    found: list[Delta] = once(asked, gather())
    return found


def test_while_somebody_types_what_they_wrote_last_stands_last(server: StreamingServer) -> None:
    asked = engine("openai", server.base_url)

    async def gather() -> list[Delta]:
        answer = asked.complete(model("m:n=3"), BEFORE, AFTER, {}, "completion")
        return [delta async for delta in answer]

    *_, last = once(asked, gather())
    assert last.notes == (CHATTED,)
    (entry,) = server.journal()
    said = entry.body["messages"][0]["content"]
    assert said.endswith(f"{AFTER}\n<|before|>\n{BEFORE}")


@pytest.mark.parametrize("path", ["/completions", "/fim/completions"])
def test_a_server_that_fills_gaps_is_asked_to(server: StreamingServer, path: str) -> None:
    asked = engine("openai", server.base_url, settings={"completions": path})
    deltas = fill(asked, "m:echo", {}, max_tokens=9, top_k=3)
    assert json.loads(text(deltas)) == [BEFORE, AFTER]
    assert deltas[-1].finish == "stop"
    assert deltas[-1].usage
    (entry,) = server.journal()
    assert entry.path == f"/v1{path}"
    assert entry.body["max_tokens"] == 9
    assert "messages" not in entry.body


def test_others_are_asked_by_a_chat(server: StreamingServer) -> None:
    for kind in ("openai", "claude", "hf-endpoints"):
        assert text(fill(engine(kind, server.base_url), "m:n=3", {})) == "".join(tokens(3))
    for entry in server.journal():
        (message,) = entry.body["messages"]
        assert f"{BEFORE}<|here|>{AFTER}" in str(message["content"])


def test_codestral_is_asked_at_its_own_route() -> None:
    asked = engine("mistral", "https://api.mistral.ai/v1")
    assert asked.rules(model("codestral-latest")).completions == "/fim/completions"
    assert asked.rules(model("mistral-small")).completions == ""


def test_no_setting_leads_to_another_host(server: StreamingServer) -> None:
    asked = engine("openai", server.url)
    with pytest.raises(errors.BadRequest, match=r"has no completions '@there/'"):
        fill(asked, "m", {"completions": "@there/"})
    assert not server.journal()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (CODE, CODE),
        (f"```python\n{CODE}\n```", CODE),
        (f"\n\n```\n{CODE}\n```\nThat is all.", CODE),
        (f"```py\n{CODE}", CODE),
        ("```\n```", ""),
        ("```x = 1```", "x = 1"),
        ("    x\n", "    x\n"),
        ("```\n    x\n\n```", "    x\n"),
        ("``", "``"),
        ("", ""),
    ],
)
def test_a_fence_is_taken_off(said: str, meant: str, size: int) -> None:
    fence = Unfenced()
    pieces = [said[i : i + size] for i in range(0, len(said), size)]
    assert "".join(map(fence.feed, pieces)) + fence.feed("", last=True) == meant

    async def answer() -> AsyncGenerator[Delta, None]:
        for piece in pieces:
            yield Delta(piece)
        yield Delta(finish="stop")

    async def gather() -> list[Delta]:
        return [delta async for delta in unfenced(answer())]

    assert text(asyncio.run(gather())) == meant


DOCUMENTS = ["a fish", "the capital of Italy is Rome", "a capital"]


@pytest.mark.parametrize(
    ("kind", "ranks", "path"),
    [
        ("openai", "openai", "/v1/rerank"),
        ("openai", "cohere", "/v2/rerank"),
        ("openai", "tei", "/rerank"),
        ("hf-endpoints", "tei", "/rerank"),
        ("cohere", "cohere", "/v2/rerank"),
    ],
)
def test_documents_are_ranked(server: StreamingServer, kind: str, ranks: str, path: str) -> None:
    settings = {"ranks": ranks} if kind == "openai" else {}
    base = f"{server.url}/compatibility/v1" if kind == "cohere" else server.base_url
    asked = engine(kind, base, settings=settings)
    ranking = once(asked, asked.rerank(model("m"), "capital of Italy", DOCUMENTS, {"top_n": 2}))
    assert [*ranking] == [(1, 3.0), (2, 1.0)]
    assert len(ranking) == 2
    assert (ranking.model, ranking.engine) == ("mine", kind)
    (entry,) = server.journal()
    assert entry.path == path
    assert entry.body["texts" if ranks == "tei" else "documents"] == DOCUMENTS


def test_what_is_no_ranking_is_one_line(server: StreamingServer) -> None:
    asked = engine("openai", server.base_url)
    with pytest.raises(errors.Malformed, match=r"openai did not answer for mine as OpenAI's API"):
        once(asked, asked.rerank(model("m:error_at=0"), "a", ["b"], {}))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("claude", {}), ("hf-endpoints", {"format": "tgi"}), ("nvidia-triton-trt-llm", {})],
)
def test_who_cannot_rank_says_so(
    server: StreamingServer, kind: str, settings: dict[str, Any]
) -> None:
    asked = engine(kind, server.base_url, settings=settings)
    with pytest.raises(errors.BadRequest, match=rf"{kind} .*cannot rank texts"):
        once(asked, asked.rerank(model("m"), "a", ["b"], {}))
    assert not server.journal()


def test_a_format_that_has_only_chat_is_not_asked_for_more(server: StreamingServer) -> None:
    for kind, form in (("hf-endpoints", "tgi"), ("nvidia-triton-trt-llm", "generate")):
        asked, about = engine(kind, server.url), model("m", format=form)
        for doing, does in (
            (asked.embed(about, ["a"], {}), "embed texts"),
            (asked.rerank(about, "a", ["b"], {}), "rank texts"),
            (asked.speak(about, "a", {}), "speak"),
        ):
            with pytest.raises(errors.BadRequest, match=f"cannot {does}"):
                once(asked, doing)
    assert server.journal() == []
