"""What Jupyter AI finds of us: a persona in its chat, and tools for the agents that it serves.

Both stand among our entry points (`jupyter_ai.personas`, `jupyter_server_mcp.tools`). Only
`persona` imports anything of Jupyter AI, and only Jupyter AI imports `persona`.
"""

from __future__ import annotations

from typing import Any

TOOLS = ("jan_models", "jan_ask", "jan_compare")
"""Functions of the module `tools`; agents see them by these names."""


def agent_tools() -> list[str]:
    """The tools as jupyter-server-mcp names them; none, unless the user's settings say so.

    It serves what it finds to every program of this machine, without a login.
    """
    from ..settings import settings

    return [f"{__name__}.tools:{name}" for name in TOOLS] if settings().agent_tools else []


def __getattr__(name: str) -> Any:
    """`JanPersona`; older versions of Jupyter AI are told that it is not for them."""
    if name != "JanPersona":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from jupyter_ai_persona_manager import BasePersona, PersonaRequirementsUnmet

    if not hasattr(BasePersona, "set_status"):
        raise PersonaRequirementsUnmet("The persona Jan needs Jupyter AI 3.2 or a newer one.")
    from .persona import JanPersona

    return JanPersona
