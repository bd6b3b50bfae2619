"""Conversations that stay: Jan's threads and assistants, read and written where they lie.

`ThreadStore` finds, makes and deletes; a `Thread` is one conversation with its branches; a
`ThreadMessage` is one turn of it, which a `Record` keeps as it is asked and answered; an
`Assistant` is a named profile.
"""

from __future__ import annotations

from .assistants import Assistant, Assistants
from .draft import Draft
from .message import ThreadMessage
from .record import Record
from .store import Hit, Listed, ThreadStore
from .thread import Thread

__all__ = [
    "Assistant",
    "Assistants",
    "Draft",
    "Hit",
    "Listed",
    "Record",
    "Thread",
    "ThreadMessage",
    "ThreadStore",
]
