"""A conversation as the one text that a model is given, for servers that take nothing else. Pure.

In this order: the setting `chat_template` (Jinja, as in a Hugging Face folder), `prompt_template`
or the three prefixes (`models/prompts.py`), else the plain form: a single question is sent as it
is, with the system text above it, and several turns as lines that begin with `User:` and
`Assistant:`.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..models.prompts import PromptTemplate
from ..types import Message
from . import chat_template

LONGEST = 30
"""Seconds that a template has on a busy machine; its processor time is what counts."""


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
    values = {
        "messages": [message.json() for message in messages],
        "add_generation_prompt": not messages or messages[-1].role != "assistant",
        "bos_token": settings.get("bos_token") or "",
        "eos_token": settings.get("eos_token") or "",
    }
    return _by_template(json.dumps({"template": template, "values": values}))


@lru_cache(maxsize=64)
def _by_template(asked: str) -> str:
    """The prompt by a template of Jinja, in a process of its own: see `chat_template.py`."""
    if importlib.util.find_spec("jinja2") is None:
        raise ValueError("its chat_template needs jinja2: `%pip install jinja2`")
    program = [sys.executable, "-P", str(Path(chat_template.__file__))]
    try:
        done = subprocess.run(
            program, input=asked, capture_output=True, encoding="utf-8", timeout=LONGEST
        )
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):  # the latter: it was ended
        answer = {"error": f"it takes more than {chat_template.SECONDS} s"}
    if "error" in answer:
        raise ValueError(f"its chat_template does not work: {answer['error']}")
    text: str = answer["text"]
    return text
