"""A conversation as the one text that a model is given, for servers that take nothing else. Pure.

In this order: the setting `chat_template` (Jinja, as in a Hugging Face folder), `prompt_template`
or the three prefixes (spec §4.3), else the plain form: a single question is sent as it is, with the
system text above it, and several turns as lines that begin with `User:` and `Assistant:`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NoReturn

from ..models.prompts import PromptTemplate
from ..types import Message


def rendered(messages: Sequence[Message], settings: Mapping[str, Any]) -> str:
    """The prompt. Raises `ValueError` with one line: why it cannot be written."""
    for message in messages:
        if not isinstance(message.content, str):
            kinds = {str(part.get("type")) for part in message.content} - {"text"}
            if kinds:
                raise ValueError(f"the prompt is text alone: it cannot hold {', '.join(kinds)}")
    if template := settings.get("chat_template"):
        return _jinja(str(template), messages, settings)
    turns = [(message.role, message.text) for message in messages]
    before = str(settings.get("pre_prompt") or "")
    try:
        template = PromptTemplate.of(settings)
    except ValueError as error:
        raise ValueError(f"its prompt_template {error}") from error
    return before + (template.render(turns) if template is not None else _plain(turns))


def plainly(settings: Mapping[str, Any]) -> list[str]:
    """A line for people if no setting says what the prompt looks like."""
    names = ("chat_template", "prompt_template", "user_prompt", "ai_prompt")
    said = any(settings.get(name) for name in names)
    return [] if said else ["no prompt_template: the prompt was sent as plain text"]


def _plain(turns: Sequence[tuple[str, str]]) -> str:
    system = "\n\n".join(text for role, text in turns if role == "system")
    said = [(role, text) for role, text in turns if role != "system"]
    head = f"{system}\n\n" if system else ""
    if len(said) == 1:
        return head + said[0][1]
    names = {"assistant": "Assistant"}
    lines = [f"{names.get(role, 'User')}: {text}" for role, text in said]
    if not said or said[-1][0] != "assistant":
        lines.append("Assistant:")
    return head + "\n".join(lines)


def _jinja(template: str, messages: Sequence[Message], settings: Mapping[str, Any]) -> str:
    try:
        import jinja2
    except ImportError:
        raise ValueError("its chat_template needs jinja2: `%pip install jinja2`") from None
    try:
        text: str = (
            _environment()
            .from_string(template)
            .render(
                messages=[message.json() for message in messages],
                add_generation_prompt=not messages or messages[-1].role != "assistant",
                bos_token=settings.get("bos_token") or "",
                eos_token=settings.get("eos_token") or "",
            )
        )
    except (jinja2.TemplateError, ValueError, TypeError, ArithmeticError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"its chat_template does not work: {said}") from error
    return text


@cache
def _environment() -> Any:
    """As transformers and llama.cpp set it up; sandboxed, as templates come with models."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )

    def raise_exception(message: str) -> NoReturn:
        raise ValueError(message)

    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment
