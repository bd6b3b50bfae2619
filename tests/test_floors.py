"""Installing us moves no package under a running kernel of Colab or Kaggle."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def test_what_colab_and_kaggle_have_is_enough() -> None:
    """`make test-floors` runs the magics there; what we ask for beyond it would be upgraded."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [Requirement(one) for one in project["dependencies"]]
    pins = dict(re.findall(r"^(\S+)==(\S+)$", (ROOT / "tests/floors.txt").read_text("utf-8"), re.M))
    refused = [f"{one}: {pins[one.name]}" for one in asked
               if one.name in pins and not one.specifier.contains(pins[one.name])]  # fmt: skip
    assert refused == []
    assert {"ipython", "anywidget", "traitlets", "psutil"} <= {one.name for one in asked}
