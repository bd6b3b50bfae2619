"""Creating, editing, importing, removing: what must be there afterwards is, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from jan_jupyter import errors
from jan_jupyter.models import ModelStore, disk
from jan_jupyter.models.names import folder_parts
from support.marks import LONG

from .trees import STUB, gguf_bytes, plant, snapshot

GGUF = gguf_bytes({"general.architecture": "llama", "general.name": "tiny"})


def tree(root: Path) -> set[str]:
    """All files below a folder."""
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink() or p.is_file()}


def ours(root: Path) -> set[str]:
    return {name for name in tree(root) if not name.endswith(disk.LOCK)}


# Create -----------------------------------------------------------------------------------------


def test_a_model_with_its_files(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "jan")
    files = plant(tmp_path / "jan/downloads/x", {"a.gguf": GGUF, "mmproj-a.gguf": STUB})
    description = {"id": "org/a:q4", "zebra": 1, "sources": [{"filename": "a.gguf"}], "name": "Ä"}
    model = store.create(description, files_from=files)
    assert (model.id, model.state, model.warnings) == ("org/a:q4", "ready", ())
    assert model == store.get("org/a:q4") == store.list()[0]
    assert ours(tmp_path / "jan") == {
        "models/org/a/q4/a.gguf",
        "models/org/a/q4/mmproj-a.gguf",
        "models/org/a/q4/model.json",
    }
    text = model.path.read_text("utf-8")
    assert list(json.loads(text)) == [*description]
    assert '"Ä"' in text
    assert text.endswith("}\n")
    assert not files.exists()


def test_a_name_that_is_taken_changes_nothing(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "jan")
    store.create({"id": "Taken"})
    files = plant(tmp_path / "jan/downloads/x", {"a.gguf": GGUF})
    before = ours(tmp_path)
    with pytest.raises(errors.ModelExists, match="taken"):
        store.create({"id": "taken"}, files_from=files)
    assert ours(tmp_path) == before


@pytest.mark.parametrize(
    "bad", [{}, {"id": ""}, {"id": 3}, {"id": "a", "b": {1, 2}}, {"id": "\ud800"}]
)
def test_what_is_no_description(tmp_path: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(errors.UsageError):
        ModelStore(tmp_path).create(bad)
    assert ours(tmp_path) == set()


def test_the_disk_refuses_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file, where a folder should be")
    with pytest.raises(errors.CannotWrite, match="models"):
        ModelStore(tmp_path).create({"id": "a"})


def test_files_of_another_disk_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_memory = Path("/dev/shm")
    if (
        not os.access(shared_memory, os.W_OK)
        or shared_memory.stat().st_dev == os.stat(tmp_path).st_dev
    ):
        pytest.skip("there is no second disk here")
    other = shared_memory / f"jan-test-{os.getpid()}"
    try:
        plant(other, {"a.gguf": GGUF})
        assert ModelStore(tmp_path).create({"id": "a"}, files_from=other).state == "ready"
        assert not other.exists()
        assert ours(tmp_path) == {"models/a/a.gguf", "models/a/model.json"}
    finally:
        shutil.rmtree(other, ignore_errors=True)


def test_add_files(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "jan")
    waiting = store.create({"id": "a", "sources": [{"url": "https://x.example/a.gguf"}]})
    assert waiting.state == "not-downloaded"
    files = plant(tmp_path / "got", {"a.gguf": GGUF})
    assert store.add_files(waiting, files).state == "ready"
    plant(files, {"a.gguf": b"other"})
    with pytest.raises(errors.ModelExists):
        store.add_files(waiting, files)
    assert (waiting.folder / "a.gguf").read_bytes() == GGUF


def test_what_a_dead_process_left_is_swept(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    mine = disk.staging(tmp_path / "models")
    left = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{dead}-"))
    plant(left, {"part.gguf": GGUF})
    assert ModelStore(tmp_path).list() == []
    ModelStore(tmp_path).create({"id": "a"})
    assert not left.exists()
    assert mine.exists()


# Edit -------------------------------------------------------------------------------------------


def test_an_edit_keeps_what_it_does_not_know(tmp_path: Path) -> None:
    text = """{
    "zebra": {"b": 1, "a": [1.0, 2e-05]},
    "id": "m",
    "settings": {"ctx_len": "2048", "own": null},
    "version": "1.0",
    "parameters": {"token_limit": 7}
}"""
    root = plant(tmp_path, {"models/m/model.json": text})
    store = ModelStore(root)
    model = store.update("m", {"ctx_len": 4096, "max_tokens": 9, "temperature": 0.5, "name": "M"})
    assert model.settings["ctx_len"] == 4096
    assert model.parameters == {"max_tokens": 9, "temperature": 0.5}
    raw = json.loads(model.path.read_text())
    assert list(raw) == ["zebra", "id", "settings", "version", "parameters", "name"]
    assert raw["zebra"] == {"b": 1, "a": [1.0, 2e-05]}
    assert raw["settings"] == {"ctx_len": 4096, "own": None}
    assert raw["parameters"] == {"token_limit": 9, "temperature": 0.5}
    assert model.path.read_text().splitlines()[1].startswith('    "zebra"')
    store.update("m", {"max_tokens": None, "settings.own": {"x": 1}, "metadata.note": "hi"})
    raw = json.loads(model.path.read_text())
    assert "token_limit" not in raw["parameters"]
    assert (raw["settings"]["own"], raw["metadata"]) == ({"x": 1}, {"note": "hi"})
    assert ours(root) == {"models/m/model.json"}


def test_an_edit_of_yaml_keeps_comments(tmp_path: Path) -> None:
    text = textwrap.dedent(
        """\
        # made by hand
        model: m   # its id
        files:
        - models/m/x.gguf
        stop:
          - "<|end|>"  # of a turn

        unknown: {a: 1}   # kept
        ctx_len: 2048 # small
        prompt_template: |+
          a # no comment
          {prompt}

        # the end
        """
    )
    root = plant(tmp_path, {"models/m/model.yml": text})
    store = ModelStore(root)
    model = store.update("m", {"ctx_len": 8192, "stop": ["a", "b"], "temperature": 0.1})
    assert model.settings["ctx_len"] == 8192
    assert (model.parameters["stop"], model.parameters["temperature"]) == (["a", "b"], 0.1)
    expected = text.replace("ctx_len: 2048 # small", "ctx_len: 8192 # small").replace(
        'stop:\n  - "<|end|>"  # of a turn\n', 'stop: ["a", "b"]\n'
    )
    assert model.path.read_text() == expected + "temperature: 0.1\n"
    store.update("m", {"stop": None, "temperature": None})
    assert model.path.read_text() == expected.replace('stop: ["a", "b"]\n\n', "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": "m", // mine\n "name": "x"}', "comments"),
        ('{"id": "m", "name": "a", "name": "b"}', "twice"),
        ("{", "line 1"),
        ("[]", "not an object"),
        ('{"id": "m", "x": NaN}', "compliant"),
    ],
)
def test_what_an_edit_would_lose_is_refused(tmp_path: Path, text: str, says: str) -> None:
    root = plant(tmp_path, {"models/m/model.json": text})
    before = snapshot(root / "models")
    with pytest.raises(errors.JanError, match=says):
        ModelStore(root).update("m", {"name": "new"})
    assert snapshot(root / "models") == before


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("temperature", 9, "within 0 and 2"),
        ("temprature", 1, "No field"),
        ("id", "other", "import it"),
        ("ctx_len", "many", "number"),
    ],
)
def test_an_edit_that_cannot_be(tmp_path: Path, key: str, value: Any, says: str) -> None:
    root = plant(tmp_path, {"models/m/model.json": {"id": "m"}})
    with pytest.raises(errors.UsageError, match=says):
        ModelStore(root).update("m", {key: value})


def test_a_bare_folder_gets_a_description_when_asked(tmp_path: Path) -> None:
    root = plant(tmp_path, {"models/b/x.gguf": GGUF})
    model = ModelStore(root).update("b", {"ctx_len": 512})
    assert (model.source, model.state, model.settings) == ("json", "ready", {"ctx_len": 512})


def test_others_are_only_read(
    isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAN_DATA_FOLDER")
    home = plant(
        isolated / "home",
        {
            ".lmstudio/models/a/b/b.gguf": GGUF,
            ".local/share/Jan/data/models/theirs/model.json": {"id": "theirs"},
            "data/jan-jupyter/engine-models/openai.json": [{"id": "listed"}],
        },
    )
    before = snapshot(home)
    store = ModelStore()
    for name in ("a/b", "theirs", "jan-mini", "listed"):
        for change in (store.remove, lambda model: store.update(model, {"name": "x"})):
            with pytest.raises(errors.ModelReadOnly, match=name):
                change(name)
    assert snapshot(home) == before


# Remove -----------------------------------------------------------------------------------------


def test_a_removal_takes_the_model_and_nothing_else(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", {"x.gguf": GGUF, "p.gguf": GGUF})
    root = plant(
        tmp_path / "jan",
        {
            "models/plain/model.json": {"id": "plain", "sources": [{"filename": "x.gguf"}]},
            "models/plain/x.gguf": GGUF,
            "models/noted/model.json": {"id": "noted"},
            "models/noted/x.gguf": GGUF,
            "models/noted/notes.txt": "mine",
            "models/above/model.json": {"id": "above"},
            "models/above/x.gguf": GGUF,
            "models/above/below/model.json": {"id": "below"},
            "models/above/below/x.gguf": GGUF,
            "models/far/model.json": {
                "id": "far",
                "settings": {"llama_model_path": str(outside / "x.gguf")},
            },
            "models/dots/model.json": {
                "id": "dots",
                "settings": {"llama_model_path": "../../../outside/x.gguf"},
            },
            "models/thief/model.json": {
                "id": "thief",
                "settings": {"llama_model_path": "../noted/x.gguf", "mmproj": "../plain/x.gguf"},
            },
            "models/linked/model.json": {"id": "linked", "sources": [{"filename": "l.gguf"}]},
            "models/one.yml": "model: one\nfiles: [models/shared/s.gguf]",
            "models/two.yml": "model: two\nfiles: [models/shared/s.gguf]",
            "models/shared/s.gguf": GGUF,
            "llamacpp/models/a/b/model.yml": "model_path: llamacpp/models/a/b/model.gguf",
            "llamacpp/models/a/b/model.gguf": GGUF,
            "models/split/model.json": {"id": "split"},
            "models/split/s-00001-of-00002.gguf": GGUF,
            "models/split/s-00002-of-00002.gguf": GGUF,
            "models/bare/x.gguf": GGUF,
        },
    )
    (root / "models/linked/l.gguf").symlink_to(outside / "x.gguf")
    store = ModelStore(root)
    left = tree(root)

    def removed(name: str, *files: str, stays: tuple[str, ...] = ()) -> None:
        nonlocal left
        found = store.remove(name)
        assert [path.name for path in found] == [*stays]
        left -= set(files)
        assert ours(root) == left
        assert all(model.id != name for model in store.list() if model.source != "bare")

    removed("plain", "models/plain/model.json", "models/plain/x.gguf")
    assert not (root / "models/plain").exists()
    removed("thief", "models/thief/model.json")
    removed("noted", "models/noted/model.json", "models/noted/x.gguf", stays=("notes.txt",))
    removed("above", "models/above/model.json", "models/above/x.gguf", stays=("below",))
    removed("far", "models/far/model.json")
    removed("dots", "models/dots/model.json")
    removed("linked", "models/linked/model.json", "models/linked/l.gguf")
    removed("one", "models/one.yml")
    removed("two", "models/two.yml")  # its file is a bare model by now
    removed("shared", "models/shared/s.gguf")
    removed("a/b", "llamacpp/models/a/b/model.yml", "llamacpp/models/a/b/model.gguf")
    assert not (root / "llamacpp/models/a").exists()
    split = [f"models/split/s-0000{i}-of-00002.gguf" for i in (1, 2)]
    removed("split", "models/split/model.json", *split)
    removed("bare", "models/bare/x.gguf")
    assert tree(outside) == {"x.gguf", "p.gguf"}


def test_a_folder_behind_a_link_is_not_touched(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", {"model.json": {"id": "m"}, "x.gguf": GGUF})
    root = plant(tmp_path / "jan", {"models/.keep": ""})
    (root / "models/m").symlink_to(outside, target_is_directory=True)
    (root / "models/n").mkdir()
    (root / "models/n/model.json").symlink_to(outside / "model.json")
    before = snapshot(outside)
    store = ModelStore(root)
    with pytest.raises(errors.ModelReadOnly, match="link"):
        store.remove("m")
    with pytest.raises(errors.ModelReadOnly, match="link"):
        store.update(next(m for m in store.list() if m.folder.name == "n"), {"name": "x"})
    assert snapshot(outside) == before


def test_a_path_without_a_name_is_not_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = plant(tmp_path / "here", {"a.gguf": GGUF})
    monkeypatch.chdir(here)
    store = ModelStore(tmp_path / "jan")
    waiting = store.create({"id": "m", "sources": [{"filename": "a.gguf"}]})
    doings: list[Callable[[], object]] = [
        lambda: store.create({"id": "n"}, files_from=Path("")),
        lambda: store.add_files(waiting, Path("")),
        lambda: store.import_(Path("")),
        lambda: store.pull(" ", quiet=True),
    ]
    for doing in doings:
        with pytest.raises(errors.UsageError, match="has no name"):
            doing()
    assert tree(here) == {"a.gguf"}
    assert [model.id for model in store.list() if model.source == "json"] == ["m"]


# Import -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["refer", "link", "copy"])
def test_import_of_a_file(tmp_path: Path, how: Any) -> None:
    source = plant(tmp_path / "mine", {"My Model-Q4_0.gguf": GGUF}) / "My Model-Q4_0.gguf"
    store = ModelStore(tmp_path / "jan")
    model = store.import_(source, how=how)
    assert (model.id, model.state, model.warnings) == ("My Model-Q4_0", "ready", ())
    files = {"models/My Model-Q4_0/model.json"}
    if how != "refer":
        files.add("models/My Model-Q4_0/My Model-Q4_0.gguf")
        assert model.file is not None
        assert model.file.samefile(source) == (how == "link")
    assert ours(tmp_path / "jan") == files
    store.remove(model)
    assert ours(tmp_path / "jan") == set()
    assert source.read_bytes() == GGUF


@pytest.mark.parametrize("how", ["refer", "link", "copy"])
def test_import_of_split_files_and_projectors(tmp_path: Path, how: Any) -> None:
    names = [f"s-0000{i}-of-00002.gguf" for i in (1, 2)]
    folder = plant(tmp_path / "mine/s", {names[0]: GGUF, names[1]: GGUF, "mmproj.gguf": GGUF})
    store = ModelStore(tmp_path / "jan")
    model = store.import_(folder, how=how, id="theirs")
    assert (model.state, model.size) == ("ready", 2 * len(GGUF))
    assert model.projector is not None
    again = store.import_(folder / names[1], how=how)
    assert (again.id, again.state, again.size) == ("s", "ready", 2 * len(GGUF))


@pytest.mark.parametrize("how", ["refer", "link", "copy"])
def test_import_of_a_description_keeps_it(tmp_path: Path, how: Any) -> None:
    described = {
        "id": "d",
        "zebra": [1],
        "sources": [{"filename": "d.gguf", "url": "https://x.example/d.gguf"}],
        "settings": {"llama_model_path": "d.gguf", "own": 1},
        "parameters": {"temperature": 0.5},
    }
    folder = plant(tmp_path / "mine", {"model.json": described, "d.gguf": GGUF})
    model = ModelStore(tmp_path / "jan").import_(folder, how=how)
    assert (model.id, model.state, model.warnings) == ("d", "ready", ())
    assert (model.raw["zebra"], model.raw["settings"]) == ([1], {"own": 1})
    assert {"filename": "d.gguf", "url": "https://x.example/d.gguf"} in model.raw["sources"]
    assert model.parameters == {"temperature": 0.5}
    if how != "refer":
        shutil.rmtree(folder)
        assert ModelStore(tmp_path / "jan").get("d").state == "ready"


@pytest.mark.parametrize("group", ["settings", "engine_parameters", "parameters"])
def test_an_address_in_a_description_is_refused(tmp_path: Path, group: str) -> None:
    evil = {"id": "e", "engine": "openai", group: {"base_url": "https://evil.example/v1"}}
    plant(tmp_path, {"mine/model.json": evil})
    store = ModelStore(tmp_path / "jan")
    with pytest.raises(errors.UsageError, match=r"sends what it is asked to https://evil\.example"):
        store.import_(tmp_path / "mine")
    assert ours(tmp_path / "jan") == set()
    assert store.import_(tmp_path / "mine", trust_address=True).id == "e"


def test_import_of_another_programs_model(isolated: Path) -> None:
    plant(isolated / "home", {".lmstudio/models/a/b/b.gguf": GGUF})
    store = ModelStore()
    model = store.import_("a/b", id="mine")
    assert (model.id, model.state, model.source) == ("mine", "ready", "json")
    assert [m.id for m in store.list() if m.source == "lmstudio"] == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere/x.gguf", "no file or folder"),
        ("cut.gguf", "only 2 bytes"),
        ("text.txt", r"no \.gguf file"),
        ("empty", "holds no"),
        ("two", "several"),
        ("bad", "line 1"),
        ("no such model", "There is no model"),
    ],
)
def test_what_cannot_be_imported(tmp_path: Path, name: str, says: str, monkeypatch: Any) -> None:
    plant(
        tmp_path,
        {
            "cut.gguf": b"GG",
            "text.txt": "x",
            "empty/x.txt": "x",
            "two/a.gguf": GGUF,
            "two/b.gguf": GGUF,
            "bad/model.json": "{",
        },
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.JanError, match=says):
        ModelStore(tmp_path / "jan").import_(name)
    assert ours(tmp_path / "jan") == set() if (tmp_path / "jan").exists() else True


def test_a_copy_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {"x.gguf": GGUF})
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3))
    with pytest.raises(errors.CannotWrite, match="--link"):
        ModelStore(tmp_path / "jan").import_(tmp_path / "x.gguf", how="copy")
    assert ours(tmp_path / "jan") == set()


# Any sequence -----------------------------------------------------------------------------------


class AnySequence(RuleBasedStateMachine):
    """Whatever is done in whatever order, exactly the files are there that should be."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.base = Path(tempfile.mkdtemp(prefix="jan-any-"))
        self.source = plant(self.base / "outside", {"o.gguf": GGUF}) / "o.gguf"
        self.store = ModelStore(self.base / "jan")
        self.expected: dict[str, tuple[set[str], dict[str, Any]]] = {}
        self.serial = 0

    def teardown(self) -> None:
        shutil.rmtree(self.base)

    @rule(target=names, name=st.sampled_from(["a", "A", "a/b", "a:b", "a/b/c", "..", "ü x", "con"]))
    def choose(self, name: str) -> str:
        return name

    def _new(self, name: str, make: Any, files: set[str]) -> None:
        taken = {known.casefold() for known in self.expected}
        if name.casefold() in taken:
            with pytest.raises(errors.ModelExists):
                make()
            return
        model = make()
        folder = model.folder.relative_to(self.base / "jan").as_posix()
        self.expected[name] = ({f"{folder}/{file}" for file in files}, {})

    @rule(name=names, with_files=st.booleans())
    def create(self, name: str, with_files: bool) -> None:
        self.serial += 1
        given = self.base / "jan/downloads" / str(self.serial)
        description = {"id": name, "unknown": self.serial}
        if with_files:
            plant(given, {"f.gguf": GGUF, "LICENSE": "x"})
            description["sources"] = [{"filename": "f.gguf"}, {"filename": "LICENSE"}]
        files = {"model.json", *(("f.gguf", "LICENSE") if with_files else ())}
        self._new(
            name,
            lambda: self.store.create(description, files_from=given if with_files else None),
            files,
        )
        shutil.rmtree(given, ignore_errors=True)

    @rule(name=names, how=st.sampled_from(["refer", "link", "copy"]))
    def import_(self, name: str, how: Any) -> None:
        files = {"model.json", *(("o.gguf",) if how != "refer" else ())}
        self._new(name, lambda: self.store.import_(self.source, id=name, how=how), files)

    @rule(name=names, value=st.integers(1, 9999))
    def update(self, name: str, value: int) -> None:
        if name in self.expected:
            self.store.update(name, {"ctx_len": value})
            self.expected[name][1]["ctx_len"] = value

    @rule(name=names)
    def remove(self, name: str) -> None:
        if name in self.expected:
            assert self.store.remove(name) == [] or any(other != name for other in self.expected)
            del self.expected[name]

    @invariant()
    def exactly_the_files_that_should_be_there(self) -> None:
        files = set().union(*(files for files, _ in self.expected.values()))
        assert ours(self.base / "jan") == files
        found = {model.id: model for model in ModelStore(self.base / "jan").list()}
        assert found.keys() == self.expected.keys()
        assert {model.id for model in self.store.list()} == found.keys()
        for name, (_, values) in self.expected.items():
            assert found[name].settings.items() >= values.items()
            assert found[name].state in ("ready", "not-downloaded")
        assert self.source.read_bytes() == GGUF


