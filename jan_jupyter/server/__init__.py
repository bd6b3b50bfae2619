"""The API behind a socket, in two hosts: an extension of Jupyter Server, and a server of its own.

Both are thin: `api.respond` answers, `Conversation` talks with a page. Jupyter's server finds the
extension by `enabled.json`, which an installation puts among its configuration; nothing of ours is
imported or made before the first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    from .jupyter import add_handlers

    add_handlers(app)
