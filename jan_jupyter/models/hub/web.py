"""Requests to hubs and file servers: a key goes to its own host only, a refusal is one line."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from ... import __version__, errors
from ...redaction import quiet_log
from ...settings import settings, stay_here
from ...types import EMPTY
from ...wire.retry import retry_after

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
"""Seconds without a byte after which a connection counts as broken."""
REDIRECTS = 10
LARGEST_JSON = 32 * 2**20

Key = Callable[[str], str | None]
"""The key for an address, if there is one; asked anew for each address of a redirect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body is not read yet.

    `url` is where it came from after all redirects; `told` are headers of these redirects, in which
    a hub says what the file is before it sends us to its CDN.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    told: Mapping[str, str]
    body: AsyncIterator[bytes]


class Refused(Exception):
    """The server said no: an HTTP status above 399."""

    def __init__(self, status: int, headers: Mapping[str, str], url: str, keyed: bool) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.url = url
        self.keyed = keyed
        """Whether a key was sent."""


class Web:
    """The connections of one pull or search; proxies come from the usual environment."""

    def __init__(self, key: Key = lambda url: None) -> None:
        self._key = key
        self._client: httpx2.AsyncClient | None = None

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str] = EMPTY) -> AsyncIterator[Answer]:
        """GET an address. Raises `Refused`, or `DownloadFailed` if the connection fails."""
        told: dict[str, str] = {}
        with _translated(url):
            for _ in range(REDIRECTS):
                host = _check(url)
                stay_here(f"What is asked of {host}", url)
                key = await asyncio.to_thread(self._key, url)
                sent = {"Accept-Encoding": "identity", **headers}
                if key:
                    sent["Authorization"] = f"Bearer {key}"
                if (client := self._client) is None:
                    client = await asyncio.to_thread(self._open)
                async with client.stream("GET", url, headers=sent) as response:
                    if (to := response.headers.get("location")) and response.is_redirect:
                        told |= response.headers
                        before, url = url, urljoin(url, to)
                        if before.startswith("https:") and not url.startswith("https:"):
                            raise errors.DownloadFailed(
                                f"{host} sends us to an unencrypted address ({site(url)}):"
                                " not followed."
                            )
                        continue
                    if response.status_code >= 400:
                        raise Refused(response.status_code, response.headers, url, bool(key))
                    yield Answer(
                        url, response.status_code, response.headers, told, response.aiter_raw()
                    )
                    return
            raise errors.DownloadFailed(f"{site(url)} redirects for ever.")

    async def json(self, url: str, accept: str = "application/json") -> Any:
        """The JSON at an address. Raises what `get` does, and `DownloadFailed` if it is none."""
        import json

        body = bytearray()
        async with self.get(url, {"Accept": accept}) as answer:
            async for piece in answer.body:
                body += piece
                if len(body) > LARGEST_JSON:
                    raise errors.DownloadFailed(f"{site(url)} does not stop answering.")
        try:
            return json.loads(body)
        except ValueError as error:
            raise errors.DownloadFailed(
                f"{site(url)} did not answer with JSON: is it a hub, and is there a login page"
                " of your network in between?"
            ) from error

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            quiet_log()
            # What stays here takes no proxy.
            direct = httpx2.AsyncHTTPTransport() if settings().local_only else None
            self._client = httpx2.AsyncClient(
                headers={"User-Agent": f"jan-jupyter/{__version__}"},
                timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=None),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8),
                transport=direct,
                follow_redirects=False,  # by hand, above
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _check(url: str) -> str:
    """The host of an address that can be asked."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise errors.DownloadFailed(f"{without_secrets(url)!r} is no address of the web.")
    return parts.hostname


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: to what a key belongs."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80}.get(parts.scheme, 443)


def site(url: str) -> str:
    """For people: without names, keys and queries that an address may hold."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


_SECRET = re.compile(r"sig|token|key|secret|auth|credential|passw|expires", re.IGNORECASE)


def without_secrets(url: str) -> str:
    """An address as it may be written down: without user name, password and signature."""
    if "//" not in url:
        return url
    parts = urlsplit(url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    query = "" if any(map(_SECRET.search, names)) else parts.query
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    import httpx2

    where = site(url)
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        said = str(error) or "no answer"
        raise errors.DownloadFailed(
            f"{where} cannot be reached ({said}): is there a network? Behind a proxy, set"
            " HTTPS_PROXY; with a mirror of Hugging Face, set HF_ENDPOINT.",
            retryable=True,
        ) from error
    except httpx2.TimeoutException as error:
        raise errors.DownloadFailed(
            f"{where} sent nothing for {READ_SECONDS:.0f} s.", retryable=True
        ) from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError) as error:
        raise errors.DownloadFailed(f"{where} is no address of the web: {error}.") from error
    except httpx2.HTTPError as error:
        raise errors.DownloadFailed(
            f"The connection to {where} broke ({error or type(error).__name__}).", retryable=True
        ) from error


def refusal(refused: Refused, what: str, page: str = "") -> errors.ModelError:
    """What a refusal means for `what` was asked for; `page` is where people accept conditions."""
    status, where = refused.status, site(refused.url)
    code = refused.headers.get("x-error-code", "")
    if code == "RepoNotFound" or (status == 401 and page and code != "GatedRepo"):
        # To whom has no key, Hugging Face says 401 for what is private and for what is not there.
        hint = " or your key (HF_TOKEN) is wrong" if refused.keyed else ": then set HF_TOKEN"
        return errors.ModelNotFound(
            f"{where} knows no {what}: look at its spelling (`%jan search WORDS` finds some). It"
            f" may also be private{hint}."
        )
    if code == "GatedRepo" or (status in (401, 403) and page):
        key = "a key that may read it" if refused.keyed else "your key"
        return errors.DownloadRefused(
            f"{what} is gated: accept its conditions at {page or where}, set HF_TOKEN to {key},"
            " and pull again."
        )
    if status in (401, 403):
        return errors.DownloadRefused(f"{where} does not let us read {what} (HTTP {status}).")
    if status in (404, 410):
        return errors.ModelNotFound(f"{where} has no {what} (HTTP {status}): look at its spelling.")
    if status == 429:
        return errors.DownloadFailed(
            f"{where} takes no more requests just now (HTTP 429): wait a few minutes, and pull"
            " again; what has come is kept.",
            retryable=True,
            retry_after=retry_after(refused.headers),
        )
    return errors.DownloadFailed(
        f"{where} failed on {what} (HTTP {status}); pull again later, what has come is kept.",
        retryable=status >= 500 or status == 408,
        retry_after=retry_after(refused.headers),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """The file that an answer is of: its size and marks, and where in it the answer begins."""

    start: int
    size: int | None
    validator: str
    sha256: str


def said_of(answer: Answer) -> Said:
    """Which file, and which part of it, an answer is."""
    headers = answer.headers
    start, size = 0, None
    if answer.status == 206:
        unit, _, rest = headers.get("content-range", "").partition(" ")
        span, _, total = rest.partition("/")
        if unit == "bytes" and span.partition("-")[0].isdecimal():
            start, size = int(span.partition("-")[0]), int(total) if total.isdecimal() else None
        else:
            start = -1
    elif headers.get("content-length", "").isdecimal() and not headers.get("content-encoding"):
        size = int(headers["content-length"])
    linked = answer.told.get("x-linked-etag", "").removeprefix("W/").strip('"')
    return Said(
        start,
        size,
        headers.get("etag") or headers.get("last-modified") or "",
        linked if len(linked) == 64 else "",  # else it is no hash of the content
    )