AnySequence.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAnySequence = AnySequence.TestCase


# Hostile names ----------------------------------------------------------------------------------

HOSTILE = [
    *("..", ".", "../..", "../../etc/passwd", "/etc/passwd", "a/../../b", "..\\..\\b", "C:\\x"),
    *("C:x", "\\\\server\\share", "~", "~root/x", "$HOME", "%APPDATA%", "CON", "nul.txt", "COM1:"),
    *(
        "lpt9.gguf",
        "aux/x",
        "a:b",
        "a::$DATA",
        "x.",
        "x ",
        " x",
        ".hidden",
        "-rf",
        "--",
        "*?",
        "a|b",
    ),
    *("x" * 4096, "ü" * 4096, "/" * 4096, "a/" * 2048, "../" * 1365, "模" * 2000, "👩‍👩‍👧" * 500),
    *(
        "․․/x",
        "‥/x",
        "…",
        "／etc／passwd",
        "a∕b",
        "a⁄b",
        "＼x",
        "ａ：ｂ",
        "\u202egpj.exe",
        "a\u200bb",
    ),
    *(
        "a\x00b",
        "a\nb",
        "\x1b[31m",
        "\x7f",
        "config",
        "CONFIG/x",
        "model.json",
        "models",
        "\ufeffa",
    ),
    *("e\u0301", "\u00e9", "ﬁle", "Ω", "K", "ſ", "İ", "a\u0000", "\U000e0001", "\ue000", "|&;`$()"),
]


