"""Requests, server-sent events and what HTTP servers say when they refuse: for every HTTP engine.

An engine adds two pure functions: one that builds an `HttpRequest`, one that turns a `ServerEvent`
into a `Delta`. `stream` does the rest and promises: it ends normally only if the answer is whole,
it retries only before the first delta, and closing it closes the socket.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .. import errors
from ..types import EMPTY, Delta

if TYPE_CHECKING:
    import httpx2

ATTEMPTS = 3
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
LONGEST_PAUSE = 0.025
"""Seconds between two reads of a stream."""
LONGEST_DRAIN = 0.1
"""Seconds that a server may take to close a stream after its end mark."""
LARGEST_EVENT = 64 * 2**20
LARGEST_ERROR_BODY = 2**16


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request before it is sent; headers hold the key, so they are never shown."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    read_timeout: float | None = READ_SECONDS
    """Seconds that may pass without a byte; `None`: for ever."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom an error is about, and what to tell the user to do about it."""

    model: str
    engine: str
    key_hint: str = ""
    secret: str | None = field(default=None, repr=False)


# Server-sent events -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name (`message` if it has none) and its data."""

    data: str
    name: str = "message"


class EventDecoder:
    """Bytes in any pieces -> events. (WHATWG, "Server-sent events", §9.2.6.)

    Differs from the standard in one point: an event whose blank line is missing at the end of the
    stream is still given by `end`, since some servers leave it out.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        if not piece:
            return
        shared_crlf = self._after_cr and piece.startswith(b"\n")
        self._after_cr = piece.endswith(b"\r")
        if shared_crlf:
            piece = piece[1:]
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *lines = piece.split(b"\n")
        self._rest += first
        self._check(len(self._rest))
        if not lines:
            return
        lines.insert(0, bytes(self._rest))
        self._rest = bytearray(lines.pop())
        for line in lines:
            if (event := self._line(line)) is not None:
                yield event

    def end(self) -> Iterator[ServerEvent]:
        for line in (bytes(self._rest), b""):
            if (event := self._line(line)) is not None:
                yield event
        self._rest.clear()

    def _line(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            line, self._at_start = line.removeprefix(codecs.BOM_UTF8), False
        if not line:
            if not self._data:
                self._name = ""
                return None
            event = ServerEvent("\n".join(self._data), self._name or "message")
            self._name, self._data, self._size = "", [], 0
            return event
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._check(len(value))
            self._size += len(value)
            self._data.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _check(self, more: int) -> None:
        if self._size + more > LARGEST_EVENT:
            raise errors.Malformed(f"The server sent an event of over {LARGEST_EVENT >> 20} MiB.")


# Streaming ----------------------------------------------------------------------------------------


class Refusal(Exception):
    """What `parse` raises for an error that comes inside a stream, after its 200."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class End:
    """What `parse` returns for the protocol's own end mark (such as `[DONE]`)."""


END: Final = End()
Parse = Callable[[ServerEvent], Delta | End | None]
Wait = Callable[[float, errors.EngineError], None]


