"""Clients that bring much along, in an environment of their own, at both servers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from peers.process import environment_of
from support.environment import isolated_environment
from support.hosts import Host

from .conftest import ANSWER, MODELS, address, blocks

pytestmark = [pytest.mark.slow, pytest.mark.clients, pytest.mark.timeout(600)]
HEAVY = Path(__file__).with_name("heavy")
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would look for its prices elsewhere
    "LITELLM_TELEMETRY": "False",
    "NO_PROXY": "*",
}


def run(
    host: Host,
    folder: Path,
    script: str,
    python: list[str] | None = None,
    others: list[str] | None = None,
) -> tuple[str, Any]:
    """What the page's blocks print, and what the script tells."""
    asked = {
        "python": python or [],
        "others": others or [],
        "script": str(HEAVY / script),
        "address": address(host),
        "key": host.key,
    }
    done = subprocess.run(
        [str(environment_of("clients") / "bin" / "python"), "-W", "ignore", HEAVY / "runner.py"],
        input=json.dumps(asked),
        cwd=folder,
        env={**isolated_environment(folder), **QUIET},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert all("no-such-model" in error for error in found["told"]["errors"]), found
    return found["printed"], found["told"]


def test_litellm(host: Host, tmp_path: Path) -> None:
    printed, told = run(host, tmp_path, "litellm_.py", blocks("LiteLLM", "python", host))
    assert "12" in printed
    assert told["whole"] == told["streamed"] == told["anthropic"] == ANSWER
    assert told["counted"] == 3
    assert told["called"] == "look"
    assert told["thought"]
    assert {*MODELS, "jan-mini"} <= {*told.get("models", [*MODELS, "jan-mini"])}
    assert ("models" in told) == (host.prefix == "/v1")
    assert "token" in told["refused"] or "key" in told["refused"]
    assert "xsrf" not in told["refused"]
    assert len(told["errors"]) == 2


def test_langchain(host: Host, tmp_path: Path) -> None:
    printed, told = run(host, tmp_path, "langchain_.py", blocks("LangChain", "python", host))
    assert "12" in printed
    assert told["whole"] == told["streamed"] == told["responses"] == ANSWER
    assert told["counted"] == 3
    assert told["called"] == "look"
    assert told["shaped"]
    assert "image_url" in told["saw"]
    assert told["vectors"] == 2
    assert len(told["errors"]) == 2


def test_llamaindex(host: Host, tmp_path: Path) -> None:
    printed, told = run(host, tmp_path, "llamaindex_.py", blocks("LlamaIndex", "python", host))
    assert "12" in printed
    assert told["whole"] == told["streamed"] == ANSWER
    assert told["completed"].strip() == ANSWER.strip()
    assert told["called"] == "look"
    assert len(told["errors"]) == 2


def test_notebook_intelligence(host: Host, tmp_path: Path) -> None:
    config = blocks("Notebook Intelligence", "json", host)
    _, told = run(host, tmp_path, "notebook_intelligence_.py", others=config)
    assert "12" in told["real"]
    assert told["whole"] == told["streamed"] == ANSWER
    assert told["completed"].strip() == ANSWER.strip()
    assert len(told["errors"]) == 2


def test_jupyter_ai(host: Host, tmp_path: Path) -> None:
    cells = blocks("Jupyter AI", "", host)
    config = blocks("Jupyter AI", "python", host)
    _, told = run(host, tmp_path, "jupyter_ai_.py", others=[*cells, *config])
    assert "12" in told["real"]
    assert told["whole"] == ANSWER
    assert "12" in told["chat"]
    assert "api_key_name" in told["refused"]
    assert host.key not in told["refused"]
    assert len(told["errors"]) == 1
