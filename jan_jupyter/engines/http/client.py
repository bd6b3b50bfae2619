"""Requests and streams over HTTP, for every engine that speaks it.

An engine adds two pure things: what it sends (an `HttpRequest`) and a `Parser`, which turns the
events of one stream into deltas. `stream` does the rest and promises: it ends normally only if the
answer is whole, it retries only before the first delta, and closing it closes the socket.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from ... import errors
from ...addresses import is_this_machine
from ...redaction import Address, quiet_log, without_secrets
from ...settings import stay_here
from ...types import EMPTY, Delta, Finish, Timings
from ...wire.retry import Patience, Wait
from ...wire.sse import EventDecoder, ServerEvent
from .failures import (
    CONNECT_SECONDS,
    Hidden,
    Partial,
    Party,
    check_headers,
    error_of,
    translated,
    without_frames,
)

if TYPE_CHECKING:
    import httpx2

READ_SECONDS = 60.0
LONGEST_PAUSE = 0.025
"""Seconds between two reads of a stream."""
LONGEST_DRAIN = 0.1
"""Seconds that a server may take to close a stream after its end mark."""
LARGEST_ERROR_BODY = 2**16
LARGEST_BODY = 2**28


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request before it is sent; headers hold the key, so they are never shown."""

    url: str
    body: Mapping[str, Any] | None = None
    """Sent as JSON."""
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    read_timeout: float | None = READ_SECONDS
    """Seconds that may pass without a byte; `None`: for ever."""
    method: Literal["POST", "GET"] = "POST"

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", Address(self.url))


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that came whole, and of which kind it is."""

    body: bytes = field(repr=False)
    content_type: str = ""


class Refusal(Exception):
    """What a parser raises for an error that comes inside a stream, after its 200."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class End:
    """What a parser returns for the protocol's own end mark (such as `[DONE]`)."""


END: Final = End()
Parsed = Delta | Sequence[Delta] | End | None


class Parser(ABC):
    """Reads the events of one stream. No I/O; what it must remember between events is its own."""

    @abstractmethod
    def parse(self, event: ServerEvent) -> Parsed:
        """What an event means; `None`: nothing; several deltas if it is about several choices.

        An answer that is JSON instead of a stream comes as one event of the name `json`. Raises
        `Refusal` for an error; any `ValueError`, `TypeError` or `LookupError` means that the event
        is not of the protocol.
        """

    def end(self) -> Delta | None:
        """The stream has ended cleanly, with or without an end mark."""
        return None


