"""The notebooks run, and what they saved can be read without running them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_they_run() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "notebooks.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("without an error") == len(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_their_saved_outputs_can_be_read(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    answers = 0
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error", output
            assert output.get("name") != "stderr", output
            if "jan" in output.get("metadata", {}):
                answers += 1
                assert set(output["data"]) >= {"text/markdown", "text/plain"}
    assert answers >= (5 if path.stem == "quickstart" else 1)
    text = path.read_text("utf-8")
    assert str(Path.home()) not in text
    assert "/tmp/" not in text
