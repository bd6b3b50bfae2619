"""Nearness in meaning, by vectors of a server: few requests, no text twice, one fault one row."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import bridge
from jan_jupyter.compare.scoring.callables import NO_EXPECTED
from jan_jupyter.compare.scoring.scorers import score, scorer, similar
from jan_jupyter.compare.values import Contestant, Grid, Result, Score
from jan_jupyter.workspace import Workspace

from .oracle import Oracle, case, oracle, row, workspace

VECTORS = {"Paris": (3, 0), "The city of Paris": (4, 3), "Lyon": (0, 1), "not Paris": (-2, 0)}


@pytest.fixture(scope="module")
def asked() -> Iterator[Oracle]:
    with oracle() as asked:
        asked.embed = lambda text: VECTORS.get(text, (1, 1))
        yield asked


@pytest.fixture
def place(asked: Oracle, isolated: Path) -> Iterator[Workspace]:
    asked.bodies.clear()
    asked.embed_refusal = lambda body: None
    with workspace(isolated / "jan", asked, "vectors") as place:
        yield place


def result(*texts: str, expected: Any = "Paris") -> Result:
    cases = tuple(case(f"question {i}", expected) for i in range(len(texts)))
    return Result(
        Grid(cases, (Contestant("m", "m"),)), [row(text, at=i) for i, text in enumerate(texts)]
    )


def test_a_result_by_few_requests(asked: Oracle, place: Workspace) -> None:
    one = similar("vectors", workspace=place)
    texts = [*VECTORS, "Paris", "", *(f"text {i}" for i in range(200))]
    rows = bridge.wait(score(result(*texts), one, concurrency=50))
    scores = [found.scores["similar vectors"] for found in rows]
    assert [s.value for s in scores[:5]] == pytest.approx([1, 0.8, 0, -1, 1])
    assert scores[5] == Score(0.0, "the answer is empty")
    sent = [text for body in asked.bodies for text in body["input"]]
    assert len(sent) == len({*sent}) == 204
    assert len(asked.bodies) < 20
    count = len(asked.bodies)
    assert asyncio.run(one(case(expected="Paris"), row("Lyon"))).value == pytest.approx(0)
    assert len(asked.bodies) == count  # in another loop, too, what is known is not asked again


def test_the_nearest_of_several(place: Workspace) -> None:
    one = scorer("similar:vectors", workspace=place)
    found = asyncio.run(one(case(expected=["Lyon", "Paris"]), row("The city of Paris")))
    assert found.value == pytest.approx(0.8)
    assert asyncio.run(one(case(), row("Paris"))) == Score(None, NO_EXPECTED)


def test_one_text_that_is_refused_spoils_its_own_score(asked: Oracle, place: Workspace) -> None:
    refused = (400, {"message": "This input is too long.", "code": "invalid_request"})
    asked.embed_refusal = lambda body: refused if "long" in body["input"] else None
    rows = asyncio.run(
        score(result("Paris", "long", "Lyon"), similar("vectors", workspace=place, name="near"))
    )
    first, second, third = (found.scores["near"] for found in rows)
    assert (first.value, third.value) == pytest.approx((1, 0))
    assert second.value is None
    assert "too long" in second.note


def test_a_server_that_is_down_is_a_note_and_asked_again(asked: Oracle, place: Workspace) -> None:
    one = similar("vectors", workspace=place)
    asked.embed_refusal = lambda body: (401, {"message": "No.", "code": "invalid_api_key"})
    rows = asyncio.run(score(result("Paris", "Lyon"), one))
    notes = [found.scores[one.name] for found in rows]
    assert all(note.value is None and "key" in note.note for note in notes)
    asked.embed_refusal = lambda body: None
    again = asyncio.run(score(result("Paris"), one))
    assert again[0].scores[one.name].value == pytest.approx(1)


def test_who_leaves_takes_no_vector_from_the_others(asked: Oracle, place: Workspace) -> None:
    one = similar("vectors", workspace=place)

    async def two() -> Score:
        leaving = asyncio.create_task(one(case(expected="Paris"), row("Lyon")))
        staying = asyncio.create_task(one(case(expected="Paris"), row("Lyon")))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(two()).value == pytest.approx(0)


def test_a_model_that_is_not_there(place: Workspace) -> None:
    found = asyncio.run(scorer("similar:nobody", workspace=place)(case(expected="a"), row("a")))
    assert found.value is None
    assert "nobody" in found.note
