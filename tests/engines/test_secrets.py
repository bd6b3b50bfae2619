"""Keys and passwords show in no error, log or `repr`, whatever a server makes of them."""

from __future__ import annotations

import asyncio
import base64
import copy
import logging
import socketserver
import traceback
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from jan_jupyter import errors
from jan_jupyter.engine_options.options import Door, EngineOptions
from jan_jupyter.engines.http.endpoint import Remote
from jan_jupyter.engines.registry import engine_class
from jan_jupyter.redaction import Address, Secret, secrets_in, without_secrets
from jan_jupyter.types import ChatRequest, Message

from .asking import model

KEY = "sk-canary-key-19"
PASSWORD = "canary-password-20"
QUERY = "canary-query-21"
CANARIES = (KEY, PASSWORD, QUERY)

JSON = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
EVENTS = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
PAGE = "HTTP/1.1 200 {all}\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>"
ANSWERS = {
    "status-line": "HTTP/1.1 {all} what\r\n\r\n",
    "long-status-line": "HTTP/1.1 " + 70 * "x" + "{all}\r\n\r\n",
    "event": EVENTS + "data: {{{all}\n\n",
    "late-event": EVENTS + "data: " + 110 * "x" + "{all}\n\n",
    "number": EVENTS + 'data: {{"choices": [{{"index": "{all}"}}]}}\n\n',
    "code": JSON.format(status=400) + '{{"error": {{"code": "{all}", "message": "{all}"}}}}',
    "cut": JSON.format(status=401) + '{{"error": "' + 288 * "x" + '{all}"}}',
    "half": JSON.format(status=401) + '{{"error": "sk-canary***********y-19"}}',
    "moved": "HTTP/1.1 307 X\r\nLocation: http://h/?api_key={all}\r\nContent-Length: 0\r\n\r\n",
    "page": PAGE,
    "strange": JSON.format(status=200) + '{{"data": "{all}"}}',
    "no-json": JSON.format(status=200) + 70 * "x" + "{all}",
}


class Echo(socketserver.StreamRequestHandler):
    """Answers what the path names, and repeats all that should stay a secret."""

    def handle(self) -> None:
        head = []
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            head.append(line.decode())
        name = next(name for name in ANSWERS if f"/{name}" in head[0])
        whole = f"{KEY} {PASSWORD} {QUERY}"
        self.wfile.write(ANSWERS[name].format(all=whole).encode())


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("0.0.0.0", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def engine(address: str) -> Remote:
    door = Door(model("m").path, True, Address(address), Secret(KEY))
    options = EngineOptions("openai", "openai", full_url=Address(address), doors=(door,))
    made = engine_class("openai")(options)
    assert isinstance(made, Remote)
    return made


def shown(error: BaseException | None) -> str:
    """All that a debugger shows of an error: its chain, its fields, the variables of its frames."""
    found: list[str] = []
    while error is not None:
        found += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        found += [repr(vars(error)), repr(error.args)]
        error = error.__cause__ or error.__context__
    return "\n".join(found)


def test_a_ranking_that_is_none_is_hidden_too(echo: int) -> None:
    asked = engine(f"http://me:{PASSWORD}@127.0.0.1:{echo}/strange/chat?api_key={QUERY}")

    async def ask() -> None:
        try:
            await asked.rerank(model("m"), "hi", ["hi"], {})
        finally:
            await asked.close()

    with pytest.raises(errors.Malformed) as caught:
        asyncio.run(ask())
    assert not [canary for canary in (*CANARIES, KEY[:9]) if canary in shown(caught.value)]


@pytest.mark.parametrize(
    ("name", "host"),
    # The second host is reached by httpx2's own pool.
    [(name, "127.0.0.1") for name in ANSWERS]
    + [(name, "127.0.0.2") for name in ("status-line", "moved", "event")],
)
def test_what_a_server_repeats_is_hidden(
    echo: int, name: str, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asked = engine(f"http://me:{PASSWORD}@{host}:{echo}/{name}/chat/completions?api_key={QUERY}")

    async def ask() -> None:
        try:
            if name in ("strange", "no-json"):
                await asked.embed(model("m"), ["hi"], {})
            async for _ in asked.chat(model("m"), ChatRequest([Message("user", "hi")])):
                pass
        finally:
            await asked.close()

    with pytest.raises(errors.EngineError) as caught:
        asyncio.run(ask())
    everything = shown(caught.value) + caplog.text
    everything += repr((asked.options, asked.endpoint(model("m")), caught.value.code))
    for canary in (*CANARIES, KEY[:9]):
        at = everything.find(canary)
        assert at < 0, everything[max(0, at - 500) : at + 50]
    assert len(str(caught.value).splitlines()) == 1


def test_an_unreachable_address_is_told_without_its_secrets() -> None:
    asked = engine(f"http://me:{PASSWORD}@127.0.0.1:9/v1?api_key={QUERY}")

    async def ask() -> None:
        with pytest.raises(errors.ConnectionFailed, match=r"at http://127\.0\.0\.1:9 ") as caught:
            async for _ in asked.chat(model("m"), ChatRequest([Message("user", "hi")])):
                pass
        assert not [canary for canary in CANARIES if canary in shown(caught.value)]
        await asked.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("address", "clean", "secrets"),
    [
        ("https://h/v1?a=1&b", "https://h/v1?a=1&b", []),
        ("https://me:p%40w@h/v1", "https://h/v1", ["p%40w", "p@w"]),
        ("https://token@h", "https://h", ["token"]),
        ("https://me:p@w@h", "https://h", ["p@w"]),
        ("me:pw@h:8001", "h:8001", ["pw"]),
        ("https://h?api-key=k1&x=2&sig=k2", "https://h?api-key=…&x=2&sig=…", ["k1", "k2"]),
        ("https://h/a@b", "https://h/a@b", []),
    ],
)
def test_addresses_without_secrets(address: str, clean: str, secrets: list[str]) -> None:
    assert without_secrets(address) == clean
    basic = [s for s in secrets_in(address) if not _is_basic(s)]
    assert basic == secrets
    assert repr(Address(address)) == repr(clean)


def _is_basic(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False


def test_a_secret_stays_one_in_a_copy() -> None:
    given: dict[str, Any] = {"a": Secret("canary")}
    assert copy.deepcopy(given)["a"] == "canary"
    assert "canary" not in repr(copy.deepcopy(given))
