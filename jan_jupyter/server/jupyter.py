"""The API in a Jupyter Server, below its address: its own login, authorisation and protection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async, url_path_join
from tornado.web import RequestHandler, authenticated

from .handling import Answering, Refused, other_key, shared
from .listening import EventsSocket
from .talking import PanelSocket, Talks

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from .. import api
    from ..workspace import Workspace


def add_handlers(app: ServerApp) -> None:
    """Offer the API below `<base_url>/jan/v1`; nothing else of ours is made yet."""
    prefix = url_path_join(app.web_app.settings["base_url"], "jan", "v1")
    house = JupyterHouse()
    app.web_app.add_handlers(  # type: ignore[no-untyped-call]
        ".*$",
        [
            (f"{prefix}/panel", JupyterPanel, {"house": house}),
            (f"{prefix}/events/socket", JupyterEvents, {"house": house}),
            (f"{prefix}(?:/.*)?", JupyterAnswering, {"house": house, "prefix": prefix}),
        ],
    )


class JupyterHouse:
    """One workspace for all of this process: that of the user's settings."""

    models = None

    def __init__(self) -> None:
        self.talks = Talks()

    async def workspace(self) -> Workspace:
        return await shared()

    def enter(self, handler: RequestHandler) -> None:
        asks_first = handler.request.method == "OPTIONS"  # no browser logs in for that
        if not handler.current_user and not (asks_first and _shares(handler)):
            raise _stranger(handler)

    async def admit(self, handler: Answering, route: api.Route | None) -> None:
        assert isinstance(handler, JupyterAnswering)
        if handler.request.method != "OPTIONS":
            await _authorise(handler, route.action if route is not None else "read")

    def ended(self, handler: Answering) -> None:
        pass  # Jupyter logs its requests


def _stranger(handler: RequestHandler) -> Refused:
    headers = handler.request.headers
    if not headers.get("Authorization"):
        return Refused(403, "Log in to this Jupyter server first.", "login")
    said = "This is no token of this Jupyter server; `jupyter server list` shows the right one."
    return Refused(401, said, "invalid_api_key", WWW_Authenticate="Bearer")


def _shares(handler: RequestHandler) -> bool:
    """Whether the user lets pages of other origins ask here (`ServerApp.allow_origin`)."""
    assert isinstance(handler, JupyterHandler)
    return bool(handler.allow_origin or handler.allow_origin_pat)


async def _authorise(handler: JupyterHandler, action: str) -> None:
    """Raises `Refused` for a user who may not do that to `jan`."""
    user = handler.current_user
    if not await ensure_async(handler.authorizer.is_authorized(handler, user, action, "jan")):
        raise Refused(403, f"You may not {action} here.", "permission")


class JupyterAnswering(Answering, APIHandler):
    """Jupyter's checks come first: host, login, origin, XSRF."""

    SUPPORTED_METHODS = (*Answering.SUPPORTED_METHODS, "OPTIONS")
    get = post = put = patch = delete = authenticated(Answering.answer)  # type: ignore[assignment]

    async def prepare(self) -> None:  # type: ignore[override]
        """A token comes in any header in which programs send keys; Jupyter looks into one."""
        headers = self.request.headers
        scheme = headers.get("Authorization", "").partition(" ")[0].lower()
        if scheme not in ("bearer", "token") and (key := other_key(headers)):
            headers["Authorization"] = f"Bearer {key}"
        await super().prepare()

    def check_xsrf_cookie(self) -> None:
        """Strangers do not hear of a cookie, which no program has."""
        if hasattr(self, "_jupyter_current_user") and not self.current_user:
            raise _stranger(self)
        super().check_xsrf_cookie()

    def check_origin(self, *origin: str) -> bool:
        """A key that is wrong is called that, whatever page it comes from: `enter` refuses it."""
        given = "Authorization" in self.request.headers
        return bool(super().check_origin(*origin)) or (given and not self.current_user)

    def get_login_url(self) -> str:
        raise _stranger(self)

    @allow_unauthenticated
    def options(self, *args: str) -> None:
        """Clients of APIs send headers of their own; whose pages may, the user has said."""
        super().options(*args)
        names = self.request.headers.get("Access-Control-Request-Headers")
        if names and "Access-Control-Allow-Headers" not in self.settings.get("headers", {}):
            self.set_header("Access-Control-Allow-Headers", names)

    def set_cors_headers(self) -> None:
        super().set_cors_headers()
        if not _shares(self):  # else whoever knows the token may be a page of any site
            self.clear_header("Access-Control-Allow-Origin")

    def finish(self, *args: object, **kwargs: object) -> asyncio.Future[None]:
        kwargs.setdefault("set_content_type", self._headers.get("Content-Type"))
        return super().finish(*args, **kwargs)


class JupyterPanel(PanelSocket, WebSocketMixin, JupyterHandler):  # type: ignore[misc]
    """A conversation of a page that has logged in; Jupyter checks the page's origin."""

    async def get(self, *args: str, **kwargs: str) -> None:
        self.house.enter(self)
        for action in ("execute", "write"):
            await _authorise(self, action)
        await super().get(*args, **kwargs)


class JupyterEvents(EventsSocket, WebSocketMixin, JupyterHandler):  # type: ignore[misc]
    """What happens, for a page that has logged in."""

    async def get(self, *args: str, **kwargs: str) -> None:
        self.house.enter(self)
        await _authorise(self, "read")
        await super().get(*args, **kwargs)
