"""The chat panel: a widget over the same router and threads as everything else.

`ChatPanel` is the widget. Behind it stands a `Conversation`, which runs on the background loop and
knows nothing of Jupyter; `protocol` is what the two halves of the panel say to each other.
"""

from __future__ import annotations

from .widget import ChatPanel

__all__ = ["ChatPanel"]
