"""Environments of their own for engines: really made, of packages of one line."""

from __future__ import annotations

import asyncio
import sys
import zipfile
from pathlib import Path

import pytest

from jan_jupyter import errors
from jan_jupyter.engines.install import environments
from jan_jupyter.engines.install.environments import EngineEnvironment, Recipe, install_command
from jan_jupyter.engines.install.listing import listing
from jan_jupyter.models.store import ModelStore
from support.environment import processes_of
from support.jan import write_json

HERE = "{}.{}".format(*sys.version_info)


def wheel(folder: Path, name: str, code: str = "") -> str:
    """A package that is one module; its path is a requirement."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", code)
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{about}/RECORD", "")
    return str(path)


def recipe(
    *steps: str, check: str = "import one, two", pythons: tuple[str, ...] = (HERE,)
) -> Recipe:
    return Recipe("demo", pythons, tuple((step,) for step in steps), 10**7, check, "nothing")


def install(folder: Path, made: Recipe) -> list[str]:
    told: list[str] = []
    asyncio.run(EngineEnvironment(folder, made).install(told.append))
    return told


@pytest.mark.slow
def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    folder, one = tmp_path / "env", wheel(tmp_path, "one")
    two = str(tmp_path / "two-1.0-py3-none-any.whl")
    with pytest.raises(errors.EngineUnavailable, match=r"demo cannot be installed:.*goes on"):
        install(folder, recipe(one, two))
    assert not EngineEnvironment(folder, recipe(one, two)).ready
    wheel(tmp_path, "two")
    told = install(folder, recipe(one, two))
    assert told[0] == f"Step 2 of 2: {two}"  # neither the environment nor the first step again
    assert told[-1] == f"demo is installed: {folder}"
    environment = EngineEnvironment(folder, recipe(one, two))
    assert environment.ready
    assert install(folder, recipe(one, two)) == [f"demo is installed already: {folder}"]
    # A new version of us that wants something else makes it anew.
    assert not EngineEnvironment(folder, recipe(one)).ready


@pytest.mark.slow
def test_what_does_not_work_is_not_called_installed(tmp_path: Path) -> None:
    one = wheel(tmp_path, "one", "raise ImportError('no such processor')")
    with pytest.raises(errors.EngineUnavailable, match="no such processor"):
        install(tmp_path / "env", recipe(one, check="import one"))
    assert not EngineEnvironment(tmp_path / "env", recipe(one, check="import one")).ready


@pytest.mark.slow
def test_cancelling_ends_the_programs_at_work(tmp_path: Path) -> None:
    one = wheel(
        tmp_path, "one", "import time; print('installing one', flush=True); time.sleep(600)"
    )

    async def begin_and_cancel() -> None:
        reached = asyncio.Event()

        def say(line: str) -> None:
            if line.startswith("installing one"):
                reached.set()

        made = EngineEnvironment(tmp_path / "env", recipe(one, check="import one"))
        installing = asyncio.create_task(made.install(say))
        await asyncio.wait_for(reached.wait(), 60)
        installing.cancel()
        await asyncio.wait([installing])
        assert installing.cancelled()

    asyncio.run(begin_and_cancel())
    assert processes_of(tmp_path / "env") == []


def test_only_one_installs(tmp_path: Path) -> None:
    made = EngineEnvironment(tmp_path / "env", recipe())
    with made._alone(), pytest.raises(errors.EngineUnavailable, match="by another process"):
        install(tmp_path / "env", recipe())


def test_a_python_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "find_uv", lambda: None)
    with pytest.raises(errors.EngineUnavailable, match=r"needs Python 2\.7.*pip install uv"):
        install(tmp_path / "env", recipe(pythons=("2.7",)))


def test_a_disk_that_is_too_small(tmp_path: Path) -> None:
    huge = Recipe("huge", (HERE,), (), 10**18, "pass", "")
    with pytest.raises(errors.EngineUnavailable, match=r"needs about 1,000,000,000\.0 GB"):
        install(tmp_path / "env", huge)


@pytest.mark.parametrize("configured", [False, True])
@pytest.mark.parametrize("uv", [None, ["uv"]])
def test_who_installs(
    configured: bool, uv: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "pip_is_configured", lambda: configured)
    monkeypatch.setattr(environments, "find_uv", lambda: uv)
    command = install_command(Path("p"), ["torch==2.13.0"])
    by_uv = uv is not None and not configured
    assert command[:2] == (["uv", "pip"] if by_uv else ["p", "-m"])
    assert ("--index-url" in command) is not configured  # whose mirror is set, keeps it
    assert "--index-url" not in install_command(Path("p"), ["numpy"])


def test_what_pip_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    (tmp_path / "pip.conf").write_text("[global]\ntimeout = 5\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    before = environments.pip_is_configured()
    (tmp_path / "pip.conf").write_text("[install]\nindex-url = https://mirror.invalid/simple\n")
    assert environments.pip_is_configured()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    assert environments.pip_is_configured()
    assert before in (False, True)  # a file of the whole system may be there


def test_the_list_of_engines_says_that_it_is_not_installed(isolated: Path) -> None:
    store = ModelStore(isolated / "jan")
    state = {row.name: (row.state, row.remark) for row in listing(store)}
    assert state["intel-bigdl"][0] == "not installed"
    assert "%jan engines install intel-bigdl[openvino]" in state["intel-bigdl"][1]
    write_json(
        isolated / "jan/engines/intel-bigdl/engine.json", {"base_url": "http://localhost:1/v1"}
    )
    assert {row.name: row.state for row in listing(store)}["intel-bigdl"] == "ready"
