"""A thread as Markdown, as Jan's lines, as a notebook; and a notebook as turns."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from .. import markdown
from ..errors import ThreadError, expect
from ..types import Role
from .files import pretty
from .message import ThreadMessage, new_id

FORMATS: Mapping[str, str] = {"markdown": "md", "jsonl": "jsonl", "ipynb": "ipynb"}
"""Each format, and the suffix of its files."""

_WHO: Mapping[Role, str] = {
    "user": "You",
    "assistant": "Assistant",
    "system": "System",
    "tool": "Tool",
}


def export(
    title: str,
    messages: Sequence[ThreadMessage],
    lines: Sequence[bytes],
    format: str,
    thread: str = "",
) -> str:
    """The text of a file of that format (or of that suffix). Raises `ThreadError`.

    `thread` is the id of where it comes from: the cells of a notebook say so in their metadata.
    """
    expect(format, str, f"A thread is exported as {', '.join(FORMATS)}")
    by_suffix = {suffix: name for name, suffix in FORMATS.items()}
    format = by_suffix.get(format.lstrip("."), format)
    if format == "markdown":
        return to_markdown(title, messages)
    if format == "jsonl":
        return b"".join(line.strip() + b"\n" for line in lines).decode("utf-8-sig", "replace")
    if format == "ipynb":
        return pretty(to_notebook(title, messages, thread)).decode()
    raise ThreadError(f"A thread is exported as {', '.join(FORMATS)}, not as {format!r}.")


def to_markdown(title: str, messages: Sequence[ThreadMessage]) -> str:
    """A page for people: each turn under a heading that names who spoke. Nothing in it runs or
    fetches, in whatever it is opened."""
    parts = [markdown.safe(f"# {title}\n")]
    for message in messages:
        who = _WHO[message.role]
        named = f"{who} ({message.model})" if message.model else who
        parts.append(markdown.safe(f"## {named}\n\n") + markdown.safe(message.text.rstrip()) + "\n")
        parts += [markdown.safe(f"*Calls {call}*\n") for call in _calls(message)]
        if message.status != "ready":
            status = "interrupted" if message.status == "pending" else message.status
            parts.append(markdown.safe(f"*{message.error or status}*\n"))
    return "\n".join(parts)


def _calls(message: ThreadMessage) -> Iterator[str]:
    """The functions that an answer asks for, each as a piece of code."""
    for call in message.tool_calls:
        function = call.get("function") or {}
        written = f"{function.get('name')}({function.get('arguments') or ''})"
        yield f"`` {' '.join(written.replace('`', chr(39)).split())} ``"


def to_notebook(title: str, messages: Sequence[ThreadMessage], thread: str = "") -> dict[str, Any]:
    """A notebook whose `%%jan` cells ask the same again; their outputs are the answers."""
    first = {**_cell("markdown", markdown.safe(f"# {title}"))}
    cells = [first, _code("%load_ext jan_jupyter")]
    for place, message in enumerate(messages):
        if message.role != "user":
            continue
        answer = _answer(messages[place + 1 :])
        asked = answer.model if answer and answer.model.isprintable() else ""
        model = f" {shlex.quote(asked)}" if asked else ""
        # --raw: what stood in braces was filled when it was asked.
        cell = _code(f"%%jan{model} -c --raw\n{message.text}")
        if answer is not None:
            cell["outputs"].append(_output(answer))
        if thread:
            cell["metadata"]["jan"] = _origin(thread, answer or message)
        cells.append(cell)
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _answer(following: Sequence[ThreadMessage]) -> ThreadMessage | None:
    """The answer to the question that these turns follow; after calls of functions, the last."""
    turn = takewhile(lambda message: message.role != "user", following)
    answers = [message for message in turn if message.role == "assistant"]
    return next((m for m in reversed(answers) if m.text), answers[-1] if answers else None)


def _cell(kind: str, source: str) -> dict[str, Any]:
    return {"cell_type": kind, "id": new_id().lower(), "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    return _cell("code", source) | {"execution_count": None, "outputs": []}


def _origin(thread: str, message: ThreadMessage) -> dict[str, str]:
    """Where a cell comes from: its question's answer, as far as there is one."""
    found = {"model": message.model, "engine": message.engine, "message": message.id}
    return {"thread": thread, **{name: value for name, value in found.items() if value}}


def _output(answer: ThreadMessage) -> dict[str, Any]:
    jan = {"model": answer.model, "engine": answer.engine, "finish": answer.finish}
    return {
        "output_type": "display_data",
        "data": {
            "text/markdown": markdown.safe(answer.text),
            "text/plain": answer.text,
        },
        "metadata": {"jan": {name: value for name, value in jan.items() if value}},
    }


def from_notebook(data: bytes, where: str) -> Sequence[ThreadMessage]:
    """The prompts of the `%%jan` cells of a notebook, and the answers that it was saved with."""
    try:
        cells = json.loads(data.decode("utf-8-sig"))["cells"]
        return [message for cell in cells for message in _from_cell(cell)]
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ThreadError(f"{where} is no notebook of format 4: {error}") from error


def _from_cell(cell: Mapping[str, Any]) -> Iterator[ThreadMessage]:
    source = _joined(cell["source"])
    first, _, prompt = source.partition("\n")
    if cell.get("cell_type") != "code" or not re.match(r"%%jan(\s|$)", first):
        return
    if not prompt.strip():
        return
    yield ThreadMessage("user", prompt)
    for output in reversed(cell.get("outputs", ())):  # the last: others led to calls of functions
        text = _joined(output.get("data", {}).get("text/plain", ""))
        jan = output.get("metadata", {}).get("jan", {})
        if text and jan:
            yield ThreadMessage(
                "assistant",
                text,
                model=str(jan.get("model") or ""),
                engine=str(jan.get("engine") or ""),
            )
            return


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)
