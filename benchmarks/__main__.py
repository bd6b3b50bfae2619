"""`python -m benchmarks [NAME …]`: run benchmarks and print their figures."""

from __future__ import annotations

import importlib
import platform
import sys
from pathlib import Path

NAMES = (
    *("startup", "models", "cell", "wire", "many", "local", "panel", "compare", "comparison"),
    *("live", "lab", "keystrokes", "streams", "proxy", "jupyter_start", "ghost", "ghost_lab"),
)


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the kernel harness
    chosen = sys.argv[1:] or NAMES
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    for name in chosen:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"## {name}: {(module.__doc__ or '').splitlines()[0]}\n", flush=True)
        module.main()
        print(flush=True)


if __name__ == "__main__":
    main()
