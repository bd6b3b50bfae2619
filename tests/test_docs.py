"""What the README and the pages in `docs/` show runs as it stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import jan_jupyter
from jan_jupyter import ModelStore, errors
from jan_jupyter.commands.asking import parser
from jan_jupyter.commands.notebook import COMMANDS
from support.jan import write_json
from support.kernel import Kernel

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {"README": README} | {
    path.stem: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))
}
ALL = "\n".join(PAGES.values())
NOT_CELLS = {"writing-engines", "clients"}  # tests/plugins and tests/clients run theirs


def blocks(page: str, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("docs")
    with Kernel(folder=folder, env={"JAN_KEEP_ALIVE": "3"}) as kernel:
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        yield kernel
        kernel.execute("%jan unload")


@pytest.mark.parametrize("page", [name for name in PAGES if name not in NOT_CELLS])
def test_its_cells_run(kernel: Kernel, page: str) -> None:
    cells = blocks(page, "", "python")
    for cell in cells:
        result = kernel.execute(cell)
        assert result.status == "ok", (cell, result.error)
    if page == "README":
        assert len(cells) >= 10
        kernel.execute("panel.close()")
        assert "Ada" in str(kernel.execute("print(talk.messages[-1].text)").text)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_files_that_they_show_can_be_read(tmp_path: Path) -> None:
    (model,) = map(json.loads, blocks("models", "json"))
    (engine,) = map(json.loads, blocks("engines", "json"))
    write_json(tmp_path / "models" / model["id"] / "model.json", model)
    write_json(tmp_path / "engines" / "mine" / "engine.json", engine)
    write_json(tmp_path / "models" / "remote" / "model.json", {"id": "remote", "engine": "mine"})
    store = ModelStore(tmp_path)
    states = {found.id: (found.state, found.warnings) for found in store.list()}
    assert states == {"my-model": ("not-downloaded", ()), "remote": ("ready", ())}
    assert store.engine_options("mine").base_url == engine["base_url"]


def test_the_model_of_every_engine_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = blocks("engines", "text")
    files = re.split(r"^models/(\S+)/model\.json\s+", shown, flags=re.MULTILINE)[1:]
    found = {name: json.loads(text) for name, text in zip(files[::2], files[1::2], strict=True)}
    for name, model in found.items():
        write_json(tmp_path / "models" / name / "model.json", model)
    assert {model["engine"] for model in found.values()} >= {"claude", "azure-openai"}
    for key in re.findall(r"`([A-Z_]+_API_KEY|HF_TOKEN)`", PAGES["engines"]):
        monkeypatch.setenv(key, "sk-test")
    states = {model.id: model.state for model in ModelStore(tmp_path).list()}
    assert states == dict.fromkeys(found, "ready")


def test_commands_and_options_exist() -> None:
    shown = set(re.findall(r"`%jan ([a-z]+)", ALL))
    assert shown >= {"models", "use", "set", "load", "ps", "status", "help"}
    not_commands = {"what", "modles"}
    assert shown - not_commands <= set(COMMANDS)
    parsers = [parser(), *(command.parser for command in COMMANDS.values())]
    known = {option for one in parsers for option in one.known_options}
    for option in re.findall(r"`%%?jan [^`]*? (--[a-z][a-z-]*|-[a-z])\b", ALL):
        assert option in known, option


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", ALL, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for page, text in PAGES.items():
        folder = ROOT if page == "README" else ROOT / "docs"
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (folder / target).exists(), (page, target)


def test_files_that_the_architecture_names_exist() -> None:
    names = re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:/|\.py|\.ts))`", PAGES["architecture"])
    assert len(names) >= 10
    for name in names:
        assert (ROOT / name).exists() or (ROOT / "jan_jupyter" / name).exists(), name


def test_every_error_has_its_line() -> None:
    told = set(re.findall(r"`([A-Z][a-z]\w+)`", PAGES["errors"]))
    parents = {"JanError", "ModelError", "ThreadError", "EngineError"}
    everything = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    classes = {kind.__name__ for kind in everything if kind.__module__ == errors.__name__}
    assert classes - parents == told - parents
    assert issubclass(jan_jupyter.JanError, Exception)
