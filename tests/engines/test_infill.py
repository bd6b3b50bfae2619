"""What of the texts around a gap is read, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from jan_jupyter.engines.infill import MOST_READ, Marks, healed, latest, split, until, without
from jan_jupyter.types import Delta

MARKS = Marks([1], [2], [3], 2048)


def test_the_line_that_is_written_stands_last() -> None:
    assert split("a\nb\nc d") == ("a\nb\n", "c d")
    assert split("a") == ("", "a")
    assert split("a\n") == ("a\n", "")
    assert MARKS.prompt([10, 11], [20], [30], 8) == [1, 10, 11, 2, 20, 3, 30]


def test_a_long_text_begins_at_the_same_place_for_a_while() -> None:
    text = [*range(10_000)]
    begins = [latest(text[:length], 400)[0] for length in range(100, 2000)]
    assert begins[:301] == [0] * 301
    assert {*begins} == {*range(0, 1601, 100)}
    assert begins == sorted(begins)
    assert all(300 < len(latest(text[:length], 400)) <= 400 for length in range(400, 2000))


def test_no_prompt_is_too_long() -> None:
    for lengths in ((5000, 0, 0), (0, 5000, 0), (0, 0, 5000), (5000, 5000, 5000)):
        before, after, begun = ([7] * length for length in lengths)
        assert len(MARKS.prompt(before, after, begun, 64)) <= MOST_READ + 3
        small = Marks([1], [2], [3], 256)
        assert len(small.prompt(before, after, begun, 64)) <= 256 - 64


def test_an_answer_ends_where_it_would_repeat_what_follows() -> None:
    assert until("\n    return x\ny", {"n": 1}) == {"n": 1, "stop": ["    return x"]}
    assert until("return x", {"stop": "a"}) == {"stop": ["a", "return x"]}
    assert until("return x", {"stop": ["a"]}) == {"stop": ["a", "return x"]}
    for suffix in ("", "\n\n", "])\n\nmore"):
        assert until(suffix, {"top_k": 1}) == {"top_k": 1}


@pytest.mark.parametrize(
    ("prefix", "read", "spaces"),
    [
        ("a\n    return ", "a\n    return", " "),
        ("x =  ", "x =", "  "),
        ("x", "x", ""),
        ("a\n    ", "a\n    ", ""),  # an indent is none
        ("", "", ""),
    ],
)
def test_no_prompt_ends_with_a_space(prefix: str, read: str, spaces: str) -> None:
    assert healed(prefix) == (read, spaces)


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([" a", " + b"], "a + b"),
        ([" ", "a"], "a"),
        (["", " ", "a"], "a"),
        (["= 3", " and"], ""),
        ([], ""),
    ],
)
def test_what_is_there_already_is_not_written_again(pieces: list[str], shown: str) -> None:
    async def answer() -> AsyncGenerator[Delta, None]:
        for piece in pieces:
            yield Delta(piece)
        yield Delta(finish="stop")

    async def gather(spaces: str) -> list[Delta]:
        return [delta async for delta in without(spaces, answer())]

    found = asyncio.run(gather(" "))
    assert "".join(delta.text for delta in found) == shown
    assert found[-1].finish == "stop"
    assert "".join(delta.text for delta in asyncio.run(gather(""))) == "".join(pieces)
