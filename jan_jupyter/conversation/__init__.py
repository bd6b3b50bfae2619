"""One live conversation for any user interface: actions in, events out. Knows no Jupyter."""

from __future__ import annotations

from .conversation import Conversation
from .surroundings import Surroundings

__all__ = ["Conversation", "Surroundings"]
