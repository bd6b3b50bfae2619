"""The conversation as a saved notebook shows it, without a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import markdown
from .. import output_forms as forms
from ..conversation import turns
from ..threads import ThreadMessage

HINT = "A saved conversation: run the cell to go on with it."
"""JupyterLab writes above it that a widget's model was not found; this says what to do."""


def bundle(
    panel: str, thread: str, title: str, messages: Sequence[ThreadMessage]
) -> dict[str, Any]:
    """What is saved. While the panel `panel` is alive in the page, it hides that."""
    shown = [_shown(message) for message in messages if message.role in ("user", "assistant")]
    shown = [markdown.with_footer("", HINT) + "\n", *shown] if shown else []
    if not shown:
        return {"text/markdown": "", "text/plain": ""}
    plain, told = _told(title, messages)
    # Two tags of ours, which the front end knows; all that a model said stands between them.
    text = f'<div class="jan-saved jan-saved-{panel}">\n\n{chr(10).join(shown)}\n\n</div>'
    return {
        forms.CONVERSATION: forms.conversation(panel, thread, title, told),
        "text/markdown": text,
        "text/plain": plain,
    }


def _told(title: str, messages: Sequence[ThreadMessage]) -> tuple[str, list[forms.SavedTurn]]:
    """The conversation as plain text, and its turns, each with where it stands there."""
    pieces, told = [title], []
    at = forms.length(title)
    for message in messages:
        text, context = turns.split_context(message.text)
        turn: forms.SavedTurn = {"role": message.role}
        if message.text:
            head = f"\n\n{_who(message)}: "
            begin = at + forms.length(head)
            at = begin + forms.length(text)
            turn["at"] = [begin, at]
            pieces += [head, text]
        if message.role in ("user", "assistant"):
            told.append(turn | _about(message, [one["label"] for one in context]))
    return "".join(pieces), told


def _about(message: ThreadMessage, context: Sequence[str]) -> forms.SavedTurn:
    turn: forms.SavedTurn = {}
    if context and message.role == "user":
        turn["context"] = context
    if images := len(turns.images(message.content)):
        turn["images"] = images
    if message.role == "assistant":
        turn["model"], turn["footer"] = message.model, turns.footer(message)
        if message.reasoning.strip():
            turn["reasoning"] = message.reasoning
        if message.error:
            turn["error"] = message.error
    return turn


def _shown(message: ThreadMessage) -> str:
    if message.role == "user":
        text, context = turns.split_context(message.text)
        labels = "".join(f" · {one['label']}" for one in context)
        return "\n".join(f"> {line}" for line in markdown.safe(text + labels).splitlines()) + "\n"
    note = " · ".join(part for part in (message.model, *turns.footer(message)) if part)
    text = markdown.safe(message.text) if message.text else ""
    if message.error:
        text += f"\n\n*{markdown.safe(message.error).strip()}*"
    return markdown.with_footer(text, note) + "\n"


def _who(message: ThreadMessage) -> str:
    return "You" if message.role == "user" else message.model or "Answer"