def hostile_names() -> Iterator[str]:
    yield from HOSTILE
    import random

    chance = random.Random(4)
    pieces = [*HOSTILE, "/", "\\", ":", "..", ".", " ", "a", "models"]
    while True:
        yield "".join(chance.choices(pieces, k=chance.randint(1, 5)))[:5000]


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=LONG)])
def test_hostile_ids_and_paths_stay_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # thousands of them take a minute
    canary = plant(tmp_path / "outside", {"models/x/model.json": {}, "x.gguf": GGUF, "etc": "x"})
    root = tmp_path / "jan"
    (root / "models").mkdir(parents=True)
    (root / "models/out").symlink_to(canary, target_is_directory=True)
    before = snapshot(canary)
    store = ModelStore(root)
    made = 0
    for number, name in zip(range(count), hostile_names(), strict=False):
        try:
            if number % 2:
                evil = {"filename": name, "url": name}
                description = {"id": name, "sources": [evil], "settings": {"mmproj": name}}
                model = store.create(description)
            else:
                model = store.import_(canary / "x.gguf", id=name, how="link")
        except errors.JanError:
            continue
        made += 1
        assert model.path.resolve().is_relative_to(root.resolve() / "models")
        store.update(model, {"temperature": 0.5})
        store.remove(model)
        assert ours(root) == {"models/out"}, name
    assert made > count / 2
    assert {entry.name for entry in tmp_path.iterdir()} == {"outside", "jan"}
    assert snapshot(canary) == before | {"x.gguf": snapshot(canary)["x.gguf"]}


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200) | st.sampled_from(HOSTILE))
def test_folders_are_safe_on_every_system(name: str) -> None:
    parts = folder_parts(name)
    assert 1 <= len(parts) <= 4
    for part in parts:
        assert 0 < len(part.encode()) <= 80
        assert part not in (".", "..")
        assert part[0] != "."
        assert part == part.strip(" .")
        assert not set(part) & set('/\\:*?"<>|\0')
        assert part.isprintable()
        assert part.partition(".")[0].upper() not in {"CON", "NUL", "COM1", "LPT9"}
    assert folder_parts("/".join(parts)) == parts


