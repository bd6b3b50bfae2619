"""`make demo` to its end, also where nothing can be pulled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.environment import isolated_environment

DEMO = Path(__file__).parents[1] / "tools" / "demo.py"
NOWHERE = "http://127.0.0.1:9/simple"


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"NO_PULL": "1"}, ""),
        pytest.param({"PIP_INDEX_URL": NOWHERE}, "Left out: ", marks=pytest.mark.slow),
    ],
)
def test_it_ends_with_two_settings_of_the_bundled_model(
    isolated: Path, environment: dict[str, str], says: str
) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        env=isolated_environment(isolated) | {"JAN_KEEP_ALIVE": "2", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    before, found, comparison = done.stdout.partition(". A small comparison")
    assert found
    assert says in before
    assert ("%jan pull" in before) == bool(says)
    assert "3 prompts × 2 models" in comparison
    assert re.search(r"^contains +\d", comparison, re.MULTILINE)
    assert "jan-mini · temperature 0 (baseline)" in comparison
    assert "jan-mini · temperature 1" in comparison
    assert "Can't tell by contains" in comparison  # of three prompts nobody could
    assert "smollm2" not in comparison
    cells = [int(number) for number in re.findall(r"^In \[(\d+)\]", done.stdout, re.MULTILINE)]
    assert cells == [*range(1, len(cells) + 1)]
