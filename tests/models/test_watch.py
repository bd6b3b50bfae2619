"""What changed is seen at the next look, and nothing else is read again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jan_jupyter import watch
from jan_jupyter.models import ModelStore, catalogue
from jan_jupyter.reading import read_bytes

from .trees import STUB, plant


class Counted:
    """A store that notes which descriptions it reads and which folders it lists."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = ModelStore(root)
        self.touched: list[str] = []

        def read(path: Path | str, limit: int) -> tuple[bytes, os.stat_result]:
            self.touched.append(Path(path).relative_to(root).as_posix())
            return read_bytes(path, limit)

        def look(self_: watch.Watch, folder: str) -> watch.Listing:
            self.touched.append(Path(folder).relative_to(root).as_posix())
            return original(self_, folder)

        original = watch.Watch._look
        monkeypatch.setattr(watch, "read_bytes", read)
        monkeypatch.setattr(watch.Watch, "_look", look)

    def list(self) -> tuple[dict[str, str], list[str]]:
        self.touched.clear()
        models = {model.id: str(model.state) for model in self.store.list()}
        return models, sorted(self.touched)


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    plant(
        tmp_path,
        {
            "models/a/model.json": {"id": "a"},
            "models/a/a.gguf": STUB,
            "models/b/model.json": {"id": "b"},
            "models/c/c.gguf": STUB,
        },
    )
    monkeypatch.setattr(watch, "_TICK", 0)  # here nothing is written twice within a tick
    found = Counted(tmp_path, monkeypatch)
    assert found.list()[0] == {"a": "ready", "b": "not-downloaded", "c": "ready"}
    assert found.list()[1] == []
    return found


def test_a_new_model(counted: Counted, tmp_path: Path) -> None:
    plant(tmp_path, {"models/d/model.json": {"id": "d"}})
    models, touched = counted.list()
    assert "d" in models
    assert touched == ["models", "models/d", "models/d/model.json"]


def test_a_file_that_arrives_and_goes(counted: Counted, tmp_path: Path) -> None:
    plant(tmp_path, {"models/b/b.gguf": STUB})
    assert counted.list() == (
        {"a": "ready", "b": "ready", "c": "ready"},
        ["models/b", "models/b/model.json"],
    )
    os.remove(tmp_path / "models/b/b.gguf")
    assert counted.list()[0]["b"] == "not-downloaded"


def test_an_edit_in_place(counted: Counted, tmp_path: Path) -> None:
    path = tmp_path / "models/a/model.json"
    with path.open("r+") as file:
        file.write('{"id": "z"}')
        file.truncate()
    models, touched = counted.list()
    assert models.keys() == {"z", "b", "c"}
    assert touched == ["models/a/model.json"]


def test_an_edit_that_puts_its_time_back(counted: Counted, tmp_path: Path) -> None:
    path = tmp_path / "models/a/model.json"
    status = path.stat()
    path.write_text('{"id":"zz"}'.ljust(status.st_size)[: status.st_size])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert counted.list()[0].keys() == {"zz", "b", "c"}


def test_a_file_elsewhere(counted: Counted, tmp_path: Path) -> None:
    far = tmp_path / "far.gguf"
    settings = {"llama_model_path": str(far)}
    plant(tmp_path, {"models/far/model.json": {"id": "far", "settings": settings}})
    assert counted.list()[0]["far"] == "missing-file"
    far.write_bytes(b"GG")
    assert counted.list()[0]["far"] == "broken"
    far.write_bytes(STUB)
    assert counted.list() == (
        {"a": "ready", "b": "not-downloaded", "c": "ready", "far": "ready"},
        ["models/far/model.json"],
    )
    far.unlink()
    assert counted.list()[0]["far"] == "missing-file"


def test_a_file_that_is_still_written(counted: Counted, tmp_path: Path) -> None:
    path = tmp_path / "models/b/b.gguf"
    path.write_bytes(b"GG")
    assert counted.list()[0]["b"] == "broken"
    with path.open("ab") as file:
        file.write(STUB[2:])
    assert counted.list()[0]["b"] == "ready"


def test_a_folder_that_goes(counted: Counted, tmp_path: Path) -> None:
    (tmp_path / "models/c/c.gguf").rename(tmp_path / "c.gguf")
    (tmp_path / "models/c").rmdir()
    assert counted.list()[0].keys() == {"a", "b"}


@pytest.mark.parametrize("before", ["its description", "its file"])
def test_a_folder_that_goes_while_it_is_read(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Another process removes a model: it is gone then, and never looks broken."""
    plant(tmp_path, {"models/d/model.json": {"id": "d"}, "models/d/d.gguf": STUB})

    def read(path: Path | str, limit: int) -> tuple[bytes, os.stat_result]:
        found = read_bytes(path, limit) if before == "its file" else None
        if Path(path) == tmp_path / "models/d/model.json":
            (tmp_path / "models/d").rename(tmp_path / "gone")
        return found or read_bytes(path, limit)

    monkeypatch.setattr(watch, "read_bytes", read)
    assert counted.list()[0] == {"a": "ready", "b": "not-downloaded", "c": "ready"}


def test_a_key_that_comes(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {"models/r/model.json": {"id": "r", "engine": "openai"}})
    assert counted.list()[0]["r"] == "needs-key"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert counted.list() == (
        {"a": "ready", "b": "not-downloaded", "c": "ready", "r": "ready"},
        ["models/r/model.json"],
    )


def test_what_was_written_just_now_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two edits within one tick of the file system's clock leave the same times."""
    plant(tmp_path, {"models/a/model.json": {"id": "a"}, "models/old/model.json": {"id": "old"}})
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + watch._TICK // 2)
    counted = Counted(tmp_path, monkeypatch)
    counted.list()
    assert "models/a/model.json" in counted.list()[1]
    monkeypatch.setattr(time, "time_ns", lambda: now + 3 * watch._TICK)
    counted.list()
    assert counted.list()[1] == []


def test_one_model_by_its_name_needs_no_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = {f"models/m{i}/model.json": {"id": f"m{i}"} for i in range(50)}
    plant(tmp_path, {**tree, "models/org/x/4b/model.json": {"id": "org/x:4b"}})
    store = ModelStore(tmp_path)

    def listing(*_: object) -> None:
        raise AssertionError("a listing")

    monkeypatch.setattr(catalogue.Catalogue, "models", listing)
    assert store.get("m7").id == "m7"
    assert store.get("org/x:4b").id == "org/x:4b"
    for name in ("M7", "m50", "../models/m7", "m7/", "org"):
        with pytest.raises(AssertionError):
            store.get(name)
    plant(tmp_path, {"models/m7/x.gguf": STUB})
    assert store.get("m7").state == "ready"


def test_an_interrupt_in_the_middle_leaves_nothing_half_known(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {"models/d/model.json": {"id": "d"}})
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "_model", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            counted.list()
    assert counted.list()[0].keys() == {"a", "b", "c", "d"}
