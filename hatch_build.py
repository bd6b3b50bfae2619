"""Puts the built front end into every wheel and sdist; installing one of those needs no Node.

A checkout that has not built it yet does so here, with a Node from PyPI if the machine has none. An
editable install leaves that to `make`, which also shows the extension to JupyterLab: what a wheel
brings would stay as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "tools"))
import front_end


class FrontEnd(BuildHookInterface):
    def dependencies(self) -> list[str]:
        return [] if front_end.is_built() or front_end.node() else [front_end.NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        front_end.build()
        if self.target_name == "wheel":
            lab = str(front_end.LAB.relative_to(front_end.ROOT))
            build_data["shared_data"][lab] = front_end.IN_JUPYTER
