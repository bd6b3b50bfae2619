"""Conversations that stay: Jan's threads and assistants, read and written where they lie.

`ThreadStore` finds, makes and deletes; a `Thread` is one conversation with its branches; a
`ThreadMessage` is one turn of it; an `Assistant` is a named profile.
"""

from __future__ import annotations

from .assistants import Assistant, Assistants
from .message import ThreadMessage
from .store import Hit, Listed, ThreadStore, shared
from .thread import Thread

__all__ = [
    "Assistant",
    "Assistants",
    "Hit",
    "Listed",
    "Thread",
    "ThreadMessage",
    "ThreadStore",
    "shared",
]
