"""What votes and judgements say, and what they say of the judges."""

from __future__ import annotations

from typing import Any

import pytest

from jan_jupyter.compare.scoring.votes import (
    Judged,
    Judgement,
    Share,
    Side,
    Vote,
    agreement,
    are_kin,
    family,
    ratings,
)
from jan_jupyter.errors import UsageError


def judgement(shown: Side | None, swapped: Side | None, case: int = 0, **more: Any) -> Judgement:
    return Judgement(case, 0, 1, 0, "judge", shown, swapped, **more)


@pytest.mark.parametrize(
    ("shown", "swapped", "verdict", "flipped"),
    [
        ("left", "left", "left", False),
        ("right", "right", "right", False),
        ("left", "right", "tie", True),
        ("right", "left", "tie", True),
        ("tie", "left", "tie", True),
        ("tie", "tie", "tie", False),
        ("both_bad", "both_bad", "both_bad", False),
        ("tie", "both_bad", "tie", False),
        ("left", None, None, False),
    ],
)
def test_both_orders_make_one_verdict(
    shown: Side | None, swapped: Side | None, verdict: Side | None, flipped: bool
) -> None:
    one = judgement(shown, swapped)
    assert (one.verdict, one.flipped) == (verdict, flipped)
    assert (one.vote.verdict if one.vote else None) == verdict


def test_a_vote_knows_its_winner() -> None:
    vote = Vote(3, 2, 1, "left", "me")
    assert vote.winner == vote.ordered.winner == 2
    assert vote.ordered == Vote(3, 1, 2, "right", "me")
    assert Vote(3, 2, 1, "both_bad", "me").winner is None
    with pytest.raises(UsageError, match="one of left, right, tie, both_bad"):
        Vote(0, 0, 1, "first", "me")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="one twice"):
        Vote(0, 1, 1, "left", "me")


def test_what_judgements_say_of_the_judge() -> None:
    judged = Judged(
        (
            judgement("left", "left", lengths=(9, 5), kin=(True, False)),
            judgement("right", "right", lengths=(9, 5), kin=(True, False)),
            judgement("right", "right", lengths=(5, 9), kin=(True, True)),
            judgement("right", "right", lengths=(5, 5), kin=(None, True)),
            judgement("left", "right", lengths=(9, 5), kin=(True, False)),
            judgement("tie", "left"),
            judgement("both_bad", "both_bad"),
            judgement(None, None, note="judge failed: no."),
        )
    )
    assert judged.flips == Share(2, 7)
    assert judged.longer == Share(2, 3)
    assert judged.own_kin == Share(1, 2)
    # four that agree put each answer first once; the flip preferred the first twice, the tie last
    assert judged.first_place == Share(4 + 2, 8 + 2 + 1)
    assert len(judged.votes) == 7
    assert len(judged.failed) == 1
    assert "2 of 7 (29%)" in judged.lines()[0]
    assert "judge failed: no." in judged.lines()[-1]
    assert str(Judged(()).own_kin) == "unknown"
    assert Judged(()).flips.value is None


def test_ratings_are_of_pairs_that_several_have_seen() -> None:
    votes = [
        Vote(0, 0, 1, "left", "me"),
        Vote(0, 1, 0, "right", "judge"),  # the same answer, on the other side
        Vote(1, 0, 1, "tie", "me"),
        Vote(2, 0, 1, "right", "judge"),
        Vote(2, 0, 1, "left", "you"),
        Vote(3, 0, 1, "left", "me"),
        Vote(3, 0, 1, "both_bad", "me"),  # a later word counts
        Vote(3, 0, 1, "right", "judge"),
    ]
    assert ratings(votes) == {
        "me": ["left", None, "both_bad"],
        "judge": ["left", "right", "right"],
        "you": [None, "left", None],
    }


def test_agreement_with_what_chance_gives() -> None:
    """Krippendorff's own example of two raters and yes or no: alpha is 0.095."""
    sides: tuple[Side, Side] = ("left", "right")
    said = {"Meg": "0100000010", "Owen": "1110010000"}
    votes = [
        Vote(case, 0, 1, sides[int(word)], by)
        for by, words in said.items()
        for case, word in enumerate(words)
    ]
    found = agreement(votes)
    assert found.alpha == pytest.approx(0.095, abs=0.0005)
    assert found.same == Share(6, 10)
    assert found.raters == ("Meg", "Owen")
    assert "alpha 0.10" in str(found)
    assert "the same verdict on 6 of 10 (60%)" in str(found)


def test_agreement_needs_several_pairs() -> None:
    one = [Vote(0, 0, 1, "left", "me"), Vote(0, 0, 1, "left", "judge"), Vote(1, 0, 1, "tie", "me")]
    for votes, same in ((one, Share(1, 1)), (one[:1], Share(0, 0)), ([], Share(0, 0))):
        found = agreement(votes)
        assert (found.alpha, found.same) == (None, same)
        assert "too few, or too much alike, for a number" in str(found)


def test_who_says_one_thing_of_all_may_not_have_looked() -> None:
    votes = [Vote(case, 0, 1, "left", by) for case in range(50) for by in ("me", "judge")]
    found = agreement(votes)
    assert (found.alpha, found.same) == (None, Share(50, 50))


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("gpt-4o-mini", "openai"),
        ("openai/o3-mini", "openai"),
        ("claude-opus-4", "anthropic"),
        ("gemma-3-4b-it-Q4_K_M", "google"),
        ("Meta-Llama-3.1-8B", "meta"),
        ("bartowski/Qwen3-4B-GGUF", "qwen"),
        ("Ministral-8B", "mistral"),
        ("deepseek-r1-distill-llama-8b", "deepseek"),
        ("phi-4", "microsoft"),
        ("SmolLM2-135M", "hugging face"),
        ("philosophy", ""),
        ("ollama", ""),
        ("jan-mini", ""),
    ],
)
def test_who_made_a_model(model: str, maker: str) -> None:
    assert family(model) == maker


def test_kin() -> None:
    assert are_kin("gpt-4o", "o3-mini") is True
    assert are_kin("gpt-4o", "claude-opus-4") is False
    assert are_kin("gpt-4o", "mine") is None
    assert are_kin("mine", "mine") is True
