"""Where the data folder is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.models import ModelStore
from jan_jupyter.models.folders import jan_data_folder
from jan_jupyter.settings import Jan

from .trees import plant


def folder(home: Path, platform: str = "linux", **environment: str) -> Path | None:
    found = jan_data_folder(platform, environment, home)
    return found.path if found else None


@pytest.mark.parametrize(
    ("platform", "places"),
    [
        ("linux", [".local/share/Jan/data", ".config/Jan/data", "jan"]),
        ("darwin", ["Library/Application Support/Jan/data", "jan"]),
        ("win32", ["roaming/Jan/data", "jan"]),
    ],
)
def test_default_folders_newest_first(tmp_path: Path, platform: str, places: list[str]) -> None:
    environment = {"APPDATA": str(tmp_path / "roaming"), "USERPROFILE": str(tmp_path)}
    assert folder(tmp_path, platform, **environment) is None
    for place in reversed(places):
        (tmp_path / place).mkdir(parents=True)
        assert folder(tmp_path, platform, **environment) == tmp_path / place


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", "xdg-data/Jan"),
        ("linux", ".local/share/Jan"),
        ("linux", "xdg-config/Jan"),
        ("linux", ".config/Jan"),
        ("linux", "."),
        ("darwin", "Library/Application Support/Jan"),
        ("darwin", "."),
        ("win32", "roaming/Jan"),
        ("win32", "."),
    ],
)
def test_the_settings_of_the_app_come_first(tmp_path: Path, platform: str, place: str) -> None:
    environment = {
        "APPDATA": str(tmp_path / "roaming"),
        "USERPROFILE": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "xdg-data"),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg-config"),
    }
    (tmp_path / "jan").mkdir()
    (tmp_path / "mine").mkdir()
    plant(tmp_path / place, {"settings.json": {"data_folder": str(tmp_path / "mine")}})
    found = jan_data_folder(platform, environment, tmp_path)
    assert found is not None
    assert found.path == tmp_path / "mine"
    assert str((tmp_path / place / "settings.json").resolve()) in found.why or place == "."


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        {},
        {"data_folder": 3},
        {"data_folder": "jan"},
        {"data_folder": "/no/such"},
    ],
)
def test_settings_that_lead_nowhere_are_passed_over(
    tmp_path: Path, content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # there the relative one would be found
    (tmp_path / "jan").mkdir()
    (tmp_path / "mine").mkdir()
    plant(tmp_path, {".local/share/Jan/settings.json": content})
    assert folder(tmp_path) == tmp_path / "jan"
    plant(tmp_path, {".config/Jan/settings.json": {"data_folder": str(tmp_path / "mine")}})
    assert folder(tmp_path) == tmp_path / "mine"


# The store --------------------------------------------------------------------------------------


def test_a_store_says_which_folders_it_uses_and_why(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (given,) = ModelStore(tmp_path / "a").folders()
    assert (given.path, "given" in given.why) == (tmp_path / "a", True)
    (chosen,) = ModelStore().folders()
    assert chosen.path == isolated / "jan"
    assert "JAN_DATA_FOLDER" in chosen.why

    monkeypatch.delenv("JAN_DATA_FOLDER")
    Jan.clear_instance()
    (own,) = ModelStore().folders()
    assert own.path.name == "jan-jupyter"
    (isolated / "home/jan").mkdir()
    own, jan = ModelStore().folders()
    assert jan.path == isolated / "home/jan"
    assert "Jan" in jan.why


def test_our_own_folder_wins_over_that_of_jan(
    isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAN_DATA_FOLDER")
    Jan.clear_instance()
    (isolated / "home/jan").mkdir()
    own, jan = (folder.path for folder in ModelStore().folders())
    plant(own, {"models/both/model.json": {"name": "ours"}, "models/a/model.json": {}})
    plant(jan, {"models/both/model.json": {"name": "theirs"}, "models/b/model.json": {}})
    store = ModelStore()
    assert {"both", "a", "b"} <= {model.id for model in store.list()}
    assert store.get("both").name == "ours"
    assert store.get("json:both").name == "theirs"
    home = "https://api.groq.com/openai/v1/chat/completions"
    plant(jan, {"engines/groq.json": {"api_key": "k", "full_url": home}})
    plant(own, {"engines/groq/engine.json": {"parameters": {"seed": 1}}})
    options = store.engine_options("groq")
    assert (options.api_key, options.parameters) == ("k", {"seed": 1})
