"""What loading the extension costs, against bare IPython."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter

ROUNDS = 7
BARE = "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()"
LOADED = BARE + "; s.run_line_magic('load_ext', 'jan_jupyter')"
IMPORT = "import jan_jupyter"


def seconds(code: str) -> float:
    began = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - began


def main() -> None:
    seconds(LOADED)  # bytecode is written once
    rounds = [(seconds("pass"), seconds(IMPORT), seconds(BARE), seconds(LOADED)) for _ in range(7)]
    nothing, imported, bare, loaded = (median(column) for column in zip(*rounds, strict=True))
    print(f"import jan_jupyter: {imported - nothing:+.3f} s over a bare interpreter")
    print(
        f"%load_ext jan_jupyter: {loaded - bare:+.3f} s over bare IPython"
        f" ({loaded / bare:.2f} ×; bound +0.15 s; median of {ROUNDS})"
    )
