"""What people install: the wheel and the sdist, built and installed for real."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import jan_jupyter
from support.environments import OFFLINE, REPOSITORY, environment_like_ours

pytestmark = pytest.mark.slow

LAB = "share/jupyter/labextensions/jan-jupyter"


def run(*command: str | Path, cwd: Path = REPOSITORY, **environment: str) -> str:
    # Coloured or not, by what it is told: here not.
    known = {**os.environ, **OFFLINE, "NO_COLOR": "1", **environment}
    done = subprocess.run(command, cwd=cwd, env=known, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


def build(kind: str, to: Path, source: Path = REPOSITORY, **environment: str) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", to, cwd=source, **environment)
    (built,) = to.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with that wheel."""
    folder = tmp_path_factory.mktemp("installed")
    python = environment_like_ours(folder / "environment", with_us=False)
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel)
    return python


def test_jupyterlab_lists_the_extension_of_an_installed_wheel(installed: Path) -> None:
    folder = installed.parents[1]
    listed = run(installed, "-m", "jupyter", "labextension", "list", cwd=folder)
    plain = re.sub(r"\x1b\[\d*m", "", listed)
    assert f"jan-jupyter v{jan_jupyter.__version__} enabled OK (python, jan-jupyter)" in plain
    about = json.loads((folder / LAB / "package.json").read_text("utf-8"))
    assert (folder / LAB / about["jupyterlab"]["_build"]["load"]).is_file()


def test_jupyter_server_lists_the_extension_of_an_installed_wheel(installed: Path) -> None:
    listed = run(installed, "-m", "jupyter", "server", "extension", "list", cwd=installed.parent)
    assert re.search(r"jan_jupyter\.server \S*enabled", listed)
    assert re.search(r"jan_jupyter\.server \S* *\S*OK", listed)


def test_an_uninstall_leaves_nothing(wheel: Path, tmp_path: Path) -> None:
    python = environment_like_ours(tmp_path / "environment", with_us=False)
    folder = python.parents[1]
    before = {*folder.rglob("*")}
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--no-deps", wheel)
    schemas = {file.stem for file in (folder / LAB / "schemas").rglob("*.json")}
    assert schemas == {file.stem for file in (REPOSITORY / "labextension/schemas").glob("*.json")}
    run(*pip, "uninstall", "--yes", "jan-jupyter")
    # Folders that others use, too, may have been made: an empty one is nothing.
    left = {one for one in {*folder.rglob("*")} - before if not one.is_dir()}
    assert not left


def test_an_installed_wheel_shows_its_panel_and_saves_pages(installed: Path) -> None:
    code = (
        "import jan_jupyter as jan; from jan_jupyter import assets; print(jan.__file__);"
        "print(all(len(assets.source(n)) > 10_000 for n in ('chat', 'page', *assets.PARTS)))"
    )
    file, whole = run(installed, "-c", code, cwd=installed.parent).split()
    assert Path(file).is_relative_to(installed.parents[1])
    assert whole == "True"


def test_a_wheel_out_of_an_sdist_needs_no_node(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    again = build("wheel", tmp_path / "again", source, PATH="")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_a_checkout_is_shown_as_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    show = importlib.import_module("front_end").show
    place = tmp_path / LAB
    place.mkdir(parents=True)  # what an older wheel has left
    (place / "package.json").touch()
    for _ in range(2):
        show(tmp_path)
        assert place.resolve() == REPOSITORY / "jan_jupyter" / "labextension"
        assert json.loads((place / "package.json").read_text("utf-8"))["name"] == "jan-jupyter"

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # not installed
    show(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_jupyterlab_loads_at_its_start_is_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        at = next(name for name in archive.namelist() if name.endswith(f"{LAB}/package.json"))
        load = json.loads(archive.read(at))["jupyterlab"]["_build"]["load"]
        entry = archive.read(at.replace("package.json", load))
    assert len(gzip.compress(entry)) <= 12_000
