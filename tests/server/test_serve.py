"""`jan-jupyter serve`: keys and their limits, the models it offers, https, metrics, its end."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from support.hosts import Alone, Answer
from support.jan import add_remote
from support.server import StreamingServer, tokens

ADA, BEN = "sk-ada-canary-000001", "sk-ben-canary-000002"


def _keys(folder: Path, text: str) -> Path:
    path = folder / "keys"
    path.touch(0o600)
    path.write_text(text)
    return path


def test_the_page_names_every_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "server.md").read_text("utf-8")
    command = ["-c", "from jan_jupyter.cli import main; main(['serve', '--help'])"]
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    options = {*re.findall(r"--[a-z][a-z-]+", found.stdout)} - {"--help"}
    assert len(options) == 8
    assert not [option for option in options if f"`{option}" not in page]


def _chat(host: Alone, key: str, model: str = "quick") -> Answer:
    headers = {"Authorization": f"Bearer {key}"}
    return host.ask("POST", "/chat/completions", host.chat(model), headers)


@pytest.fixture
def folder(tmp_path: Path, server: StreamingServer) -> Path:
    add_remote(tmp_path / "jan", server, quick="n=3,usage=always", other="n=3")
    return tmp_path


def test_a_key_is_made_kept_and_shown_once(folder: Path) -> None:
    with Alone(folder, key="") as host:
        host.key = host.wait_for(re.compile(r"shown only now: (\S+)").search)[1]
        kept = host.data_folder / "serve" / "key"
        assert kept.read_text().strip() == host.key
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert host.ask("GET", "/models").status == 200
    with Alone(folder, key="") as again:
        again.key = host.key
        assert again.ask("GET", "/models").status == 200
        assert again.end() == 0
    assert host.key not in "\n".join(again.log)


def test_it_answers_below_both_addresses_and_each_header(folder: Path) -> None:
    with Alone(folder) as host:
        for host.prefix in ("/v1", "/jan/v1"):
            for headers in ({"x-api-key": host.key}, {"api-key": host.key}, host.headers):
                assert host.ask("GET", "/models", headers=headers).status == 200
            assert host.ask("GET", f"/models?token={host.key}", headers={}).status == 401


def test_each_key_has_its_share_of_a_day(folder: Path) -> None:
    keys = _keys(folder, f"# a class\nada {ADA} requests=2\nben {BEN} tokens=2  # few\n")
    options = ("--key-file", str(keys))
    with Alone(folder, *options) as host:
        assert [_chat(host, ADA).status for _ in range(3)] == [200, 200, 429]
        refused = _chat(host, ADA)
        assert refused.json["error"]["code"] == "rate_limit_exceeded"
        assert 0 < int(refused.headers["Retry-After"]) <= 86_401
        assert [_chat(host, BEN).status for _ in range(2)] == [200, 429]
        assert host.end() == 0
    with Alone(folder, *options) as host:  # a new start forgets nothing
        assert [_chat(host, key).status for key in (ADA, BEN)] == [429, 429]
        keys.write_text(f"ada {ADA}\n")
        assert [_chat(host, key).status for key in (ADA, BEN)] == [200, 401]
    assert not [line for line in host.log if "canary" in line or "Why" in line]


def test_who_leaves_early_has_used_what_came(folder: Path, server: StreamingServer) -> None:
    add_remote(folder / "jan", server, endless="n=100000,delay=0.001")
    keys = _keys(folder, f"ada {ADA} tokens=3\n")
    with Alone(folder, "--key-file", str(keys), key=ADA) as host:
        body = host.chat("endless", stream=True)
        with host.asking("POST", "/chat/completions", body) as response:
            for _ in range(40):
                response.readline()
        assert host.wait_for(re.compile("POST /chat/completions left").search)
        assert _chat(host, ADA).status == 429


def test_a_key_with_a_name_asks_models_and_no_more(folder: Path) -> None:
    keys = _keys(folder, f"ada {ADA}\nben {BEN} owner\n")
    with Alone(folder, "--key-file", str(keys), "--metrics") as host:
        for path in ("/models", "/models/quick"):
            assert host.ask("GET", path, headers={"x-api-key": ADA}).status == 200
        assert _chat(host, ADA).status == 200
        for method, path in (
            ("GET", "/threads"),
            ("DELETE", "/models/quick"),
            ("POST", "/models/quick/unload"),
            ("POST", "/responses"),
            ("GET", "/events"),
            ("GET", "/panel"),
        ):
            assert host.ask(method, path, headers={"x-api-key": ADA}).status == 403, path
        assert host.ask("GET", "/threads", headers={"x-api-key": BEN}).status == 200
        host.prefix = ""
        assert host.ask("GET", "/metrics", headers={"x-api-key": ADA}).status == 404
        assert host.ask("GET", "/metrics", headers={"x-api-key": BEN}).status == 200


def test_who_is_refused_reads_it_in_any_dialect(folder: Path) -> None:
    with Alone(folder) as host:
        for path in ("/chat/completions", "/messages"):
            answer = host.ask("POST", path, host.chat("quick"), {"x-api-key": ADA})
            assert answer.status == 401
            said = answer.json["error"]
            assert answer.json["type"] == "error"
            assert (said["type"], said["code"]) == ("authentication_error", "invalid_api_key")


def test_only_the_models_that_are_named(folder: Path) -> None:
    with Alone(folder, "--models", "quick") as host:
        assert [model["id"] for model in host.ask("GET", "/models").json["data"]] == ["quick"]
        assert _chat(host, host.key).status == 200
        assert _chat(host, host.key, "other").status == 404
        assert host.ask("GET", "/models/other").status == 404


def test_metrics_tell_numbers_and_no_words(folder: Path) -> None:
    with Alone(folder, "--metrics") as host:
        assert _chat(host, host.key).status == 200
        assert _chat(host, host.key, "none-of-that-name").status == 404
        host.prefix = ""
        text = host.ask("GET", "/metrics").body.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    route = 'method="POST",route="/chat/completions"'
    assert lines[f'jan_requests_total{{{route},status="200"}}'] == "1"
    assert lines[f'jan_requests_total{{{route},status="404"}}'] == "1"
    assert lines['jan_tokens_total{kind="completion"}'] == "3"
    assert lines["jan_first_token_seconds_count"] == "1"
    assert lines['jan_first_token_seconds_bucket{le="+Inf"}'] == "1"
    assert lines["jan_requests_under_way"] == "0"
    assert "none-of-that-name" not in text
    with Alone(folder) as host:
        host.prefix = ""
        assert host.ask("GET", "/metrics").status == 404


def test_told_to_end_it_ends_what_is_under_way(folder: Path, server: StreamingServer) -> None:
    add_remote(folder / "jan", server, long="n=50,delay=0.02")
    with Alone(folder) as host, ThreadPoolExecutor() as threads:
        body = host.chat("long", stream=True)
        asked = threads.submit(host.ask, "POST", "/chat/completions", body)
        server.wait("first")
        assert host.end() == 0
        events = asked.result().body.decode().strip().split("\n\n")
    assert events.pop() == "data: [DONE]"
    deltas = [json.loads(event[6:])["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("content") or "" for delta in deltas) == "".join(tokens(50))


def test_told_twice_it_ends_at_once(folder: Path, server: StreamingServer) -> None:
    add_remote(folder / "jan", server, endless="n=100000,delay=0.01")
    with Alone(folder) as host:
        body = host.chat("endless", stream=True)
        with host.asking("POST", "/chat/completions", body) as response:
            response.readline()
            host.process.terminate()
            host.wait_for(re.compile("^Ending").search)
            assert host.end() == 0
    server.wait("closed")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "name with --hosts"),
        (("--port", "70000"), "--port"),
        (("--key-file", "missing"), "missing cannot be read"),
        (("--tls-cert", "missing"), "TLS files"),
        (("--host", "no.such.host.invalid", "--hosts", "a"), "Cannot listen"),
        (("--key", "sk-on-the-command-line"), "unrecognized arguments"),
    ],
)
def test_options_that_cannot_hold_are_one_line(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RuntimeError) as refused, Alone(tmp_path, *options):
        pass
    assert said in str(refused.value)
    assert "Traceback" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("ada sk-0123456789abcdef\n", 0o644, "others can read it"),
        ("short\n", 0o600, "at least 16 letters"),
        ("ada sk-0123456789abcdef words=3\n", 0o600, "Line 1 of"),
        ("a sk-0123456789abcdef\na sk-0123456789abcdeF\n", 0o600, "earlier one"),
        ("# nothing\n", 0o600, "no key in"),
    ],
)
def test_keys_that_cannot_be_trusted_are_not(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    keys = _keys(tmp_path, text)
    keys.chmod(mode)
    with pytest.raises(RuntimeError) as refused, Alone(tmp_path, "--key-file", str(keys)):
        pass
    assert said in str(refused.value)
    assert "0123456789" not in str(refused.value)


def test_named_hosts_are_known_and_others_are_not(folder: Path) -> None:
    with Alone(folder, "--host", "0.0.0.0", "--hosts", "lab.example, 10.0.0.7") as host:
        assert host.wait_for(re.compile("can be read on their way").search)
        for name in ("lab.example", "LAB.example:1338", "10.0.0.7:80", "localhost"):
            answer = host.ask("GET", "/models", headers={**host.headers, "Host": name})
            assert answer.status == 200, name
        for name in ("0.0.0.0", "evil.example", "10.0.0.8"):
            answer = host.ask("GET", "/models", headers={**host.headers, "Host": name})
            assert answer.status == 403, name


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key]
    command += ["-out", cert, "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def test_https(folder: Path, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    with Alone(folder, "--tls-cert", cert, "--tls-key", key) as host:
        context = ssl.create_default_context(cafile=cert)
        connection = http.client.HTTPSConnection(
            "localhost", host.port, timeout=30, context=context
        )
        with closing(connection):
            connection.request("GET", "/v1/models", headers=host.headers)
            response = connection.getresponse()
            assert response.status == 200
            response.read()
