"""Prompts that are written on our side, and stop words that are looked for there."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.engines.rendering import rendered
from jan_jupyter.engines.stops import StopWords
from jan_jupyter.types import Message

TURNS = [Message("system", "Be."), Message("user", "Hi")]
JINJA = (
    "{%- for m in messages -%}<{{ m.role }}>{{ m.content }}{{ eos_token }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}<assistant>{%- endif -%}"
)


def test_a_chat_template_goes_first() -> None:
    settings = {"chat_template": JINJA, "eos_token": "</s>", "prompt_template": "x{prompt}y"}
    assert rendered(TURNS, settings) == "<system>Be.</s><user>Hi</s><assistant>"
    begun = [*TURNS, Message("assistant", "He")]
    assert rendered(begun, settings) == "<system>Be.</s><user>Hi</s><assistant>He</s>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ",
        "{{ messages[9].content.x }}",
        "{{ raise_exception('no system text') }}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_chat_template_that_does_not_work_is_told(template: str) -> None:
    with pytest.raises(ValueError, match="chat_template"):
        rendered(TURNS, {"chat_template": template})


def test_a_chat_template_reaches_nothing() -> None:
    for template in ("{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}"):
        with pytest.raises(ValueError, match="chat_template"):
            rendered(TURNS, {"chat_template": template})


@pytest.mark.skipif(sys.platform != "linux", reason="its limits are Linux's")
@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "2 s"),
        ("{{ ('a' * 9999999999)|length }}", "memory"),
        ("{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}"
         "{% endfor %}", "memory|2 s"),  # on a busy machine
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested too deeply"),
        ("{{ 'a' * 10000001 }}", "10,000,000 characters"),
    ],
)  # fmt: skip
def test_a_chat_template_has_limits(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"chat_template does not work: .*({says})") as caught:
        rendered(TURNS, {"chat_template": template})
    assert "\n" not in str(caught.value)


def test_a_prompt_template() -> None:
    assert rendered(TURNS, {"prompt_template": "S{system_message}U{prompt}A"}) == "SBe.UHiA"
    assert rendered(TURNS, {"user_prompt": "U:", "ai_prompt": "A:"}) == "Be.U:HiA:"
    with pytest.raises(ValueError, match="prompt_template"):
        rendered(TURNS, {"prompt_template": "no place"})


def test_the_plain_form() -> None:
    assert rendered(TURNS[1:], {}) == "Hi"
    assert rendered(TURNS, {}) == "Be.\n\nHi"


def cut(pieces: list[str], words: list[str]) -> str:
    stops = StopWords(words)
    return "".join(map(stops.feed, pieces)) + stops.rest()


@given(st.lists(st.text("ab", max_size=3)), st.lists(st.text("ab", min_size=1, max_size=4)))
def test_stop_words_are_found_whatever_the_pieces(pieces: list[str], words: list[str]) -> None:
    whole = "".join(pieces)
    places = [(whole.index(w) + len(w), whole.index(w)) for w in words if w in whole]
    _, begin = min(places, default=(0, len(whole)))  # the word that is whole first
    assert cut(pieces, words) == whole[:begin]


def test_nothing_is_held_back_without_need() -> None:
    stops = StopWords(["END"])
    assert [stops.feed(piece) for piece in ("some ", "E", "N", "d ", "END")] == [
        "some ",
        "",
        "",
        "ENd ",
        "",
    ]
    assert stops.found
