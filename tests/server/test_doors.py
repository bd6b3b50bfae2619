"""Who may not come in, and what nobody may send: refused or ended in order, in both servers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jan_jupyter.api import ROUTES
from jan_jupyter.threads import ThreadMessage, ThreadStore
from support.hosts import HOSTS, Host, InJupyter
from support.server import StreamingServer

CHANGE = """
from jan_jupyter.server import handling
handling.UPLOAD = 0.5
"""
MEGABYTE = 2**20


def test_without_login_every_route_refuses(host: Host) -> None:
    paths = {(route.method, route.path.replace("...", "")) for route in ROUTES}
    for method, path in [*paths, ("GET", "/panel"), ("GET", "/no/where"), ("GET", "")]:
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"x-api-key": "wrong"}):
            answer = host.ask(method, path, headers=wrong)
            assert answer.status in (401, 403), (method, path, answer)
    assert host.ask("GET", "/models").status == 200


def test_a_key_may_stand_in_each_header(host: Host) -> None:
    """Jupyter itself looks into one; a proxy on the way may need that one for its own."""
    proxy = {"Authorization": "Basic YTpi"}
    for name in ("x-api-key", "api-key"):
        for other in ({}, proxy):
            assert host.ask("GET", "/models", headers={name: host.key, **other}).status == 200
            wrong = host.ask("POST", "/embeddings", {}, {name: "sk-wrong", **other})
            assert (wrong.status, wrong.json["error"]["code"]) == (401, "invalid_api_key")
    both = {**host.headers, "x-api-key": "sk-wrong"}
    assert host.ask("GET", "/models", headers=both).status == 200
    both = {"Authorization": "Bearer sk-wrong", "x-api-key": host.key}
    assert host.ask("GET", "/models", headers=both).status == 401


def test_only_by_its_own_name(host: Host) -> None:
    for name in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil", ""):
        answer = host.ask("GET", "/models", headers={**host.headers, "Host": name})
        assert answer.status in (400, 403), name
    for name in ("localhost", "localhost:1", "127.0.0.1"):
        answer = host.ask("GET", "/models", headers={**host.headers, "Host": name})
        assert answer.status == 200, name


def test_nothing_is_told_to_other_sites(host: Host, server: StreamingServer) -> None:
    origin = {"Origin": "http://evil.example"}
    for headers in (origin, host.headers):
        answer = host.ask("GET", "/models", headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    login = host.cookies() if isinstance(host, InJupyter) else host.headers
    question = host.chat("quick")
    answer = host.ask("POST", "/chat/completions", question, {**login, **origin})
    assert answer.status in (403, 404)
    assert server.journal() == []


def test_a_page_that_has_logged_in_shows_its_xsrf(host: Host, server: StreamingServer) -> None:
    if not isinstance(host, InJupyter):
        pytest.skip("keys are no cookies")
    login = host.cookies()
    server.behave("quick", "n=3")
    question = host.chat("quick")
    assert host.ask("POST", "/chat/completions", question, login).status == 403
    assert server.journal() == []
    cookies = dict(one.split("=", 1) for one in login["Cookie"].split("; "))
    login |= {"X-XSRFToken": cookies["_xsrf"], "Origin": f"http://127.0.0.1:{host.port}"}
    assert host.ask("POST", "/chat/completions", question, login).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_no_conversation_with_another_site(host: Host, origin: str) -> None:
    login = host.cookies() if isinstance(host, InJupyter) else host.headers
    if origin.startswith("http://127") and not isinstance(host, InJupyter):
        pytest.skip("a page of this machine that knows the key")

    async def go() -> None:
        url = f"ws://127.0.0.1:{host.port}{host.prefix}/panel"
        request = HTTPRequest(url, headers={**login, "Origin": origin})
        with pytest.raises(HTTPClientError) as refused:
            await websocket_connect(request)
        assert refused.value.code == 403

    asyncio.run(go())


@pytest.mark.parametrize(
    "path",
    [
        "/models/../../../../etc/passwd",
        "/models/..%2f..%2f..%2fetc%2fpasswd",
        "/models/%2e%2e/%2e%2e/secret",
        "/models/%00",
        "/models/quick%00.json",
        "/models/%ff%fe",
        "/models/%0d%0aX-Evil:%201",
        "/models//quick",
        "/models/C:%5Cwindows",
        "/models/" + "a" * 5000,
        "/%6dodels",
        "/../v1/models",
        "//models",
    ],
)
def test_no_path_leads_elsewhere(host: Host, path: str) -> None:
    answer = host.ask("GET", path)
    assert 400 <= answer.status < 500 or answer.json["object"] == "list", answer
    assert b"Traceback" not in answer.body
    assert "X-Evil" not in answer.headers
    assert host.ask("GET", "/models/quick").status == 200


TRICKS = (
    *(".", "..", "%2e%2e", "...", "~", "*", "-", "%20", "%00", "talk%00", "%0d%0aX-Evil:%201"),
    *("..%2fsecret", "..%2f..%2fsecret", "%2e%2e%2f%2e%2e%2fsecret", "..%5c..%5csecret"),
    *("..%252f..%252fsecret", "%2Fetc%2Fpasswd", "file:%2F%2F%2Fetc%2Fpasswd", "C:%5Cwindows"),
    *("talk%2f..%2f..%2f..%2fsecret", "a" * 5000, "%F0%9F%98%80", "%ed%a0%80", "%ff%fe", "%c0%ae"),
    *("talk%2fmessages.jsonl", "CON", "%3Cscript%3E", "resp_a_..%2f..%2fsecret", "%E2%80%AE"),
)
"""What somebody may write in the place of an id, to get at something else."""
BODIES = {
    "Edit": {"name": "x"},
    "ThreadBody": {"title": "x"},
    "Said": {"role": "user", "content": "x"},
    "MessageEdit": {"content": "x"},
    "AssistantEdit": {"name": "x"},
    "GivenKey": {"key": "sk-of-somebody-else"},
}


@pytest.fixture
def kept(host: Host) -> Iterator[Path]:
    """A folder that is none of ours beside the data folder; at the end both are what they were."""
    secret = host.folder / "secret"
    secret.mkdir(exist_ok=True)
    for name in ("thread.json", "messages.jsonl", "model.json", "assistant.json", "run.json"):
        (secret / name).write_text('{"id": "secret", "title": "secret"}\n', "utf-8")
    threads = ThreadStore(host.data_folder)
    thread = threads.find("talk") or threads.create("talk")
    thread.append(ThreadMessage("user", "hi"))
    if not host.data_folder.joinpath("assistants").exists():
        threads.assistants.create("Poet")
    before = {**_files(secret), **_files(host.data_folder)}
    yield secret
    assert {**_files(secret), **_files(host.data_folder)} == before


def _files(folder: Path) -> dict[Path, bytes]:
    """What stands there; but for what a server of its own counts, and what it fetched."""
    ours = folder / "serve"
    found = (path for path in folder.rglob("*") if path.is_file() and ours not in path.parents)
    return {path: path.read_bytes() for path in found}


def test_no_id_leads_elsewhere(host: Host, kept: Path) -> None:
    for route in ROUTES:
        parts = re.findall(r"\{[^}]*\}", route.path)
        body = BODIES[route.kind.__name__] if parts and route.kind else None
        for trick in TRICKS if parts else ():
            path = re.sub(r"\{[^}]*\}", trick, route.path)
            answer = host.ask(route.method, path, body)
            assert 400 <= answer.status < 500, (route.method, path, answer)
            assert b"Traceback" not in answer.body
            assert b'"title": "secret"' not in answer.body
            assert "X-Evil" not in answer.headers
    assert host.ask("GET", "/threads").status == 200


def test_nobody_changes_anything_from_elsewhere_or_without_login(host: Host, kept: Path) -> None:
    ids = {"thread": ThreadStore(host.data_folder).get("talk").id, "model...": "quick"}
    evil = {"Origin": "http://evil.example", "Referer": "http://evil.example/"}
    logins = [{}, {"Authorization": "Bearer "}, {"Cookie": "a=b"}]
    if isinstance(host, InJupyter):
        cookies = host.cookies()
        logins += [cookies, cookies | evil, cookies | {"X-XSRFToken": "2|guess"}]
    else:  # who gives Jupyter's token in a header is no page that a browser was lured to
        logins += [host.headers | evil]
    for route in ROUTES:
        path = re.sub(r"\{([^}]*)\}", lambda name: ids.get(name[1], "none"), route.path)
        body = BODIES.get(route.kind.__name__, {}) if route.kind else None
        for login in logins if route.method != "GET" else ():
            answer = host.ask(route.method, path, body, login)
            assert answer.status in (401, 403, 404), (route.method, path, login, answer)
    assert host.ask("GET", "/models/quick").status == 200


def test_what_is_cut_on_its_way_changes_nothing(host: Host, kept: Path) -> None:
    login = f"Host: localhost\nAuthorization: Bearer {host.key}\n"
    title = json.dumps({"title": "cut"}).encode()
    for path in ("/threads", "/models", "/assistants", "/models/pull"):
        head = f"POST {host.prefix}{path} HTTP/1.1\n{login}"
        with host.raw(f"{head}Content-Length: {len(title) + 1}\n\n", title):
            pass
        with host.raw(f"{head}Transfer-Encoding: chunked\n\n", b"%x\r\n" % len(title) + title):
            pass
        with host.raw(f"{head}Content-Length: {len(title) + 1}\n\n", title) as slow:
            assert slow.recv(12) in (b"HTTP/1.1 408", b"")
        with host.raw(f"{head}Content-Length: 5\nContent-Length: 50\n\n", title) as smuggled:
            assert smuggled.recv(12) in (b"HTTP/1.1 413", b"HTTP/1.1 400", b"")
        with host.raw(f"{head}Content-Length: 5\nTransfer-Encoding: chunked\n\n", title) as both:
            assert both.recv(12) in (b"HTTP/1.1 400", b"")
    assert host.ask("GET", "/models").status == 200


def test_ten_megabytes_are_read_from_those_who_may(host: Host) -> None:
    head = f"POST {host.prefix}/chat/completions HTTP/1.1\nHost: localhost\n"
    length = f"Content-Length: {10 * MEGABYTE}\n"
    with host.raw(f"{head}{length}\n") as stranger:  # answered before a byte of it is sent
        assert stranger.recv(12) in (b"HTTP/1.1 401", b"HTTP/1.1 403")
    answer = host.ask("POST", "/chat/completions", b"x" * 10 * MEGABYTE)
    assert answer.status == 400
    assert "not JSON" in answer.json["error"]["message"]
    login = f"Authorization: Bearer {host.key}\n"
    for length in ("1000000000", "99999999999999999999", "-5", "ten"):
        with host.raw(f"{head}{login}Content-Length: {length}\n\n") as other:
            assert other.recv(12) in (b"HTTP/1.1 413", b"HTTP/1.1 400"), length
    with host.raw(f"{head}{login}Transfer-Encoding: chunked\n\n") as other:
        assert _flood(other) in (b"HTTP/1.1 413", b"HTTP/1.1 400", b"")
    assert host.ask("GET", "/models").status == 200


def test_a_refusal_is_heard_by_whoever_sends_a_body(host: Host, server: StreamingServer) -> None:
    """A connection that closed on what was sent would be all that a client hears of."""
    body = json.dumps(host.chat("quick")).encode()
    head = f"POST {host.prefix}/chat/completions HTTP/1.1\nHost: localhost\n"
    head += f"Authorization: Bearer sk-wrong\nContent-Length: {len(body)}\n\n"
    with host.raw(head, body) as stranger:
        for _ in range(2):
            answer = HTTPResponse(stranger)
            answer.begin()
            assert answer.status == 401
            assert json.loads(answer.read())["error"]["code"] == "invalid_api_key"
            stranger.sendall(head.replace("\n", "\r\n").encode() + body)
    assert server.journal() == []


def _flood(connection: object) -> bytes:
    """Send more than is taken; what is answered to that."""
    import socket

    assert isinstance(connection, socket.socket)
    piece = b"%x\r\n" % MEGABYTE + b"x" * MEGABYTE + b"\r\n"
    try:
        for _ in range(40):
            connection.sendall(piece)
        return connection.recv(12)
    except ConnectionError:
        return b""


def test_an_upload_that_is_cut_or_slow_is_ended(host: Host, server: StreamingServer) -> None:
    body = json.dumps(host.chat("quick")).encode()
    head = (
        f"POST {host.prefix}/chat/completions HTTP/1.1\nHost: localhost\n"
        f"Authorization: Bearer {host.key}\nContent-Length: {len(body)}\n\n"
    )
    with host.raw(head, body[:20]):
        pass  # cut
    with host.raw(head, body[:20]) as slow:  # nothing more comes
        assert slow.recv(12) in (b"HTTP/1.1 408", b"")
        while slow.recv(1000):
            pass  # until it is closed
    assert server.journal() == []
    assert host.ask("GET", "/models").status == 200


def test_headers_that_never_end_are_ended(tmp_path: Path) -> None:
    change = "from jan_jupyter.server import alone; alone.IDLE = 0.3"
    with HOSTS["alone"](tmp_path, change=change) as host:
        with host.raw("GET /v1/models HTTP/1.1\nHost: localhost\nX-") as slow:
            assert slow.recv(100) == b""
        assert host.ask("GET", "/models").status == 200


@pytest.fixture(scope="module", autouse=True)
def _quiet(host: Host) -> Iterator[None]:
    """Nothing of all this is a fault of ours, and no key stands in a log."""
    yield
    log = "\n".join(host.log)
    assert "Traceback" not in log
    assert host.key not in log
    assert "Why?" not in log
