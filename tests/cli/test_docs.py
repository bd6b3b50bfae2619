"""What the page of the command line shows, is so."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jan_jupyter.cli.commands import COMMANDS
from support.environment import isolated_environment
from support.hub import Hub

from .conftest import SCRIPT

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MINI = ROOT / "jan_jupyter" / "data" / "models" / "jan-mini" / "jan-mini.gguf"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("page")
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add("Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf", MINI.read_bytes())
        yield isolated_environment(folder) | {
            "HF_ENDPOINT": hub.url,
            "MY_KEY": "sk-of-the-page",
            "PATH": f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}",
        }


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_does_what_it_shows(environment: dict[str, str], block: str) -> None:
    """Its commands succeed; each line below one is among what that prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.replace("\\\n", "").splitlines()
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            capture_output=True,
            encoding="utf-8",
            env=environment,
            cwd=environment["HOME"],
            timeout=100,
        )
        assert done.returncode == 0, (command, done.stderr)
        for line in shown:
            assert line in done.stdout.splitlines(), (command, done.stdout)


def test_the_page_names_every_command() -> None:
    assert len(BLOCKS) >= 5
    for name in COMMANDS:
        assert re.search(rf"`(jan-jupyter )?{name}\b", PAGE), name
