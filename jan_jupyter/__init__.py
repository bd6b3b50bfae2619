"""Language models in notebooks: `%load_ext jan_jupyter`, then `%%jan` cells that stream.

From Python: `import jan_jupyter as jan`, then `jan.chat("…")`, `for piece in jan.stream("…")`,
`await jan.achat("…")`. Importing this package costs next to nothing: everything is fetched at its
first use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .ask import Stream
    from .chat import Chat, achat, chat, stream
    from .compare.comparison import Comparison, acompare, compare
    from .compare.keeping.runs import Runs
    from .compare.ladder import Ladder, ladder
    from .compare.replaying import replay
    from .engine_options.tokens import set_token_provider
    from .errors import EngineError, JanError, ModelError
    from .models.model import Model
    from .models.store import ModelStore
    from .openai_client import async_client as async_openai
    from .openai_client import client as openai
    from .panel import ChatPanel
    from .router import Router
    from .texts import acomplete, aembed, arerank, complete, embed, rerank, speak
    from .threads import Assistant, Thread, ThreadMessage, ThreadStore
    from .types import (
        Audio,
        ChatRequest,
        Delta,
        Embeddings,
        Message,
        Ranking,
        Reply,
        Timings,
        Usage,
    )
    from .workspace import Workspace

    models: ModelStore
    router: Router
    runs: Runs
    threads: ThreadStore

__version__ = "0.1.0"

__all__ = [
    "Assistant",
    "Audio",
    "Chat",
    "ChatPanel",
    "ChatRequest",
    "Comparison",
    "Delta",
    "Embeddings",
    "EngineError",
    "JanError",
    "Ladder",
    "Message",
    "Model",
    "ModelError",
    "ModelStore",
    "Ranking",
    "Reply",
    "Stream",
    "Thread",
    "ThreadMessage",
    "ThreadStore",
    "Timings",
    "Usage",
    "Workspace",
    "__version__",
    "achat",
    "acompare",
    "acomplete",
    "aembed",
    "arerank",
    "async_openai",
    "chat",
    "compare",
    "complete",
    "embed",
    "ladder",
    "models",
    "openai",
    "replay",
    "rerank",
    "router",
    "runs",
    "set_token_provider",
    "speak",
    "stream",
    "threads",
]

_HOMES = {
    **dict.fromkeys(("Chat", "achat", "chat", "stream"), "chat"),
    **dict.fromkeys(("Comparison", "acompare", "compare", "runs"), "compare.comparison"),
    **dict.fromkeys(("Ladder", "ladder"), "compare.ladder"),
    "replay": "compare.replaying",
    **dict.fromkeys(("acomplete", "aembed", "arerank", "complete"), "texts"),
    **dict.fromkeys(("embed", "rerank", "speak"), "texts"),
    **dict.fromkeys(("EngineError", "JanError", "ModelError"), "errors"),
    "ChatPanel": "panel",
    "Model": "models.model",
    "ModelStore": "models.store",
    **dict.fromkeys(("Assistant", "Thread", "ThreadMessage", "ThreadStore"), "threads"),
    "Stream": "ask",
    "Workspace": "workspace",
    "async_openai": "openai_client:async_client",
    "openai": "openai_client:client",
    "set_token_provider": "engine_options.tokens",
    **dict.fromkeys(
        (
            "Audio",
            "ChatRequest",
            "Delta",
            "Embeddings",
            "Message",
            "Ranking",
            "Reply",
            "Timings",
            "Usage",
        ),
        "types",
    ),
}
"""Where each name is, and what it is called there."""


def __getattr__(name: str) -> Any:
    value: Any
    if name in ("ModelStore", "Workspace", "models", "router"):  # people see how far downloads are
        store = import_module(f"{__name__}.models.store").ModelStore
        store.shows = import_module(f"{__name__}.console").TerminalProgress
    if name in ("models", "router", "threads"):
        value = getattr(import_module(f"{__name__}.workspace").shared(), name)
    elif name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        value = getattr(import_module(f"{__name__}.{module}"), attribute or name)
        if module.startswith("compare."):  # people see how far it is
            session = import_module(f"{__name__}.compare.session").Session
            session.shows = _counting()
            if _in_kernel():
                session.displays, session.polls = _displays, _polls
            value = value() if name == "runs" else value
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _in_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _displays(session: Any) -> Any:
    """Shows a comparison while it goes on."""
    return import_module(f"{__name__}.panel.comparison").alive(session)


def _polls(session: Any, by: str, seed: int) -> Any:
    """Has somebody vote blindly."""
    return import_module(f"{__name__}.panel.vote").poll(session, by, seed)


def _counting() -> Any:
    """What shows in this process how far a comparison is."""
    if _in_kernel():
        return import_module(f"{__name__}.magics.comparing").NotebookCounting
    return import_module(f"{__name__}.console").TerminalCounting


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """Our public names win over the rooms of the same name (`jan.chat` is the function)."""

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system binds each room to its package as it is imported.
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        # A module of a class of its own is not pickled as a module: it goes by its name.
        return import_module, (__name__,)


sys.modules[__name__].__class__ = _Package


def load_ipython_extension(ip: InteractiveShell) -> None:
    from .magics import load

    load(ip)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    from .magics import unload

    unload(ip)
