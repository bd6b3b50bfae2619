"""Prompt templates, and that the Jinja made of one writes the same text."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jan_jupyter.models import PromptTemplate


def render(template: PromptTemplate, *turns: tuple[str, str]) -> str:
    # As llama.cpp and transformers set it up.
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    messages = [{"role": role, "content": content} for role, content in turns]
    made = environment.from_string(template.jinja)
    written = made.render(messages=messages, add_generation_prompt=turns[-1][0] != "assistant")
    assert template.render(turns) == written
    return written


def test_both_places() -> None:
    template = PromptTemplate.parse("<s>\n{system_message}</s>\n<u>{prompt}</u>\n<a>")
    assert template == PromptTemplate("</s>\n<u>", "</u>\n<a>", "<s>\n")
    assert render(template, ("system", "Be."), ("user", "Hi")) == "<s>\nBe.</s>\n<u>Hi</u>\n<a>"


def test_system_prompt_is_another_spelling() -> None:
    assert PromptTemplate.parse("a{system_prompt}b{prompt}c") == PromptTemplate("b", "c", "a")


def test_prompt_alone_puts_the_system_text_before_the_user_text() -> None:
    template = PromptTemplate.parse("[I]{prompt}[/I]")
    assert template == PromptTemplate("[I]", "[/I]", None)
    assert render(template, ("system", "Be."), ("user", "Hi")) == "[I]Be.\nHi[/I]"
    turns = [("system", "Be."), ("user", "1"), ("assistant", "2"), ("user", "3")]
    assert render(template, *turns) == "[I]Be.\n1[/I]2[I]3[/I]"


def test_other_braces_are_text() -> None:
    template = PromptTemplate.parse('{"a": {b}}{system_message}{{x}}{prompt}{% if %}')
    assert template == PromptTemplate("{{x}}", "{% if %}", '{"a": {b}}')


@pytest.mark.parametrize(
    "written", ["", "no place", "{system_message}", "{prompt}{system_message}"]
)
def test_unusable(written: str) -> None:
    with pytest.raises(ValueError, match="prompt"):
        PromptTemplate.parse(written)


def test_prefixes_where_there_is_no_template() -> None:
    prefixes = {"system_prompt": "S:", "user_prompt": "U:", "ai_prompt": "A:"}
    assert PromptTemplate.of(prefixes) == PromptTemplate("U:", "A:", "S:")
    assert PromptTemplate.of({"user_prompt": "U:"}) == PromptTemplate("U:", "", "")
    both = {**prefixes, "prompt_template": "x{prompt}y"}
    assert PromptTemplate.of(both) == PromptTemplate("x", "y")
    assert PromptTemplate.of({}) is None


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None)
@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_jinja_writes_any_prefix_as_it_is(s: str, u: str, a: str, system: str, user: str) -> None:
    template = PromptTemplate(u, a, s)
    assert render(template, ("system", system), ("user", user)) == s + system + u + user + a
