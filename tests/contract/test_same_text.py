"""With the same tiny model behind them, all engines give the same text at temperature 0."""

from __future__ import annotations

import pytest

from .conftest import User
from .house import answer_of
from .pairs import JAN_MINI, PAIRS, Pair, parameters

PROMPTS = (
    "hi",
    "What is Python?",
    "count to ten",
    "What is the capital of Japan?",
    "What is 12 + 7?",
    "Tell me a joke",
    "Tell me a story",
    "Write a Python function that adds two numbers",
    "How do I choose a model?",
)


@pytest.mark.parametrize("pair", parameters([p for p in PAIRS if p.script is JAN_MINI]))
def test_the_text_is_llama_cpps(user: User, pair: Pair) -> None:
    user.has(pair)
    llama = user.house["llama.cpp"]
    for prompt in PROMPTS:
        said = answer_of(llama, "jan-mini", [{"role": "user", "content": prompt}], max_tokens=200)
        reply = user.asks(prompt, max_tokens=200).reply
        assert reply.text == said["choices"][0]["message"]["content"], prompt
