"""Throw-away environments of Python that see what ours has, and into which tests may install."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def environment_like_ours(folder: Path, *, with_us: bool = True) -> Path:
    """A fresh virtual environment that imports what ours can; gives its Python.

    Not `with_us`, it imports all but this checkout.
    """
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    ours = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    ours += [str(REPOSITORY)] if with_us else []
    Path(purelib, "ours.pth").write_text("\n".join(dict.fromkeys(ours)) + "\n", "utf-8")
    return python


OFFLINE = {
    # pip must neither reach an index nor set up an environment for a build.
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_CONFIG_FILE": os.devnull,
    "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]),
}