class Client:
    """Connections of one engine; opened at first use.

    Servers on this machine are reached through `loopback`, all others through httpx2's own pool.
    """

    def __init__(self) -> None:
        self._clients: dict[bool, httpx2.AsyncClient] = {}

    def _for(self, url: str) -> httpx2.AsyncClient:
        import httpx2

        local = _is_loopback(url)
        if local not in self._clients:
            timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
            if local:
                from .loopback import Loopback

                client = httpx2.AsyncClient(transport=Loopback(), timeout=timeout, trust_env=False)
            else:
                client = httpx2.AsyncClient(timeout=timeout, limits=limits, follow_redirects=True)
            self._clients[local] = client
        return self._clients[local]

    async def stream(
        self,
        request: HttpRequest,
        parse: Parse,
        party: Party,
        on_wait: Wait | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """POST `request` and yield its deltas; the last one carries finish, usage and timings.

        `on_wait(seconds, error)` is called before each wait of a retry.
        """
        for attempt in range(1, ATTEMPTS + 1):
            started = False
            try:
                async with aclosing(self._once(request, parse, party)) as deltas:
                    async for delta in deltas:
                        started = True
                        yield delta
                return
            except errors.EngineError as error:
                if started or not error.retryable or attempt == ATTEMPTS:
                    raise
                seconds = backoff(attempt, error.retry_after)
                if on_wait is not None:
                    on_wait(seconds, error)
            await asyncio.sleep(seconds)

    async def _once(
        self, request: HttpRequest, parse: Parse, party: Party
    ) -> AsyncGenerator[Delta, None]:
        last = Delta()
        partial: list[str] = []
        with translated(party, partial):
            async with (
                self._open("POST", request, party) as response,
                aclosing(_events(response)) as events,
            ):
                async for event in events:
                    delta = _parsed(parse, event, party)
                    if delta is None:
                        continue
                    if isinstance(delta, End):
                        if not _is_loopback(request.url):  # those serve one request only
                            await _drained(events)
                        break
                    last = _merged(last, delta)
                    if delta.text or delta.reasoning or delta.tool_calls:
                        partial.append(delta.text)
                        plain = delta.finish is None and delta.usage is None
                        yield delta if plain else replace(delta, finish=None, usage=None)
            if last.finish is None:
                raise errors.StreamBroken(
                    f"The answer of {party.model} ({party.engine}) was cut off: the server closed"
                    " the stream before its end. What had come is kept; run the cell again for a"
                    " whole one."
                )
        yield last

    @asynccontextmanager
    async def _open(
        self, method: str, request: HttpRequest, party: Party
    ) -> AsyncIterator[httpx2.Response]:
        import httpx2

        timeout = httpx2.Timeout(request.read_timeout, connect=CONNECT_SECONDS)
        content = json.dumps(request.body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **request.headers}
        client = self._for(request.url)
        async with client.stream(
            method, request.url, content=content, headers=headers, timeout=timeout
        ) as response:
            if response.status_code != 200:
                raise error_of(response.status_code, response.headers, await _head(response), party)
            yield response

    async def get(self, url: str, party: Party, headers: Mapping[str, str] = EMPTY) -> Any:
        """The JSON at an address."""
        with translated(party, []):
            response = await self._for(url).get(url, headers=dict(headers))
            if response.status_code != 200:
                raise error_of(response.status_code, response.headers, response.content, party)
            try:
                return response.json()
            except ValueError as error:
                raise errors.Malformed(
                    f"{party.engine} did not answer with JSON at {url}.", engine=party.engine
                ) from error

    async def close(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


async def _events(response: httpx2.Response) -> AsyncGenerator[ServerEvent, None]:
    decoder = EventDecoder()
    began = before = monotonic()
    async for piece in response.aiter_bytes():
        had_to_wait = monotonic() - before > 0.001  # else it was there already
        for event in decoder.feed(piece):
            yield event
        if had_to_wait:
            # To be woken for each token takes much of a core that a local model needs itself. So
            # what comes within a moment is read at once; the moment is 1 % of the answer at most.
            await asyncio.sleep(min(LONGEST_PAUSE, 0.01 * (monotonic() - began)))
        before = monotonic()
    for event in decoder.end():
        yield event


async def _drained(events: AsyncGenerator[ServerEvent, None]) -> None:
    """Read what follows the end mark, so that the connection can serve again.

    The answer is whole: nothing that happens here is an error, and nobody waits long for it.
    """
    with suppress(Exception):
        async with asyncio.timeout(LONGEST_DRAIN):
            async for _ in events:
                pass


async def _head(response: httpx2.Response) -> bytes:
    """The beginning of a body: an error page may be endless."""
    body = b""
    with suppress(Exception):  # the status is known; a body that breaks must not hide it
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > LARGEST_ERROR_BODY:
                break
    return body


def _parsed(parse: Parse, event: ServerEvent, party: Party) -> Delta | End | None:
    try:
        return parse(event)
    except Refusal as refusal:
        raise error_of(refusal.status, EMPTY, refusal.body, party) from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise errors.Malformed(
            f"{party.engine} sent something for {party.model} that is not of its protocol:"
            f" {event.data[:120]!r}",
            model=party.model,
            engine=party.engine,
        ) from error


def _merged(last: Delta, new: Delta) -> Delta:
    return Delta(
        finish=new.finish or last.finish,
        usage=new.usage or last.usage,
        timings=new.timings or last.timings,
    )


def backoff(attempt: int, retry_after: float | None) -> float:
    """Seconds to wait before another try: what the server asks for, else full jitter."""
    if retry_after is not None:
        return min(retry_after, 120.0)
    return random.uniform(0, min(30.0, 0.5 * 2**attempt))  # noqa: S311


# Errors -------------------------------------------------------------------------------------------


@contextmanager
def translated(party: Party, partial: list[str]) -> Iterator[None]:
    """Turn what httpx2 raises into our errors, which name the parties and hold the partial text."""
    import httpx2

    try:
        yield
    except errors.EngineError as error:
        raise _about(error, party, partial)  # noqa: B904  it is the same error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _about(_of_transport(error, party, bool(partial)), party, partial) from error


def _about(error: errors.EngineError, party: Party, partial: list[str]) -> errors.EngineError:
    error.model = error.model or party.model
    error.engine = error.engine or party.engine
    error.partial = error.partial or "".join(partial)
    return error


def _of_transport(error: Exception, party: Party, begun: bool) -> errors.EngineError:
    """What a failure below HTTP means; the most specific first."""
    import httpx2

    who = f"{party.model} ({party.engine})"
    said = str(error) or type(error).__name__
    if isinstance(error, httpx2.ConnectTimeout):
        return errors.ConnectionFailed(
            f"{party.engine} at {_address(error)} did not answer within {CONNECT_SECONDS:.0f} s"
            f" (model {party.model}): is the address right, and the server up?"
        )
    if isinstance(error, httpx2.TimeoutException):
        return errors.TimedOut(
            f"{who} sent nothing for too long; set `timeout` (seconds) in the engine's settings if"
            " it needs more time."
        )
    if isinstance(error, httpx2.ConnectError):
        return errors.ConnectionFailed(
            f"{party.engine} cannot be reached at {_address(error)} (model {party.model}): {said}."
            " Is the address right, and the server running?"
        )
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return errors.BadRequest(
            f"The address of {party.engine} (model {party.model}) is none: {said}. Set `base_url`"
            f" in engines/{party.engine}/engine.json."
        )
    if begun:
        return errors.StreamBroken(
            f"The answer of {who} was cut off: the connection broke. What had come is kept; run"
            " the cell again for a whole one."
        )
    return errors.ConnectionFailed(
        f"The connection to {party.engine} broke before {party.model} answered ({said})."
    )


def _address(error: httpx2.TransportError) -> str:
    try:
        url = error.request.url
    except RuntimeError:
        return "its address"
    return f"{url.scheme}://{url.netloc.decode()}"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says, whichever shape it has (facts `engines.md` §2)."""

    message: str = ""
    code: str = ""
    fields: Mapping[str, Any] = EMPTY


def complaint(body: bytes | Mapping[str, Any]) -> Complaint:
    """Read an error body: `error` may be an object, a text, or stand under `detail`."""
    if isinstance(body, bytes):
        try:
            parsed = json.loads(body)
        except ValueError:
            return Complaint(_plain(body.decode("utf-8", "replace")))
    else:
        parsed = body
    for _ in range(3):
        if not isinstance(parsed, dict):
            break
        if isinstance(inner := parsed.get("error"), dict | str) or isinstance(
            inner := parsed.get("detail"), dict | str
        ):
            if isinstance(inner, str):
                code = parsed.get("code") or parsed.get("error_type") or ""
                return Complaint(_plain(inner), str(code), parsed)
            parsed = inner
            continue
        codes = (str(parsed.get(name) or "") for name in ("code", "type"))
        documented = [code for code in codes if (code and not code.isdecimal()) or code in _BY_CODE]
        exact = [code for code in documented if code in _BY_CODE and code not in _GENERAL]
        code = (exact or documented or [str(parsed.get("code") or "")])[0]
        return Complaint(_plain(str(parsed.get("message") or "")), code, parsed)
    return Complaint(_plain(str(parsed)))


def _plain(text: str) -> str:
    text = re.sub(r"<[^>]{0,200}>", " ", text) if "<html" in text.lower() else text
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:299] + "…"


_CONTEXT_CODES = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "ContextWindowExceededError",
    "40303",
}
_BILLING_CODES = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_error",
}
_BY_CODE: dict[str, type[errors.EngineError]] = {
    **dict.fromkeys(_CONTEXT_CODES, errors.ContextOverflow),
    **dict.fromkeys(_BILLING_CODES, errors.BillingRefused),
    "content_filter": errors.ContentFiltered,
    "invalid_api_key": errors.AuthenticationFailed,
    "authentication_error": errors.AuthenticationFailed,
    "permission_error": errors.PermissionRefused,
    "model_not_found": errors.NotFoundRemotely,
    "not_found_error": errors.NotFoundRemotely,
    "DeploymentNotFound": errors.NotFoundRemotely,
    "NotFoundError": errors.NotFoundRemotely,
    "40301": errors.NotFoundRemotely,
    "rate_limit_exceeded": errors.RateLimited,
    "rate_limit_error": errors.RateLimited,
    "slow_down": errors.RateLimited,
    "overloaded_error": errors.Overloaded,
    "server_is_overloaded": errors.Overloaded,
    "unavailable_error": errors.StillLoading,
    "invalid_request_error": errors.BadRequest,
    "api_error": errors.ServerFailed,
    "server_error": errors.ServerFailed,
    "timeout_error": errors.TimedOut,
}
_BY_STATUS: dict[int, type[errors.EngineError]] = {
    400: errors.BadRequest,
    401: errors.AuthenticationFailed,
    402: errors.BillingRefused,
    403: errors.PermissionRefused,
    404: errors.NotFoundRemotely,
    405: errors.NotFoundRemotely,
    408: errors.TimedOut,
    413: errors.ContextOverflow,
    422: errors.BadRequest,
    429: errors.RateLimited,
    503: errors.Overloaded,
    504: errors.TimedOut,
    529: errors.Overloaded,
}
_GENERAL = {"invalid_request_error"}
"""What some servers say beside a status or a code that is more exact."""

# A status of these kinds says more than the general code that some servers put beside it.
_STATUS_FIRST = {401, 402, 404, 413}


def error_of(
    status: int, headers: Mapping[str, str], body: bytes | Mapping[str, Any], party: Party
) -> errors.EngineError:
    """The error that a refusal means: by status and documented code (facts §9)."""
    said = complaint(body)
    kind = _BY_STATUS.get(status, errors.ServerFailed if status >= 500 else errors.BadRequest)
    exact = said.code not in _GENERAL or kind is errors.ServerFailed
    if said.code in _BY_CODE and status not in _STATUS_FIRST and exact:
        kind = _BY_CODE[said.code]
    return kind(
        _hidden(f"{_what(kind, said, party)}{_said(status, said)}{_mend(kind, party)}", party),
        model=party.model,
        engine=party.engine,
        http_status=status,
        code=said.code or None,
        retry_after=retry_after(headers),
    )


def _what(kind: type[errors.EngineError], said: Complaint, party: Party) -> str:
    who = f"{party.model} ({party.engine})"
    if kind is errors.ContextOverflow:
        used, limit = said.fields.get("n_prompt_tokens"), said.fields.get("n_ctx")
        if used and limit:
            return f"The prompt has {used:,} tokens, but {who} takes {limit:,}"
        return f"The prompt is too long for {who}"
    return {
        errors.AuthenticationFailed: f"{party.engine} refused the key for {party.model}",
        errors.PermissionRefused: f"The key may not use {who}",
        errors.BillingRefused: f"{party.engine} asks for credit before {party.model} answers",
        errors.NotFoundRemotely: f"{party.engine} does not know {party.model} at this address",
        errors.RateLimited: f"{party.engine} takes no more requests for {party.model} just now",
        errors.Overloaded: f"{party.engine} has no capacity for {party.model} just now",
        errors.StillLoading: f"{party.engine} is still loading {party.model}",
        errors.ContentFiltered: f"{party.engine} filtered the prompt to {party.model}",
        errors.TimedOut: f"{who} took too long",
        errors.BadRequest: f"{who} cannot use the request",
    }.get(kind, f"{who} failed")


def _said(status: int, said: Complaint) -> str:
    return f" (HTTP {status}: {said.message})" if said.message else f" (HTTP {status})"


def _mend(kind: type[errors.EngineError], party: Party) -> str:
    hint = {
        errors.AuthenticationFailed: party.key_hint,
        errors.ContextOverflow: "Shorten it, or give the model a larger `ctx_len` in its settings.",
        errors.NotFoundRemotely: "Look at the model's id and the engine's `base_url`.",
        errors.RateLimited: "Wait a moment and run the cell again.",
        errors.Overloaded: "Wait a moment and run the cell again.",
        errors.StillLoading: "Wait a moment and run the cell again.",
        errors.ContentFiltered: "Rephrase the prompt.",
        errors.BillingRefused: "See the account of that service.",
    }.get(kind, "")
    return f". {hint}" if hint else "."


def _hidden(text: str, party: Party) -> str:
    """Servers repeat the key that they refuse; nobody else may."""
    return text.replace(party.secret, "…") if party.secret else text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait (`retry-after-ms`, `retry-after` in seconds or date)."""
    with suppress(KeyError, ValueError):
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    value = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(value))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    return None
