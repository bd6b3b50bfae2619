"""A comparison as one document: all that a view draws, and nothing that it cannot."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from compare.made import answer, small_grid
from jan_jupyter.compare.live import document as made
from jan_jupyter.compare.live import plain
from jan_jupyter.compare.live.document import document
from jan_jupyter.compare.scoring.votes import Vote
from jan_jupyter.compare.stats.verdicts import by_scorers
from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.types import Message, Timings


def rows(grid: Grid, **more: Any) -> list[Row]:
    return [answer(call, **more) for call in grid.calls()]


def strict(value: Any) -> Any:
    """As it comes back from the wire: JSON that UTF-8 holds, without NaN."""
    return json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())


def test_it_has_all_that_was_asked_and_came() -> None:
    grid = small_grid(2, 2, repeats=2)
    found = [*rows(grid)]
    found[3] = answer(Call(0, 1, 1), error="ModelError: no")
    found[0] = replace(found[0], scores={"exact": Score(True, "yes")})
    told = strict(document(Result(grid, found, "colours"), live="x1", ended="stopped"))
    assert (told["format"], told["name"], told["ended"]) == (1, "colours", "stopped")
    assert told["asked"] == "2 prompts × 2 models × 2 repeats"
    assert told["live"] == {"id": "x1"}
    assert told["left_out"] == ""
    assert told["scorers"] == ["exact"]
    assert [case["messages"] for case in told["cases"]] == [
        [{"role": "user", "text": f"question {n}", "images": 0}] for n in range(2)
    ]
    assert [one["engine"] for one in told["contestants"]] == ["openai", "openai"]
    assert [tuple(row["call"]) for row in told["rows"]] == [tuple(call) for call in grid.calls()]
    first, failed = told["rows"][0], told["rows"][3]
    assert first["text"] == "an answer"
    assert first["scores"] == {"exact": {"value": True, "note": "yes"}}
    assert (first["tokens"], first["prompt_tokens"], first["cached_tokens"]) == (5, 3, 1)
    assert first["times"]["load"] == 0.5
    assert (failed["text"], failed["error"]) == ("", "ModelError: no")
    assert (failed["tokens"], failed["times"]["total"]) == (None, None)
    assert [one["errors"] for one in told["summaries"]] == [0, 1]
    assert [one["stable"] for one in told["summaries"]] == [2, 1]


def test_verdicts_are_against_every_baseline() -> None:
    grid = small_grid(12, 3)
    found = [replace(row, scores={"exact": Score(row.call.contestant > 0)}) for row in rows(grid)]
    told = document(Result(grid, found))["verdicts"]
    by_exact = {
        (one["contestant"], one["baseline"]): one["word"]
        for one in told
        if one["scorer"] == "exact"
    }
    assert by_exact[1, 0] == by_exact[2, 0] == "better"
    assert by_exact[0, 1] == by_exact[0, 2] == "worse"
    assert by_exact[2, 1] == "can't tell"
    assert all("model-" in one["said"] for one in told)
    assert {one["scorer"] for one in told} == {"exact", "seconds", "first token"}


def test_verdicts_are_those_that_are_shown_without_it() -> None:
    """Several scorers are one question; one that was to end early is told by its own test."""
    grid = small_grid(12, 2)
    scores = {"exact": Score(True), "other": Score(False)}
    found = [
        replace(row, scores=scores if row.call.contestant else dict.fromkeys(scores, Score(False)))
        for row in rows(grid)
    ]
    for decide in ("", "exact"):
        given = Result(grid, found, decide=decide)
        told = [one for one in document(given)["verdicts"] if one["scorer"] in scores]
        ours = [str(one) for base in (0, 1) for one in by_scorers(given, base)]
        assert [one["said"] for one in told] == ours
        assert ("sequential test" in ours[0]) == bool(decide)
        assert ("(Holm, 2 pairs)" in ours[0]) != bool(decide)


def test_of_many_contestants_as_many_verdicts_as_have_room() -> None:
    grid = small_grid(2, 60)
    told = document(Result(grid, rows(grid)))["verdicts"]
    assert 0 < len(told) <= made.COMPARED
    assert {one["baseline"] for one in told} >= {0, 1}


def test_what_has_no_room_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = small_grid(4, 2)
    monkeypatch.setattr(made, "TEXTS", 500)
    told = document(Result(grid, rows(grid, text="x" * 100)))
    assert [row["text"] is None for row in told["rows"]] == [False] * 5 + [True] * 3
    assert told["left_out"] == "The texts of 3 answers are too long for a notebook."
    monkeypatch.setattr(made, "ROWS", 4)
    told = document(Result(grid, rows(grid, text="x")))
    assert len(told["cases"]) == 2
    assert len(told["rows"]) == 4
    assert told["left_out"] == "Left out, being too much: 2 prompts of 4."
    assert [one["answers"] for one in told["summaries"]] == [4, 4]


def test_long_prompts_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "PROMPTS", 1000)
    cases = tuple(Case(str(n), ((Message("user", "y" * 900),),)) for n in range(3))
    told = document(Result(Grid(cases, (Contestant("a", "a"),)), []))
    texts = [case["messages"][0]["text"] for case in told["cases"]]
    assert {len(text) for text in texts} == {333}
    assert texts[0].endswith("…")
    assert told["left_out"] == "Left out, being too much: the ends of long prompts."


def test_whatever_values_are_it_is_json() -> None:
    call = Call(0, 0)
    odd = "\ud83d\ude00 half \ud83d <script>"
    grid = Grid(
        (Case(odd, ((Message("user", odd),),), None, {"n": math.nan, "l": [1]}, {"a": 1}),),
        (Contestant("a", "a", {"temperature": 0.7, "api_key": "sk-1"}),),
    )
    row = answer(call, odd)
    assert row.reply is not None
    reply = replace(row.reply, timings=Timings(total=math.inf, tokens_per_second=math.nan))
    row = replace(row, reply=reply, scores={"s": Score(math.nan, odd)}, cost=math.inf)
    told = strict(document(Result(grid, [row])))
    said = "😀 half \ufffd <script>"
    assert told["rows"][0]["text"] == said == told["cases"][0]["messages"][0]["text"]
    assert told["rows"][0]["scores"]["s"] == {"value": None, "note": said}
    assert told["rows"][0]["times"]["total"] is None
    assert told["rows"][0]["cost"] is None
    assert told["cases"][0]["expected"] == '{"a":1}'
    assert told["cases"][0]["variables"] == {"n": "NaN", "l": "[1]"}
    assert told["contestants"][0]["own"] == ["temperature=0.7", "api_key=…"]
    assert "sk-1" not in json.dumps(told)


def test_strengths_are_those_of_the_votes() -> None:
    grid = small_grid(12, 3)
    votes = [Vote(case, 0, 1, "right", "you") for case in range(12)]
    told = document(Result(grid, rows(grid)), votes=votes)
    assert told["votes"] == 12
    assert [(one["contestant"], one["word"]) for one in told["strengths"]] == [
        (1, "better"),
        (0, ""),
    ]
    apart = [Vote(0, 0, 1, "left", "you"), Vote(0, 2, 3, "left", "you")]
    assert document(Result(small_grid(1, 4), []), votes=apart)["strengths"] == []


def test_images_are_counted_and_keys_are_masked_in_a_request() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}}
    message = Message("user", [{"type": "text", "text": "What?"}, picture])
    assert plain.said(message, 100) == {"role": "user", "text": "What?", "images": 1}
    shown = plain.request({"messages": [message.json()], "api_key": "sk-1", "max_tokens": 5})
    assert len(shown) < 600
    assert "sk-1" not in shown
    assert '"max_tokens": 5' in shown
