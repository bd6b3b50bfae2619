"""What a model is sent of a thread. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from ..types import Message
from .message import ThreadMessage


def conversation(instructions: str, line: Sequence[ThreadMessage]) -> list[Message]:
    """Instructions, then the turns of the line; all system texts become one.

    Turns with an error and empty answers are left out.
    """
    sent = _whole_calls([message for message in line if message.sent])
    system = [filled(instructions), *(m.text for m in sent if m.role == "system")]
    text = "\n\n".join(part for part in system if part.strip())
    first = [Message("system", text)] if text else []
    return [*first, *(m.message() for m in sent if m.role != "system")]


def filled(instructions: str, today: Callable[[], date] = date.today) -> str:
    """Instructions with `{{current_date}}` replaced."""
    return instructions.replace("{{current_date}}", today().isoformat())


def _whole_calls(line: Sequence[ThreadMessage]) -> list[ThreadMessage]:
    """The turns without calls of functions that have no result, and results without a call.

    A stop between the two leaves them behind, and no server takes them.
    """
    results = {m.tool_call_id for m in line if m.role == "tool"}
    calls: set[str] = set()
    found: list[ThreadMessage] = []
    for message in line:
        if message.role == "tool":
            found += [message] if message.tool_call_id in calls else []
            continue
        if message.tool_calls:
            asked = {str(call.get("id")) for call in message.tool_calls}
            if asked <= results:
                calls |= asked
            else:
                message = replace(message, tool_calls=())
        if message.sent:
            found.append(message)
    return found
