"""The chat panel: a widget over the same router and threads as everything else.

`ChatPanel` is the widget. Behind it stands a `Conversation`, which runs on the background loop and
knows nothing of Jupyter; `protocol` is what the two halves of the panel say to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .widget import ChatPanel

__all__ = ["ChatPanel"]


def __getattr__(name: str) -> Any:
    """The widget at its first use: other parts of this room need none of what it imports."""
    if name != "ChatPanel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .widget import ChatPanel

    return ChatPanel
