"""What the README shows runs as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jan_jupyter import ModelStore
from jan_jupyter.magics.commands import COMMANDS
from jan_jupyter.magics.options import OPTIONS
from support.jan import write_json
from support.kernel import Kernel

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_its_cells_run(tmp_path: Path) -> None:
    cells = [code for language, code in BLOCKS if language in ("", "python")]
    assert len(cells) >= 3
    with Kernel(folder=tmp_path, env={"JAN_KEEP_ALIVE": "3"}) as kernel:
        for cell in cells:
            result = kernel.execute(cell)
            assert result.status == "ok", (cell, result.error)
        assert "Ada" in str(kernel.execute("print(talk.messages[-1].text)").text)
        kernel.execute("%jan unload")


def test_its_files_can_be_read(tmp_path: Path) -> None:
    model, engine = (json.loads(text) for language, text in BLOCKS if language == "json")
    write_json(tmp_path / "models" / model["id"] / "model.json", model)
    write_json(tmp_path / "engines" / "mine" / "engine.json", engine)
    write_json(tmp_path / "models" / "remote" / "model.json", {"id": "remote", "engine": "mine"})
    store = ModelStore(tmp_path)
    states = {found.id: (found.state, found.warnings) for found in store.list()}
    assert states == {"my-model": ("not-downloaded", ()), "remote": ("ready", ())}
    assert store.engine_options("mine").base_url == engine["base_url"]


def test_its_models_of_every_engine_are_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = (text for language, text in BLOCKS if language == "text")
    files = re.split(r"^models/(\S+)/model\.json\s+", shown, flags=re.MULTILINE)[1:]
    found = {name: json.loads(text) for name, text in zip(files[::2], files[1::2], strict=True)}
    for name, model in found.items():
        write_json(tmp_path / "models" / name / "model.json", model)
    assert {model["engine"] for model in found.values()} >= {"claude", "azure-openai"}
    for key in re.findall(r"`([A-Z_]+_API_KEY|HF_TOKEN)`", README):
        monkeypatch.setenv(key, "sk-test")
    states = {model.id: model.state for model in ModelStore(tmp_path).list()}
    assert states == dict.fromkeys(found, "ready")


def test_its_commands_and_options_exist() -> None:
    shown = set(re.findall(r"`%jan ([a-z]+)", README))
    assert shown >= {"models", "use", "set", "load", "ps", "status", "help"}
    questions = {"what"}
    assert shown - questions <= set(COMMANDS)
    known = {*OPTIONS}.union(*(command.parser.known_options for command in COMMANDS.values()))
    for option in re.findall(r"`%%?jan [^`]*? (--?[a-z-]+)", README):
        assert option in known


def test_its_make_targets_exist() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
