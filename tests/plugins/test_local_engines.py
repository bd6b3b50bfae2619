"""Engines of other packages that hold models here: listed if used, imported only then."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jan_jupyter import bridge
from jan_jupyter.engine_options import plugins
from jan_jupyter.models.store import ModelStore
from jan_jupyter.router import Router
from support.jan import add_model

ENGINE = """
from jan_jupyter.engines.base import Engine
from jan_jupyter.types import Delta, Running

class Holds(Engine):
    name = "{name}"
    local = {local}

    async def chat(self, model, request):
        yield Delta(finish="stop")

    async def running(self):
        {running}
        return [Running("m", self.name, "memory", "ready", 1, 0, 0.0, 0.0)]
"""
PACKAGES = {
    "holds": ENGINE.format(name="holds", local=True, running=""),
    "remote": ENGINE.format(name="remote", local=False, running=""),
    "faulty": ENGINE.format(name="faulty", local=True, running="raise KeyError(1)"),
    "absent": "raise ImportError('this machine has no such chip')",
    "unused": ENGINE.format(name="unused", local=True, running=""),
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """A package with all these engines, and a model for each but the last."""
    site = tmp_path / "site"
    dist = site / "engines_of_a_test-1.0.dist-info"
    dist.mkdir(parents=True)
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: engines-of-a-test\nVersion: 1.0\n")
    points = [f"{name} = a_test_of_{name}:Holds" for name in PACKAGES]
    (dist / "entry_points.txt").write_text("\n".join([f"[{plugins.GROUP}]", *points]))
    for name, code in PACKAGES.items():
        (site / f"a_test_of_{name}.py").write_text(code)
    for name in [*PACKAGES][:-1]:
        add_model(tmp_path / "jan", f"model-of-{name}", engine=name)
    monkeypatch.syspath_prepend(str(site))
    plugins.forget()
    return ModelStore(tmp_path / "jan")


def test_models_that_engines_of_packages_hold_are_listed(installed: ModelStore) -> None:
    router = Router(installed)
    held = bridge.wait(router.running())
    assert [row.engine for row in held if row.runtime == "memory"] == ["holds"]
    assert "a_test_of_holds" in sys.modules
    assert "a_test_of_unused" not in sys.modules
    bridge.wait(router.close())
