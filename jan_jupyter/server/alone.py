"""`jan-jupyter serve`: the API as a server of its own, behind keys. No kernels, no files.

It runs on the background loop, where engines answer: a piece of an answer crosses no thread.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from .. import bridge, settings
from ..addresses import is_this_machine
from ..errors import SettingsError, UsageError
from ..types import Reply
from . import doors, limits, metrics
from .handling import LARGEST, LEFT, Answering, Plain, Refused, other_key, shared
from .listening import EventsSocket
from .talking import PanelSocket, Talks

if TYPE_CHECKING:
    from .. import api
    from ..api.exchange import Made
    from ..workspace import Workspace

IDLE = 60.0
"""Seconds that a connection may stay without a request, and the headers of one may take."""
GRACE = 10.0
"""Seconds that answers under way have to end when the server is told to."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a server of its own is started with.

    `host`: the address it listens at; another than this machine needs `hosts`, the names by which
    it may be called. `models`: the ids of those that may be asked (empty: all).
    """

    host: str = "127.0.0.1"
    port: int = 1338
    hosts: tuple[str, ...] = ()
    key_file: str = ""
    models: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    metrics: bool = False


def serve(options: Options, say: Callable[[str], None] | None = None) -> int:
    """Serve until it is told to end (Ctrl-C, SIGTERM); a second time: at once. The exit code.

    Raises `SettingsError` or `UsageError` for options that cannot hold; `say` is told where it
    listens, and a line for each request (without it: to stderr).
    """
    say = say or _to_stderr
    if not is_this_machine(options.host) and not options.hosts:
        raise UsageError(
            f"--host {options.host} is open to others: name with --hosts how they call this"
            " machine (its name, its address)."
        )
    from .. import api  # noqa: F401  the first request shall not wait for it

    context = _tls(options)
    sockets = _listen(options)
    try:
        keys, told = doors.keys(options.key_file, settings.own_data_folder())
        house = House(options, keys, say)
    except BaseException:
        _close(sockets)
        raise
    for line in (*_addresses(options, sockets), told):
        say(line)
    return _run(house, sockets, context)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tls(options: Options) -> ssl.SSLContext | None:
    if not (options.tls_cert or options.tls_key):
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key or None)
    except OSError as error:  # also what OpenSSL says
        raise SettingsError(f"The TLS files cannot be used: {error.strerror or error}.") from None
    return context


def _listen(options: Options) -> list[socket.socket]:
    try:
        return bind_sockets(options.port, options.host)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"Cannot listen at {options.host}, port {options.port}: {reason}."
        ) from None


def _close(sockets: Iterable[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _addresses(options: Options, sockets: list[socket.socket]) -> list[str]:
    scheme = "https" if options.tls_cert else "http"
    name = f"[{options.host}]" if ":" in options.host else options.host
    lines = [f"Listening at {scheme}://{name}:{sockets[0].getsockname()[1]}/v1 (Ctrl-C ends it)."]
    if scheme == "http" and not is_this_machine(options.host):
        lines.append("Keys and texts can be read on their way: give --tls-cert and --tls-key.")
    return lines


def _run(house: House, sockets: list[socket.socket], context: ssl.SSLContext | None) -> int:
    """Wait for the end in this thread, which hears the signals."""
    loop = bridge.loop()
    ended = bridge.submit(house.run(sockets, context))

    def told(*_: object) -> None:
        loop.call_soon_threadsafe(house.told_to_end)

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, told) for number in _SIGNALS}
    try:
        while not ended.done():
            with suppress(TimeoutError):  # with a timeout, so that Windows hears signals, too
                ended.result(0.5)
        ended.result()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class House:
    """What all requests of one server share. On the background loop alone."""

    def __init__(self, options: Options, keys: doors.Keys, say: Callable[[str], None]) -> None:
        self.models = frozenset(options.models) or None
        self.talks = Talks()
        self.hosts = doors.Hosts(options.hosts)
        self.metrics = metrics.Metrics() if options.metrics else None
        folder = settings.own_data_folder() / "serve"
        self.used = limits.Used(folder / "used.json")
        self._keys, self._say = keys, say
        self._workspace: Workspace | None = None
        self._stop, self._stop_now = asyncio.Event(), asyncio.Event()
        self._under_way: set[Answering] = set()

    async def run(self, sockets: list[socket.socket], context: ssl.SSLContext | None) -> None:
        prefixes = ("/jan/v1", "/v1")
        application = Application(
            [
                ("/metrics", MetricsPage, {"house": self}),
                ("/jan/v1/panel", AlonePanel, {"house": self}),
                ("/jan/v1/events/socket", AloneEvents, {"house": self}),
                *((f"{p}(?:/.*)?", Answering, {"house": self, "prefix": p}) for p in prefixes),
                (".*", Nothing, {"house": self, "prefix": ""}),
            ],
            log_function=lambda handler: None,  # `ended` says more, and less
            websocket_ping_interval=30,
        )
        server = HTTPServer(
            application,
            ssl_options=context,
            max_body_size=LARGEST,
            max_header_size=2**16,
            idle_connection_timeout=IDLE,
        )
        server.add_sockets(sockets)
        await self._stop.wait()
        server.stop()
        await self._empty()
        self.talks.close()
        await server.close_all_connections()
        await asyncio.to_thread(self.used.save)
        if self._workspace is not None:
            await self._workspace.close()

    async def _empty(self) -> None:
        """Wait for the answers under way, as long as anybody has the patience."""
        if self._under_way:
            self._say(f"Ending, when {len(self._under_way)} answers have (at most {GRACE:.0f} s).")
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self._stop_now.wait()

    def told_to_end(self) -> None:
        (self._stop_now if self._stop.is_set() else self._stop).set()

    async def workspace(self) -> Workspace:
        if self._workspace is None:
            self._workspace = await shared()
        return self._workspace

    # Who may --------------------------------------------------------------------------------------

    def enter(self, handler: RequestHandler) -> doors.Key:
        """Whose request it is. Raises `Refused`."""
        headers = handler.request.headers
        if not self.hosts.knows(headers.get("Host", "")):
            raise Refused(403, "This server is not called by that name (--hosts).", "host")
        origin = headers.get("Origin", "")
        if origin and not self.hosts.is_ours(origin):
            raise Refused(403, "Pages of other sites may not ask here.", "origin")
        given = other_key(headers)
        scheme, _, bearer = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given = bearer.strip()
        key = self._keys.bearer(given) if given else None
        if key is None:
            said = "Give the key of this server as `Authorization: Bearer …`."
            raise Refused(401, said, "invalid_api_key", WWW_Authenticate="Bearer")
        handler.current_user = key
        return key

    async def admit(self, handler: Answering, route: api.Route | None) -> None:
        key = handler.current_user
        assert isinstance(key, doors.Key)
        if route is not None and not key.owner and not _asks(route):
            raise Refused(403, f"The key of {key.name} may ask models, not this.", "permission")
        if route is not None and route.action == "execute":
            self.used.begin(key)
        self._under_way.add(handler)
        if self.metrics is not None:
            self.metrics.under_way += 1

    # What was done --------------------------------------------------------------------------------

    def ended(self, handler: Answering) -> None:
        """Count and log it: never what was asked or answered, nor a query, which may hold keys."""
        seconds = monotonic() - handler.begun
        status, route = handler.get_status(), handler.route
        made = handler.response.made() if handler.response is not None else None
        usage = made.usage if made is not None else None
        key = handler.current_user
        if made is not None and isinstance(key, doors.Key):
            self.used.add(key, _spent(made))
        admitted = handler in self._under_way
        self._under_way.discard(handler)
        if self._stop.is_set() and not self._under_way:
            self._stop_now.set()
        if (kept := self.metrics) is not None:
            kept.under_way -= admitted
            method = route.method if route is not None else ""
            kept.requests[method, route.path if route is not None else "", status] += 1
            kept.times["request"].add(seconds)
            if usage is not None:
                kept.tokens.update(prompt=usage.prompt, completion=usage.completion)
            for name in ("queue", "load", "first_token"):
                spent = getattr(made.timings, name) if isinstance(made, Reply) else None
                if spent is not None:
                    kept.times[name].add(spent)
        name = key.name if isinstance(key, doors.Key) else "-"
        words = [time.strftime("%H:%M:%S"), name, handler.request.method or "", _place(handler)]
        words += ["left" if status == LEFT else str(status), f"{seconds:.2f} s"]
        if made is not None and usage is not None:
            words.append(f"{made.model} {usage.prompt}+{usage.completion} tokens")
        self._say(" ".join(words))


def _asks(route: api.Route) -> bool:
    """Whether a route asks a model and leaves nothing behind, or tells which there are."""
    first = route.path.split("/")[1]
    if route.method == "GET":
        return first in ("models", "openapi.json")
    return route.action == "execute" and first not in ("models", "responses")


LETTERS = 4
"""Of a token, where nobody has counted: about so many it has in English."""


def _spent(made: Made) -> int:
    """Tokens; estimated for an answer that was left before it told, so that leaving saves none."""
    if counted := made.usage.prompt + made.usage.completion:
        return counted
    if not isinstance(made, Reply) or not made.text + made.reasoning:
        return 0
    asked = made.request.messages if made.request is not None else ()
    texts = (made.text, made.reasoning, *(message.text for message in asked))
    return 1 + sum(map(len, texts)) // LETTERS


def _place(handler: Answering) -> str:
    """The path as it may be logged: that of a route, without the ids in it."""
    return handler.route.path if handler.route is not None else "(no route)"


class Nothing(Answering):
    """Paths that are not there: whoever has no key learns nothing of them."""

    async def prepare(self) -> None:
        self.house.enter(self)
        raise Refused(404, "There is nothing here: the API begins at /v1.", "route_not_found")


class MetricsPage(Plain):
    """`/metrics`, where it was asked for; for owners."""

    SUPPORTED_METHODS = ("GET",)

    def initialize(self, house: House) -> None:
        self.house = house

    def get(self) -> None:
        key = self.house.enter(self)
        if self.house.metrics is None or not key.owner:
            raise Refused(404, "There are no metrics here (--metrics).", "route_not_found")
        self.set_header("Content-Type", metrics.CONTENT_TYPE)
        self.finish(self.house.metrics.text())


class _OwnersSocket:
    """For owners, and pages of this host."""

    house: House

    async def prepare(self) -> None:
        assert isinstance(self, RequestHandler)
        key = self.house.enter(self)
        if not key.owner:
            raise Refused(403, f"The key of {key.name} may ask models, not this.", "permission")

    def check_origin(self, origin: str) -> bool:
        return self.house.hosts.is_ours(origin)


class AlonePanel(_OwnersSocket, PanelSocket):  # type: ignore[misc]
    """A conversation of an owner."""


class AloneEvents(_OwnersSocket, EventsSocket):  # type: ignore[misc]
    """What happens, for an owner."""
