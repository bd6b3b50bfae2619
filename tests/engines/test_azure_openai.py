"""Engine `azure-openai`: addresses, keys and tokens, and what its content filter says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

import jan_jupyter as jan
from jan_jupyter import errors
from jan_jupyter.engine_options.azure import chat_address, missing
from jan_jupyter.engines.azure_openai import AzureParser
from jan_jupyter.engines.http.failures import Party, error_of
from jan_jupyter.models.store import ModelStore
from jan_jupyter.types import Delta
from jan_jupyter.wire.sse import ServerEvent
from support.jan import write_json
from support.server import StreamingServer, tokens

from .asking import KEY, ask, engine, model, text

RESOURCE = "https://r.openai.azure.com"


@pytest.fixture(autouse=True)
def _no_providers() -> Iterator[None]:
    yield
    jan.set_token_provider("azure-openai", None)
    jan.set_token_provider("Azure", None)


@pytest.mark.parametrize(
    ("base", "version", "path"),
    [
        (RESOURCE, "", "/openai/v1/chat/completions"),
        (f"{RESOURCE}/", "", "/openai/v1/chat/completions"),
        (f"{RESOURCE}/openai/v1", "", "/openai/v1/chat/completions"),
        (RESOURCE, "1", "/openai/deployments/d/chat/completions?api-version=1"),
        (f"{RESOURCE}/openai", "1", "/openai/deployments/d/chat/completions?api-version=1"),
        (
            f"{RESOURCE}/openai/deployments/e?api-version=2",
            "",
            "/openai/deployments/e/chat/completions?api-version=2",
        ),
    ],
)
def test_addresses(base: str, version: str, path: str) -> None:
    url = chat_address(base, "d", version)
    assert url == RESOURCE + path
    assert missing(url) == ""


def test_what_an_address_lacks_is_named() -> None:
    assert "api_version" in missing(f"{RESOURCE}/openai/deployments/d/chat/completions")
    assert "deployment" in missing(f"{RESOURCE}/openai/deployments//chat/completions?api-version=1")


@pytest.mark.parametrize("settings", [{}, {"api_version": "2024-10-21"}])
def test_an_answer(server: StreamingServer, settings: dict[str, str]) -> None:
    deltas = ask(engine("azure-openai", server.url, settings=settings), model("d:n=3"))
    assert text(deltas) == "".join(tokens(3))
    (entry,) = server.journal()
    assert entry.headers["api-key"] == KEY
    assert "authorization" not in entry.headers
    assert ("api-version=2024-10-21" in entry.path) == bool(settings)


def test_the_list_of_models_and_the_engine_say_the_same(tmp_path: Path) -> None:
    broken = {"base_url": f"{RESOURCE}/openai/deployments/d", "api_key": "k"}
    write_json(tmp_path / "engines/azure-openai/engine.json", broken)
    write_json(tmp_path / "models/m/model.json", {"id": "m", "engine": "azure-openai"})
    (listed,) = ModelStore(tmp_path).list()
    assert listed.state == "broken"
    with pytest.raises(errors.EngineUnavailable) as caught:
        engine("azure-openai", broken["base_url"]).endpoint(model("m"))
    assert listed.reason in str(caught.value)
    settings = {"api_version": "2024-10-21"}
    write_json(tmp_path / "engines/azure-openai/engine.json", {**broken, "settings": settings})
    assert ModelStore(tmp_path).list()[0].state == "ready"


def test_tokens_come_from_a_function_and_are_renewed_once(server: StreamingServer) -> None:
    given: list[str] = []

    async def renewing() -> str:
        given.append(f"token-{len(given)}")
        return given[-1]

    jan.set_token_provider("Azure", renewing)
    server.behave("d", "n=3,status=401,times=1")
    asked = engine("azure-openai", server.url, api_key="")
    assert not asked.options.needs_key()
    assert text(ask(asked, model("d"))) == "".join(tokens(3))
    sent = [entry.headers["authorization"] for entry in server.journal()]
    assert sent == ["Bearer token-0", "Bearer token-1"]
    assert all("api-key" not in entry.headers for entry in server.journal())


class Identity(BaseHTTPRequestHandler):
    """The address inside a machine of Azure that gives it tokens: here another one each time."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        token = f"entra-{len(self.asked)}"
        answer = {"access_token": token, "expires_on": "4102444800", "token_type": "Bearer"}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *what: Any) -> None:
        pass


def test_entra_signs_in_by_azure_identity(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), Identity) as machine:
        Thread(target=machine.serve_forever, daemon=True).start()
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{machine.server_port}/msi")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        server.behave("d", "n=3,status=401,times=1")
        asked = engine("azure-openai", server.url, api_key="", settings={"auth": "entra"})
        assert text(ask(asked, model("d"))) == "".join(tokens(3))
        machine.shutdown()
    sent = [entry.headers["authorization"] for entry in server.journal()]
    assert sent == ["Bearer entra-1", "Bearer entra-2"]
    assert all("cognitiveservices.azure.com" in path for path in Identity.asked)


def test_a_token_that_is_refused_twice_is_an_error(server: StreamingServer) -> None:
    jan.set_token_provider("azure-openai", lambda: "same")
    with pytest.raises(errors.AuthenticationFailed):
        ask(engine("azure-openai", server.url), model("d:status=401"))
    assert len(server.journal()) == 1


def test_no_token_is_one_line(server: StreamingServer) -> None:
    def failing() -> str:
        raise RuntimeError("nobody is signed in\nand much more")

    jan.set_token_provider("azure-openai", failing)
    with pytest.raises(errors.AuthenticationFailed, match=r"mine.*nobody is signed in\.") as caught:
        ask(engine("azure-openai", server.url), model("d"))
    assert "more" not in str(caught.value)
    assert server.journal() == []


def test_a_filtered_prompt_names_the_category() -> None:
    found = {
        "hate": {"filtered": False, "severity": "safe"},
        "violence": {"filtered": True, "severity": "high"},
        "jailbreak": {"filtered": True, "detected": True},
    }
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
    said = {"message": "The response was filtered.", "code": "content_filter", "innererror": inner}
    error = error_of(400, {}, json.dumps({"error": said}).encode(), Party("m", "azure-openai"))
    assert isinstance(error, errors.ContentFiltered)
    assert "violence (high), jailbreak" in str(error)
    assert "hate" not in str(error)


def test_frames_of_the_filter() -> None:
    def parse(chunk: Any) -> Any:
        return AzureParser().parse(ServerEvent(json.dumps(chunk)))

    assert parse({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}) is None
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    piece = {"delta": {"content": "Hi"}, "content_filter_results": safe, "finish_reason": None}
    assert parse({"choices": [piece]}).text == "Hi"
    why = {"self_harm": {"filtered": True, "severity": "medium"}}
    ended = {"delta": {}, "content_filter_results": why, "finish_reason": "content_filter"}
    delta = parse({"choices": [ended]})
    assert isinstance(delta, Delta)
    assert (delta.finish, delta.notes) == ("content_filter", ["filtered: self harm (medium)"])


def test_an_unknown_deployment_is_mended_in_azures_words(server: StreamingServer) -> None:
    with pytest.raises(errors.NotFoundRemotely, match="deployment"):
        ask(engine("azure-openai", server.url), model("d:error=model_not_found"))
