"""Requests made from our own description, by a program that looks for what it does not say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from peers.process import environment_of
from support.hosts import HOSTS, Host
from support.jan import add_remote
from support.marks import LONG
from support.server import StreamingServer

from .conftest import MODELS

CHECKS = (
    "nothing_of_ours_fails",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
ENDLESS = {"slow"}


@pytest.mark.slow
@pytest.mark.schemathesis
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "phases", "examples", "least"),
    [
        ("alone", "fuzzing", 20, 500),
        ("jupyter", "fuzzing", 5, 100),
        pytest.param("alone", "coverage,fuzzing", 230, 10_000, marks=LONG),
        pytest.param("jupyter", "coverage,fuzzing", 20, 2000, marks=LONG),
    ],
)
def test_nothing_but_what_is_described_comes_back(
    kind: str, phases: str, examples: int, least: int, server: StreamingServer, tmp_path: Path
) -> None:
    """Of each operation so many examples, or fewer; together so many requests at least. The server
    that stands for the engines answers whatever it is asked."""
    mirror = {"HF_ENDPOINT": server.base_url}  # nothing is fetched from anywhere
    host = HOSTS[kind]
    with host(tmp_path, env=mirror) as here:
        add_remote(here.data_folder, server, **MODELS)
        names = {"model": [*MODELS.keys() - ENDLESS], **_made(here)}
        said = _fuzz(here, names, phases, examples, tmp_path)
        assert here.ask("GET", "/models").status == 200  # it has survived
        assert not [line for line in here.log if "Traceback" in line]
    if kind == "alone":  # its log tells: else it would look at nothing but the first check
        assert len([line for line in here.log if re.search(r" 20[01] ", line)]) > len(here.log) / 6
    cases = re.search(r"(\d+) generated", said)
    assert cases is not None, said[-3000:]
    assert int(cases[1]) >= least


def _made(host: Host) -> dict[str, list[str]]:
    """The names of what there is to look at and to change."""
    first = {"role": "user", "content": "a"}
    thread = host.ask("POST", "/threads", {"title": "t", "messages": [first]}).json["id"]
    messages = host.ask("GET", f"/threads/{thread}/messages").json["data"]
    response = host.ask("POST", "/responses", {"model": "short", "input": "a"}).json["id"]
    assistant = host.ask("POST", "/assistants", {"name": "a"}).json["id"]
    return {
        "engine": ["openai", "nitro"],
        "thread": [thread],
        "message": [messages[0]["id"]],
        "response": [response],
        "assistant": [assistant],
    }


def _fuzz(host: Host, names: dict[str, list[str]], phases: str, examples: int, folder: Path) -> str:
    """Ask, and tell what came of it; fails with the words of what is wrong."""
    address = f"http://127.0.0.1:{host.port}{host.prefix}"
    command = [
        str(environment_of("schemathesis") / "bin" / "st"),
        *("run", f"{address}/openapi.json", "--url", address),
        *("-H", f"Authorization: Bearer {host.key}"),
        *("--checks", ",".join(CHECKS), "--phases", phases, "--no-color"),
        *("--max-examples", str(examples), "--seed", "1", "--request-timeout", "60"),
        *("--exclude-path", "/events"),  # it has no end
    ]
    variables = {
        "NO_PROXY": "*",
        "SCHEMATHESIS_HOOKS": "fuzz_checks",
        "PYTHONPATH": str(Path(__file__).parent),
        "FUZZ_NAMES": json.dumps({word: sorted(known) for word, known in names.items()}),
    }
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    return done.stdout
