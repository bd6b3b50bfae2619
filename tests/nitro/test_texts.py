"""Gaps filled and documents ranked by llama.cpp itself."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import errors
from nitro.bench import ENDLESS, Bench, model
from support.random_model import write_embedder, write_model


async def test_a_gap_is_filled_as_the_model_has_learnt_it(bench: Bench, tmp_path: Path) -> None:
    """By llama.cpp's `/infill`, where the file has the tokens; else by a chat, found out once."""
    path = write_model(tmp_path / "fills.gguf", fills=True)
    told: list[int] = []
    for asked in (model(path), model(write_model(tmp_path / "chats.gguf"))):
        for _ in range(2):
            answer = bench.nitro.complete(asked, "def f(", "return x", {**ENDLESS, "max_tokens": 4})
            async with aclosing(answer) as deltas:
                *_, last = [delta async for delta in deltas]
            assert last.finish == "length"
            assert last.usage is not None
            assert last.timings is not None
            assert last.timings.decode_tokens == last.usage.completion == 4
            told.append(last.usage.prompt)
        await bench.nitro.unload(asked)
    filled, again, chatted, _ = told
    assert filled == again < 20 < chatted
    assert bench.nitro._chat_alone == {asked.file}


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
