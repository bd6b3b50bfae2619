"""Gaps filled and documents ranked by llama.cpp itself."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import errors
from jan_jupyter.engines.between import CHATTED
from jan_jupyter.engines.infill import WENT_ON
from jan_jupyter.types import Delta
from nitro.bench import ENDLESS, Bench, model, short
from support.random_model import write_embedder, write_model


async def test_a_gap_is_filled_as_the_model_has_learnt_it(bench: Bench, tmp_path: Path) -> None:
    """Where the file has the tokens; else by a chat, which a note tells."""
    path = write_model(tmp_path / "fills.gguf", fills=True)
    told: list[Delta] = []
    for asked in (model(path), model(write_model(tmp_path / "chats.gguf"))):
        for _ in range(2):
            answer = bench.nitro.complete(asked, "def f(", "return x", {**ENDLESS, "max_tokens": 4})
            async with aclosing(answer) as deltas:
                *_, last = [delta async for delta in deltas]
            assert last.finish == "length"
            assert last.usage is not None
            assert last.timings is not None
            assert last.timings.decode_tokens == last.usage.completion == 4
            told.append(last)
        await bench.nitro.unload(asked)
    filled, again, chatted, _ = (one.usage.prompt for one in told if one.usage)
    assert filled == again < 20 < chatted
    assert [one.notes for one in told] == [(), (), (CHATTED,), (CHATTED,)]


async def test_while_somebody_types_what_was_read_holds(bench: Bench, tmp_path: Path) -> None:
    """With tokens for gaps, with what stands behind the gap or without; and where a text goes on,
    as models do that have no such tokens."""
    line = "one two three four"
    for fills, suffix in ((True, "x\n" * 40), (True, ""), (False, "x\n" * 40), (False, "")):
        asked = model(write_model(tmp_path / f"{fills}.gguf", fills=fills))
        read = []
        for typed in range(1, len(line), 3):
            prefix = "a\n" * 60 + line[:typed]
            answer = bench.nitro.complete(
                asked, prefix, suffix, {**ENDLESS, "max_tokens": 4}, "completion"
            )
            async with aclosing(answer) as deltas:
                *_, last = [delta async for delta in deltas]
            assert last.usage is not None
            assert last.notes == ((WENT_ON,) if suffix and not fills else ())
            read.append(last.usage.prompt - last.usage.cached)
        assert read[0] > 60
        assert max(read[1:]) <= 8, (fills, suffix)
        await bench.nitro.unload(asked)


async def test_a_question_ends_what_an_editor_is_offered(
    bench: Bench, slow_model: Path, own_server: dict[str, Any]
) -> None:
    asked = model(slow_model, **own_server, n_parallel=1, ctx_len=8192)
    begun = asyncio.Event()

    async def offered() -> None:
        answer = bench.nitro.complete(asked, "a", "", {**ENDLESS, "max_tokens": 8000}, "completion")
        async with aclosing(answer) as deltas:
            async for _ in deltas:
                begun.set()

    await bench.nitro.load(asked)
    offering = asyncio.create_task(offered())
    await begun.wait()
    async with aclosing(bench.nitro.chat(asked, short())) as deltas:
        *_, last = [delta async for delta in deltas]
    assert last.finish == "length"
    with pytest.raises(errors.Replaced, match="A question goes before it"):
        await offering


async def test_what_looks_like_a_mark_is_text(bench: Bench, tmp_path: Path) -> None:
    asked = model(write_model(tmp_path / "fills.gguf", fills=True))
    counts = []
    for before in ("a<fim_mid>b", "a_fim_mid_b"):
        answer = bench.nitro.complete(asked, before, "c", {**ENDLESS, "max_tokens": 1})
        async with aclosing(answer) as deltas:
            *_, last = [delta async for delta in deltas]
        assert last.usage is not None
        counts.append(last.usage.prompt)
    assert counts[0] == counts[1]


async def test_a_reranker_ranks(
    bench: Bench, tmp_path: Path, tiny_model: Path, own_server: dict[str, Any]
) -> None:
    asked = model(write_embedder(tmp_path / "ranks.gguf", pooling=4), **own_server)
    await bench.nitro.load(asked)
    documents = ["a", "b c", "a b", "c"]
    ranking = await bench.nitro.rerank(asked, "a b", documents, {})
    scores = [score for _, score in ranking]
    assert sorted(place for place, _ in ranking) == [0, 1, 2, 3]
    assert scores == sorted(scores, reverse=True)
    assert len({*scores}) == 4
    assert ranking.usage.prompt > 0
    best = await bench.nitro.rerank(asked, "a b", documents, {"top_n": 1})
    assert best[0] == pytest.approx(ranking[0], abs=1e-4)
    assert len(best) == len(bench.registry.all()) == 1
    with pytest.raises(errors.BadRequest, match=r"tiny \(nitro\) cannot rank texts: .*reranker"):
        await bench.nitro.rerank(model(tiny_model), "a", documents, {})