class Client:
    """Connections of one engine; opened at first use.

    Servers on this machine are reached through `loopback`, all others through httpx2's own pool;
    by https those on this machine too, but never through a proxy.
    No redirect is followed: it would take the key along.
    """

    def __init__(self) -> None:
        self._clients: dict[tuple[bool, bool], httpx2.AsyncClient] = {}

    async def _for(self, url: str) -> httpx2.AsyncClient:
        kind = _is_loopback(url), is_this_machine(url)
        if kind not in self._clients:  # it reads certificates, so not on the loop
            self._clients.setdefault(kind, await asyncio.to_thread(_client, *kind))
        return self._clients[kind]

    async def stream(
        self,
        request: HttpRequest,
        parser: Callable[[], Parser],
        party: Party,
        on_wait: Wait | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Send `request` and yield its deltas; the last one carries finish, usage and timings.

        `on_wait(seconds, error)` is called each second of a wait before another try. It may raise.
        """
        patience = Patience()
        while True:
            started = False
            try:
                async with aclosing(self._once(request, parser(), party)) as deltas:
                    async for delta in deltas:
                        started = True
                        yield delta
                return
            except errors.EngineError as error:
                if started:
                    raise without_frames(error)  # noqa: B904  it is the same error
                if isinstance(error, errors.StreamBroken) and error.http_status is None:
                    error.retryable = True  # nothing came: as if never connected
                await patience.wait(without_frames(error), on_wait)

    async def fetch(
        self, request: HttpRequest, party: Party, on_wait: Wait | None = None
    ) -> Answer:
        """Send `request` and give its whole answer. Retries and errors as for `stream`."""
        patience = Patience()
        while True:
            try:
                with translated(party, Partial(), request.read_timeout):
                    async with self._open(request, party) as response:
                        body = await _head(response, LARGEST_BODY)
                        return Answer(body, response.headers.get("content-type", ""))
            except errors.EngineError as error:
                await patience.wait(without_frames(error), on_wait)

    async def fetch_json(
        self, request: HttpRequest, party: Party, on_wait: Wait | None = None
    ) -> Any:
        """The same, read as JSON."""
        answer = await self.fetch(request, party, on_wait)
        with suppress(ValueError):  # which holds the whole body
            return json.loads(answer.body)
        said = party.hidden(answer.body.decode("utf-8", "replace"))[:80]
        raise errors.Malformed(
            f"{party.engine} did not answer with JSON (model {party.model}): {said!r}",
            model=party.model,
            engine=party.engine,
        )

    async def _once(
        self, request: HttpRequest, parser: Parser, party: Party
    ) -> AsyncGenerator[Delta, None]:
        last = Delta()
        finished: dict[int, Finish | None] = {0: None}
        begun = False
        partial = Partial()
        with translated(party, partial, request.read_timeout):
            async with self._events(request, party) as events:
                async for event in events:
                    parsed = _parsed(parser, event, party, begun=begun)
                    begun = True
                    if isinstance(parsed, End):
                        break
                    for delta in parsed:
                        last = _merged(last, delta)
                        finished[delta.choice] = delta.finish or finished.get(delta.choice)
                        if delta.text or delta.reasoning or delta.tool_calls:
                            partial.add("" if delta.choice else delta.text)
                            if delta.finish is not None or delta.usage is not None:
                                delta = replace(delta, finish=None, usage=None, notes=())
                            yield delta
            parsed = _parsed(parser, None, party)
            for delta in () if isinstance(parsed, End) else parsed:
                last = _merged(last, delta)
                finished[0] = delta.finish or finished[0]
            if not all(finished.values()):
                raise errors.StreamBroken(
                    f"The answer of {party.model} ({party.engine}) was cut off: the server closed"
                    " the stream before its end. What had come is kept; run the cell again for a"
                    " whole one."
                )
        for choice, finish in finished.items():
            if choice:
                yield Delta(finish=finish, choice=choice)
        yield replace(last, finish=finished[0])

    @asynccontextmanager
    async def _events(
        self, request: HttpRequest, party: Party
    ) -> AsyncIterator[AsyncGenerator[ServerEvent, None]]:
        """Send a request; its answer as events. Leaving closes what was opened for it."""
        async with (
            self._open(request, party) as response,
            aclosing(_events(response)) as events,
        ):
            yield events
            if response.extensions.get("rest", lambda: True)():
                await _drained(events)

    @asynccontextmanager
    async def _open(self, request: HttpRequest, party: Party) -> AsyncIterator[httpx2.Response]:
        stay_here(f"Model {party.model} ({party.engine})", request.url)
        client = await self._for(request.url)
        import httpx2

        timeout = httpx2.Timeout(request.read_timeout, connect=CONNECT_SECONDS)
        headers, content = dict(request.headers), None
        if request.body is not None:
            headers = {"Content-Type": "application/json", **headers}
            content = json.dumps(request.body, ensure_ascii=False).encode()
        check_headers(headers, party)
        async with client.stream(
            request.method, _url(request.url), content=content, headers=headers, timeout=timeout
        ) as response:
            if response.status_code != 200:
                body = b""
                with suppress(Exception):  # the status is known; a broken body must not hide it
                    body = await _head(response, LARGEST_ERROR_BODY)
                raise error_of(response.status_code, response.headers, body, party)
            if response.headers.get("content-type", "").startswith("text/html"):
                raise errors.Malformed(
                    f"{party.engine} answered for {party.model} with a web page:"
                    f" {without_secrets(request.url)} is not the address of an API. Look at its"
                    " `base_url`.",
                    model=party.model,
                    engine=party.engine,
                )
            yield response

    async def close(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


@lru_cache(256)
def _url(url: str) -> httpx2.URL:
    """Parsed once: it is the same for each request of a model."""
    import httpx2

    return httpx2.URL(url)


def _client(local: bool, here: bool) -> httpx2.AsyncClient:
    import httpx2

    quiet_log()
    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    if local:
        from .loopback import Loopback

        return httpx2.AsyncClient(transport=Loopback(), timeout=timeout, trust_env=False)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    direct = httpx2.AsyncHTTPTransport(limits=limits) if here else None
    return httpx2.AsyncClient(timeout=timeout, limits=limits, transport=direct)


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


async def _events(response: httpx2.Response) -> AsyncGenerator[ServerEvent, None]:
    if "json" in response.headers.get("content-type", ""):
        body = await _head(response, LARGEST_BODY)
        yield ServerEvent(body.decode("utf-8", "replace"), "json")
        return
    decoder = EventDecoder()
    gathers = response.extensions.get("gathers", False)
    began = before = monotonic()
    async with aclosing(_pieces(response)) as pieces:
        async for piece in pieces:
            had_to_wait = not gathers and monotonic() - before > 0.001  # else it was there already
            for event in decoder.feed(piece):
                yield event
            if had_to_wait:
                # To be woken for each token takes much of a core that a local model needs itself.
                # So what comes within a moment is read at once; that is 1 % of the answer at most.
                await asyncio.sleep(min(LONGEST_PAUSE, 0.01 * (monotonic() - began)))
            before = monotonic()
    for event in decoder.end():
        yield event


def _pieces(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """The body as it comes; that of our own transport without the layers of httpx2 around it."""
    if "pieces" in response.extensions and "content-encoding" not in response.headers:
        return aiter(response.extensions["pieces"])
    return response.aiter_bytes()


async def _drained(events: AsyncGenerator[ServerEvent, None]) -> None:
    """Read what follows the end mark, so that the connection can serve again.

    The answer is whole: nothing that happens here is an error, and nobody waits long for it.
    """
    with suppress(Exception):
        async with asyncio.timeout(LONGEST_DRAIN):
            async for _ in events:
                pass


async def _head(response: httpx2.Response, most: int) -> bytes:
    """The beginning of a body: it may be endless."""
    pieces, size = [], 0
    async for piece in response.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            break
    return b"".join(pieces)


def _parsed(
    parser: Parser, event: ServerEvent | None, party: Party, *, begun: bool = True
) -> Sequence[Delta] | End:
    """What an event means, or the clean end of the stream (`None`); `begun`: others came before."""
    try:
        parsed = parser.end() if event is None else parser.parse(event)
        if parsed is None or isinstance(parsed, End):
            return parsed or ()
        deltas = [parsed] if isinstance(parsed, Delta) else parsed
        for delta in deltas:
            _check(delta)
        return deltas
    except Refusal as refusal:
        raise error_of(refusal.status, EMPTY, refusal.body, party) from None
    except _NOT_OF_THE_PROTOCOL as error:
        shown = _broken_place(event.data, error, party.hidden) if event else "the end"
        mend = (
            "What had come is kept; run the cell again for a whole answer."
            if begun
            else "Is its `base_url` that of an API (often it ends with /v1)?"
        )
        where = " in mid-stream" if begun else ""
        raise errors.Malformed(
            f"{party.engine} sent something for {party.model}{where} that is not of its protocol:"
            f" {shown!r}. {mend}",
            model=party.model,
            engine=party.engine,
        ) from error


def _broken_place(data: str, error: Exception, hidden: Hidden) -> str:
    """What of an event shows its fault: some characters around the place where JSON ends."""
    at = len(hidden(data[: error.pos])) if isinstance(error, json.JSONDecodeError) else 0
    data = hidden(data)  # before a key is cut in two
    begin, end = max(0, at - 60), max(120, at + 60)
    return f"{'…' if begin else ''}{data[begin:end]}{'…' if end < len(data) else ''}"


_NOT_OF_THE_PROTOCOL = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,  # a count that is infinite
    RecursionError,  # JSON that is nested too deeply
)


def _check(delta: Delta) -> None:
    """Raise `TypeError` if a server put something else where a text, a call or a number belongs."""
    if not (isinstance(delta.text, str) and isinstance(delta.reasoning, str)):
        raise TypeError("a text that is none")
    if not isinstance(delta.choice, int) or delta.choice < 0:
        raise TypeError("a choice without a place")
    for call in delta.tool_calls:
        function = call.get("function") or {}
        parts = function.get("name"), function.get("arguments"), call.get("id")
        if not isinstance(call.get("index", 0), int):
            raise TypeError("a call without a place")
        if not all(isinstance(part, str | None) for part in parts):
            raise TypeError("a call whose parts are no texts")
    if delta.timings is not None:
        measured = (getattr(delta.timings, each.name) for each in fields(Timings))
        if not all(isinstance(number, int | float | None) for number in measured):
            raise TypeError("a measurement that is no number")


def _merged(last: Delta, new: Delta) -> Delta:
    """What is known at the end of all choices."""
    if not (new.usage or new.timings or new.notes or new.stop) and new.extra is EMPTY:
        return last  # as of nearly every token
    return Delta(
        usage=new.usage or last.usage,
        timings=new.timings or last.timings,
        notes=(*last.notes, *new.notes),
        extra=new.extra or last.extra,
        stop=last.stop if new.choice else new.stop or last.stop,
    )
