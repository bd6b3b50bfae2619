"""Finding models, their names and their order."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import watch
from jan_jupyter.engine_options import keys
from jan_jupyter.errors import ModelNotFound
from jan_jupyter.models import ModelStore, catalogue, store
from jan_jupyter.reading import read_bytes
from jan_jupyter.settings import Jan

from .trees import STUB, models, only, plant, snapshot


def test_no_folder_is_an_empty_catalogue(tmp_path: Path) -> None:
    assert ModelStore(tmp_path / "none").list() == []
    assert ModelStore(tmp_path).list() == []
    (tmp_path / "models").write_text("a file")
    assert ModelStore(tmp_path).list() == []


def test_every_source(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/deep/er/model.json": {},
            "models/deep/model.json": {},
            "models/cortex.so/c/1.5b/main.yml": "name: C",
            "models/huggingface.co/o/h.yaml": "name: H",
            "models/imported/i.yml": "name: I",
            "models/remote/r.yml": "name: R",
            "models/c1.2.yml": "name: C1",
            "models/c1.2/metadata.yml": "name: no",
            "models/given/model.yml": "model: given:name",
            "llamacpp/models/l/l/model.yml": "model_path: x",
            "mlx/models/x/model.yml": "model_path: x",
            "engine-models/openai.json": [{"id": "listed"}],
            "models/b/x.gguf": STUB,
            "models/author/b2/x.gguf": STUB,
        },
    )
    found = {(model.source, model.id) for model in ModelStore(root).list()}
    assert found == {
        ("json", "deep"),
        ("json", "deep/er"),
        ("cortex", "c/1.5b/main"),
        ("cortex", "o/h"),
        ("cortex", "i"),
        ("cortex", "r"),
        ("cortex", "c1.2"),
        ("cortex", "given:name"),
        ("llamacpp", "l/l"),
        ("mlx", "x"),
        ("remote-list", "listed"),
        ("bare", "b"),
        ("bare", "b2"),
    }
    assert ModelStore(root).get("author/b2").id == "b2"


def test_what_is_skipped(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/.DS_Store": "x",
            "models/.hidden/model.json": {},
            "models/a/.model.json": {},
            "models/a/x.gguf.download": STUB,
            "models/a/x.gguf.part": STUB,
            "models/a/x.gguf.tmp": STUB,
            "models/config/default-model.json": {},
            "models/config/model.json": {},
            "models/p/mmproj-x.gguf": STUB,
            "models/s/x-00002-of-00002.gguf": STUB,
            "models/loose.gguf": STUB,
            "models/empty/readme.txt": "x",
        },
    )
    assert ModelStore(root).list() == []
    assert models(plant(root, {"models/deep/config/model.json": {}})).keys() == {"deep/config"}


def test_a_bare_folder(tmp_path: Path) -> None:
    files = ["mmproj.gguf", "b-00002-of-00002.gguf", "z.gguf", "y.gguf", "a.txt"]
    model = only(plant(tmp_path, {f"models/My Model/{file}": STUB for file in files}))
    assert (model.id, model.name, model.engine) == ("My Model", "My Model", "nitro")
    assert (model.source, model.state, model.path) == (
        "bare",
        "ready",
        tmp_path / "models/My Model",
    )
    assert model.file == tmp_path / "models/My Model/y.gguf"
    assert model.projector == tmp_path / "models/My Model/mmproj.gguf"
    assert model.folder == model.path


def test_a_description_stops_bare_but_not_other_descriptions(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/a/model.json": {},
            "models/a/x.gguf": STUB,
            "models/a/sub/y.gguf": STUB,
            "models/a/sub/sub/y.gguf": STUB,
            "models/a/other/model.json": {"id": "other"},
            "models/b.yml": "model: b",
            "models/b/x.gguf": STUB,
            "models/c/model.yml": "model: c",
            "models/c/x.gguf": STUB,
        },
    )
    assert models(root).keys() == {"a", "other", "b", "c"}


@pytest.mark.parametrize("name", ["a/b", "x:y", "mit Ümläut 模型", "a.b c", "1"])
def test_ids_may_be_anything(tmp_path: Path, name: str) -> None:
    root = plant(tmp_path, {"models/m/model.json": {"id": name}})
    assert ModelStore(root).get(name).id == name


def test_folder_and_id_both_find_it(tmp_path: Path) -> None:
    root = plant(tmp_path, {"models/author/folder/model.json": {"id": "the-id"}})
    store = ModelStore(root)
    for name in (
        "the-id",
        "author/folder",
        "folder",
        "json:the-id",
        "THE-ID",
        "Folder",
        "JSON:THE-ID",
    ):
        assert store.get(name).id == "the-id"
    (warning,) = only(root).warnings
    assert "author/folder" in warning
    plant(root, {"models/author/folder/model.json": {"id": "folder"}})
    assert only(root).warnings == ()


def test_exact_before_caseless_and_id_before_folder(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/1/model.json": {"id": "Mistral"},
            "models/2/model.json": {"id": "mistral"},
            "models/3/model.json": {"id": "x"},
            "models/x/model.json": {"id": "y"},
        },
    )
    store = ModelStore(root)
    assert (store.get("Mistral").path, store.get("mistral").path) == (
        root / "models/1/model.json",
        root / "models/2/model.json",
    )
    assert store.get("MISTRAL").id == "Mistral"
    assert store.get("x").path == root / "models/3/model.json"


def test_equal_ids_of_different_sources(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/elsewhere/model.json": {"id": "m"},
            "models/m.yml": "model: m",
            "llamacpp/models/m/model.yml": "model_path: x",
            "engine-models/openai.json": ["m"],
            "models/sub/m/x.gguf": STUB,
        },
    )
    store = ModelStore(root)
    assert store.get("m").source == "json"
    found = store.list()
    assert [model.shadowed for model in found] == [False, True, True, True, True]
    for model in found:
        assert store.get(model.reference) == model
        if model.shadowed:
            assert model.reference == f"{model.source}:m"
            assert any(str(found[0].path) in w and str(model.path) in w for w in model.warnings)
            assert any(model.reference in warning for warning in found[0].warnings)


def test_a_file_that_names_a_model_twice_says_so(tmp_path: Path) -> None:
    root = plant(tmp_path, {"engine-models/openai.json": ["m", "n", "m"]})
    first, second = (model for model in ModelStore(root).list() if model.id == "m")
    told = f"{root / 'engine-models/openai.json'} has m more than once: the first counts"
    assert (first.warnings, second.warnings) == ((told,), (told,))
    assert (first.shadowed, second.shadowed) == (False, True)


def test_of_equal_ids_the_one_whose_folder_is_named_so_wins(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/a/model.json": {"id": "m"},
            "models/m/model.json": {},
            "models/z/model.json": {"id": "m"},
        },
    )
    store = ModelStore(root)
    assert store.get("m").path == root / "models/m/model.json"
    assert store.get("a").path == root / "models/a/model.json"
    assert store.get("json:m").shadowed
    assert sum(model.shadowed for model in store.list()) == 2


def test_no_such_model_names_the_nearest(tmp_path: Path) -> None:
    names = ["qwen3-0.6b", "qwen3-1.7b", "qwen3-4b", "qwen3-8b", "llama"]
    root = plant(tmp_path, {f"models/{name}/model.json": {} for name in names})
    with pytest.raises(ModelNotFound) as caught:
        ModelStore(root).get("qwen3-06b")
    message = str(caught.value)
    assert "qwen3-0.6b" in message
    assert message.count("qwen3-") == 4
    assert "`%jan models` lists all" in message
    with pytest.raises(ModelNotFound, match="lists all"):
        ModelStore(root).get("")


def test_one_bad_item_never_hides_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plant(
        tmp_path,
        {
            "models/bad1/model.json": "{",
            "models/bad2/model.json": b"\xff\xfe",
            "models/bad3/model.json": "[" * 100000,
            "models/bad4/model.yml": "a: [",
            "models/bad5/model.json": {"engine": "unheard-of"},
            "models/good/model.json": {},
            "models/good/x.gguf": STUB,
        },
    )
    found = models(root)
    assert {name: model.state for name, model in found.items()} == {
        "bad1": "broken",
        "bad2": "broken",
        "bad3": "broken",
        "bad4/model": "broken",
        "unheard-of" if "unheard-of" in found else "bad5": "broken",
        "good": "ready",
    }
    assert all(model.reason for model in found.values() if model.state == "broken")

    def crash(described: Any, folder: str, look: Any) -> Any:
        raise ZeroDivisionError("by accident") if folder.endswith("good") else OSError

    monkeypatch.setattr(catalogue, "find", crash)
    assert "ZeroDivisionError: by accident" in models(root)["good"].reason


def test_links(tmp_path: Path) -> None:
    root = plant(
        tmp_path, {"models/z/model.json": {}, "models/z/x.gguf": STUB, "else/q/model.json": {}}
    )
    try:
        (root / "models/a").symlink_to(root / "models/z", target_is_directory=True)
        (root / "models/z/loop").symlink_to(root / "models", target_is_directory=True)
        (root / "models/outside").symlink_to(root / "else/q", target_is_directory=True)
        (root / "models/dangling").symlink_to(root / "nowhere")
        (root / "models/lost").mkdir()
        (root / "models/lost/model.json").symlink_to(root / "nowhere")
    except OSError:
        pytest.skip("no links here")
    assert {name: model.state for name, model in models(root).items()} == {
        "lost": "broken",
        "outside": "not-downloaded",
        "z": "ready",
    }


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {"models/a/model.json": {}, "models/b/c/model.json": {}, "models/d/model.json": {}},
    )
    (root / "models/a/model.json").chmod(0)
    (root / "models/b").chmod(0)
    try:
        found = models(root)
    finally:
        (root / "models/b").chmod(0o700)
    assert {name: model.state for name, model in found.items()} == {
        "a": "broken",
        "d": "not-downloaded",
    }


def test_a_second_look_reads_no_description_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant(tmp_path, {"models/a/model.json": {"id": "a"}, "models/b/model.yml": "model: b"})
    monkeypatch.setattr(watch, "_TICK", 0)
    store = ModelStore(root)
    before = store.list()
    read: list[Path] = []

    def noted(path: str, limit: int) -> tuple[bytes, os.stat_result]:
        read.append(Path(path))
        return read_bytes(path, limit)

    monkeypatch.setattr(watch, "read_bytes", noted)
    assert store.list() == before
    assert read == []
    plant(root, {"models/a/model.json": {"id": "c", "name": "C"}})
    assert {model.id for model in store.list()} == {"c", "b"}
    assert read == [root / "models/a/model.json"]
    plant(root, {"models/a/x.gguf": STUB})
    assert store.get("c").state == "ready"


def test_asking_again_reads_only_what_has_changed(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = {"base_url": "https://a.example/v1", "api_key_env": "A_KEY"}
    root = plant(
        tmp_path,
        {
            "models/a/model.json": {"id": "a", "engine": "openai"},
            "engines/openai/engine.json": engine,
        },
    )
    monkeypatch.setattr(watch, "_TICK", 0)
    store = ModelStore(root)
    read: list[Path] = []

    def noted(path: str, limit: int) -> tuple[bytes, os.stat_result]:
        read.append(Path(path))
        return read_bytes(path, limit)

    monkeypatch.setattr(watch, "read_bytes", noted)

    def asked() -> tuple[str, str, int]:
        read.clear()
        model = store.get("a")
        return model.name, store.engine_options(model).address, len(read)

    assert asked() == ("a", "https://a.example/v1", 2)
    assert asked() == ("a", "https://a.example/v1", 0)
    plant(root, {"models/a/model.json": {"id": "a", "name": "Ada", "engine": "openai"}})
    assert asked() == ("Ada", "https://a.example/v1", 1)
    plant(root, {"engines/openai.json": {"base_url": "https://b.example/v1"}})
    assert asked() == ("Ada", "https://a.example/v1", 2)
    (root / "engines/openai/engine.json").unlink()
    assert asked() == ("Ada", "https://b.example/v1", 1)
    plant(root, {"engines/openai.json": "{"})
    assert asked() == ("Ada", "https://api.openai.com/v1", 1)
    assert store.get("a").state == "needs-key"
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert store.get("a").state == "ready"
    assert ("A_KEY", "c.example") not in store.engine_options("openai").allowed
    keys.allow("A_KEY", "c.example", root)
    assert ("A_KEY", "c.example") in store.engine_options("openai").allowed


def test_reading_writes_nothing(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "models/bare/x.gguf": STUB,
            "models/a/model.json": {"id": "other"},
            "engines/openai.json": {"api_key": "k"},
        },
    )
    before = snapshot(root)
    store = ModelStore(root)
    for model in store.list():
        store.get(model.id)
        store.engine_options(model)
    store.default()
    assert snapshot(root) == before


# The default ------------------------------------------------------------------------------------


def test_the_default_is_the_newest_local_model_that_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant(
        tmp_path,
        {
            "models/old/model.json": {},
            "models/old/x.gguf": STUB,
            "models/new/model.json": {"engine": "cortex"},
            "models/new/x.gguf": STUB,
            "models/newest/model.json": {},
            "models/remote/model.json": {"engine": "ollama"},
        },
    )
    for age, name in enumerate(["remote", "newest", "new", "old"]):
        os.utime(root / f"models/{name}/model.json", (1e9 - age, 1e9 - age))
    store = ModelStore(root)
    assert store.default().id == "new"
    monkeypatch.setenv("JAN_MODEL", "remote")
    Jan.clear_instance()
    assert store.default().id == "remote"
    monkeypatch.setenv("JAN_MODEL", "lost")
    Jan.clear_instance()
    with pytest.raises(ModelNotFound, match="lost"):
        store.default()


def test_there_may_be_no_default(tmp_path: Path) -> None:
    root = plant(tmp_path, {"models/remote/model.json": {"engine": "ollama"}})
    with pytest.raises(ModelNotFound, match="no local model"):
        ModelStore(root).default()


def test_bundled_models_come_last(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"models/jan-tiny/model.json": {"name": "bundled"}, "models/jan-tiny/x.gguf": STUB}
    monkeypatch.setattr(store, "DATA", plant(tmp_path, data))
    found = ModelStore().get("jan-tiny")
    assert (found.source, found.state, found.data_folder) == ("bundled", "ready", None)
    assert ModelStore().default() == found
    plant(isolated / "jan", {"models/jan-tiny/model.json": {}, "models/jan-tiny/x.gguf": STUB})
    os.utime(isolated / "jan/models/jan-tiny/model.json", (1, 1))
    assert ModelStore().get("jan-tiny").source == "json"
    assert ModelStore().default().source == "json"
    assert ModelStore().get("bundled:jan-tiny").name == "bundled"
    assert ModelStore(isolated).list() == []


# The package ------------------------------------------------------------------------------------


def test_public_names() -> None:
    # By name: the attribute `models` of the package is the store in use.
    package = importlib.import_module("jan_jupyter.models")
    for name in package.__all__:
        assert getattr(package, name).__name__ == name or name in ("ModelState", "Source")
    with pytest.raises(AttributeError, match="nothing_such"):
        package.nothing_such  # noqa: B018


def test_importing_is_cheap() -> None:
    program = (
        "import sys, jan_jupyter.models;"
        "print({'yaml', 'psutil', 'platformdirs', 'traitlets', 'IPython'} & {*sys.modules})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "set()"
