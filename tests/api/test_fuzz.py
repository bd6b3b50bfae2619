"""Requests made from our own description, by a program that looks for what it does not say."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from peers.process import environment_of

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
EXAMPLES = 400
"""Of each operation; some have fewer."""


@pytest.mark.slow
@pytest.mark.schemathesis
@pytest.mark.timeout(3600)
def test_nothing_but_what_is_described_comes_back(address: str, tmp_path: Path) -> None:
    """The server that stands for the engines answers whatever it is asked: no 5xx is its own."""
    command = [
        str(environment_of("schemathesis") / "bin" / "st"),
        *("run", f"{address}/openapi.json", "--url", address),
        *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--no-color"),
        *("--max-examples", str(EXAMPLES), "--seed", "1", "--request-timeout", "60"),
        *("--exclude-path", "/events"),  # it has no end
        # They fail as others' servers do, which are not there.
        *("--exclude-path", "/audio/speech", "--exclude-path", "/models/pull"),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_PROXY": "*"}
    )
    assert done.returncode == 0, done.stdout[-5000:]
    cases = re.search(r"(\d+) generated", done.stdout)
    assert cases is not None
    assert int(cases[1]) >= 10_000
