"""Install back ends of intel-bigdl as `%jan engines install` does, for the slow tests.

JAN_DATA_FOLDER=.venv-intel python tests/intel/install.py ipex-llm openvino …
"""

from __future__ import annotations

import asyncio
import sys

from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines.intel_bigdl import IntelBigdl


def say(line: str) -> None:
    print(line, flush=True)


for part in sys.argv[1:]:
    asyncio.run(IntelBigdl.install(EngineOptions("intel-bigdl", "intel-bigdl"), say, part))