# Several processes ------------------------------------------------------------------------------

BUSY = """
import random, sys, shutil, pathlib
from jan_jupyter import errors
from jan_jupyter.models import ModelStore
seed, root, source = int(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
chance, store = random.Random(seed), ModelStore(root)
for turn in range(40):
    name = chance.choice(["a", "b", "a/b", "c"])
    try:
        match chance.randrange(5):
            case 0:
                given = root / "downloads" / f"{seed}-{turn}"
                given.mkdir(parents=True)
                shutil.copy(source, given / "x.gguf")
                store.create({"id": name, "sources": [{"filename": "x.gguf"}]}, files_from=given)
            case 1: store.import_(source, id=name, how=chance.choice(["refer", "link", "copy"]))
            case 2: store.update(name, {"ctx_len": chance.randrange(1, 9999)})
            case 3: store.remove(name)
            case 4:
                broken = [m for m in store.list() if m.state == "broken"]
                assert not broken, broken
    except (errors.ModelExists, errors.ModelNotFound):
        pass
"""


def test_processes_at_once_never_leave_a_broken_model(tmp_path: Path) -> None:
    plant(tmp_path, {"x.gguf": GGUF})
    root = tmp_path / "jan"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, str(seed), str(root), str(tmp_path / "x.gguf")],
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2, 3)
    ]
    for process in processes:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    found = ModelStore(root).list()
    assert {model.state for model in found} <= {"ready"}
    known = {model.path for model in found} | {m.file for m in found}
    files = {root / name for name in ours(root) if not name.startswith("downloads/")}
    assert files <= known
    assert not [p for p in (root / "models").iterdir() if p.name.startswith(".")]


KILLED = """
import sys, pathlib, shutil
from jan_jupyter.models import ModelStore
root, source = map(pathlib.Path, sys.argv[1:])
store = ModelStore(root)
print("ready", flush=True)
for turn in range(100000):
    given = root / "downloads" / str(turn)
    given.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, given / "x.gguf")
    store.create({"id": "m", "sources": [{"filename": "x.gguf"}]}, files_from=given)
    store.import_(source, id="n", how="copy")
    store.update("m", {"ctx_len": turn + 1})
    store.remove("m"); store.remove("n")
"""


def test_a_killed_process_leaves_no_broken_model(tmp_path: Path) -> None:
    import random
    import time

    plant(tmp_path, {"x.gguf": GGUF})
    root = tmp_path / "jan"
    chance = random.Random(7)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(root), str(tmp_path / "x.gguf")],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.1))
        process.kill()
        process.wait()
        process.stdout.close()
        store = ModelStore(root)
        assert {model.state for model in store.list()} <= {"ready"}
        for model in store.list():
            store.remove(model)
    ModelStore(root).create({"id": "after"})
    names = {name for name in ours(root) if not name.startswith("downloads/")}
    assert names == {"models/after/model.json"}
