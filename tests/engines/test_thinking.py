"""Reasoning between tags is taken out of the text, however it is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.engines.thinking import Thinking
from jan_jupyter.types import Delta

ANSWERS = [
    ("<think>why < not</th ink></think>\n\nBecause.", "why < not</th ink>", "Because."),
    ("  <think></think>x", "", "x"),
    ("<think>cut off in thou", "cut off in thou", ""),
    ("plain <think>quoted</think>", "", "plain <think>quoted</think>"),
    ("<thin ice", "", "<thin ice"),
    ("<thi", "", "<thi"),
    ("", "", ""),
]


@pytest.mark.parametrize(("whole", "reasoning", "text"), ANSWERS)
@given(cuts=st.lists(st.integers(0, 60), max_size=8))
def test_whatever_the_pieces(whole: str, reasoning: str, text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    thinking = Thinking()
    deltas = [thinking.split(Delta(whole[a:b])) for a, b in pairwise(edges)]
    deltas.append(thinking.split(Delta(finish="stop")))
    assert "".join(delta.reasoning for delta in deltas) == reasoning
    assert "".join(delta.text for delta in deltas).strip() == text.strip()
    assert deltas[-1].finish == "stop"
