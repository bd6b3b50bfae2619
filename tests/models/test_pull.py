"""Pulling from a real hub that misbehaves: the file is right, or one line says how to mend it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import ModelStore, bridge, errors
from jan_jupyter.engine_options.engine_rows import DATA
from jan_jupyter.models.hub import download, plans, pull, search, sources, variants, wheel
from jan_jupyter.models.hub.pull import Progress
from jan_jupyter.models.hub.unfinished import discard, locked, unfinished
from jan_jupyter.models.machine import GPU, Machine
from jan_jupyter.router import Router
from jan_jupyter.types import Event
from support.hub import TOKEN, Hub
from support.loop import watched_loop
from support.marks import LONG

START = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)
"""The smallest header: no tensors, no values."""
MB = 1_000_000


def model(size: int = 3 * MB, seed: int = 0) -> bytes:
    return START + random.Random(seed).randbytes(size - len(START))


@pytest.fixture(scope="module")
def _hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def site(_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub, with three connections a file and pauses of no length."""
    _hub.clear()
    monkeypatch.setenv("HF_ENDPOINT", _hub.url)
    monkeypatch.setattr(download, "backoff", lambda attempt, asked: 0.01)
    monkeypatch.setattr(download, "PIECE", MB)
    monkeypatch.setattr(download, "BLOCK", 2**16)
    return _hub


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "jan")


def fetch(store: ModelStore, source: str, **options: Any) -> Any:
    return store.pull(source, quiet=True, **options)


def left_over(store: ModelStore) -> list[str]:
    """What lies in the data folder beside the models and the lock of the store."""
    root = store.writable
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and (".pull" in path.parts or path.suffix in (".part", ".tmp"))
    )


def stopped(store: ModelStore, source: str, at: float) -> Progress:
    """Pull, and stop as soon as that share is here."""

    async def run() -> Progress:
        async with aclosing(pull.pull(store, source)) as steps:
            async for now in steps:
                if now.share is not None and now.share >= at:
                    return now
        raise AssertionError("it ended before")

    return bridge.wait(run())


# What is fetched ----------------------------------------------------------------------------------


def test_a_repository_becomes_a_model_that_says_where_it_came_from(
    site: Hub, store: ModelStore
) -> None:
    site.add("org/Tiny-GGUF/Tiny-Q4_K_M.gguf", body := model())
    site.add("org/Tiny-GGUF/README.md", b"# Tiny")
    found = fetch(store, "hf:org/Tiny-GGUF")
    assert (found.id, found.state, found.engine) == ("Tiny-Q4_K_M", "ready", "nitro")
    assert found.file.read_bytes() == body
    written = json.loads(found.path.read_text("utf-8"))
    url = "https://huggingface.co/org/Tiny-GGUF/resolve/0123456789abcdef0123456789abcdef01234567"
    assert written["sources"] == [
        {"filename": "Tiny-Q4_K_M.gguf", "url": f"{url}/Tiny-Q4_K_M.gguf"}
    ]
    sha256 = hashlib.sha256(body).hexdigest()
    assert written["metadata"]["sha256"] == {"Tiny-Q4_K_M.gguf": sha256}
    assert site.sent("org/Tiny-GGUF/Tiny-Q4_K_M.gguf") == len(body)
    assert left_over(store) == []
    site.clear()
    assert fetch(store, "org/Tiny-GGUF").id == found.id
    assert not site.seen(server="cdn")


def test_split_files_and_a_projector_come_together(site: Hub, store: ModelStore) -> None:
    parts = [model(MB + i, i) for i in range(3)]
    for number, part in enumerate(parts, 1):
        site.add(f"org/Eyes-GGUF/Q4_K_M/Eyes-Q4_K_M-{number:05}-of-00003.gguf", part)
    site.add("org/Eyes-GGUF/Eyes-Q8_0.gguf", model(9 * MB))
    site.add("org/Eyes-GGUF/mmproj-Eyes-f32.gguf", model(2 * MB, 8))
    site.add("org/Eyes-GGUF/mmproj-Eyes-f16.gguf", projector := model(MB, 9))
    found = fetch(store, "hf:org/Eyes-GGUF:q4_k_m")
    assert found.id == "Eyes-Q4_K_M"
    assert found.projector.read_bytes() == projector
    assert found.file.name == "Eyes-Q4_K_M-00001-of-00003.gguf"
    there = sorted(path.name for path in found.folder.glob("Eyes*"))
    assert [(found.folder / name).read_bytes() for name in there] == parts


@pytest.mark.parametrize("source", ["hf:org/Two-GGUF/sub/b.gguf", "org/Two-GGUF:b"])
def test_one_file_of_a_repository(source: str, site: Hub, store: ModelStore) -> None:
    site.add("org/Two-GGUF/a.gguf", model(MB, 1))
    site.add("org/Two-GGUF/sub/b.gguf", body := model(MB, 2))
    assert fetch(store, source).file.read_bytes() == body


def test_an_address(site: Hub, store: ModelStore) -> None:
    site.add("org/repo/my model.gguf", body := model())
    found = fetch(store, f"{site.url}/plain/org/repo/my%20model.gguf?download=true")
    assert found.id == "my model"
    assert found.file.read_bytes() == body
    assert found.metadata["sha256"] == {"my model.gguf": hashlib.sha256(body).hexdigest()}


def test_an_address_of_hugging_face_goes_to_the_mirror(site: Hub, store: ModelStore) -> None:
    site.add("org/repo/x.gguf", body := model())
    found = fetch(store, "https://huggingface.co/org/repo/blob/main/x.gguf")
    assert found.file.read_bytes() == body
    assert found.sources[0]["url"] == "https://huggingface.co/org/repo/resolve/main/x.gguf"


def test_an_ollama_name(site: Hub, store: ModelStore) -> None:
    site.add("library/tiny/1b.gguf", body := model())
    site.add("library/tiny/1b.params", b'{"stop": ["<end>"], "num_ctx": 4096, "mirostat": 1}')
    found = fetch(store, f"ollama:{site.url}/library/tiny:1b")
    assert (found.id, found.state) == ("tiny:1b", "ready")
    assert found.file.read_bytes() == body
    assert (found.parameters, found.settings) == ({"stop": ["<end>"]}, {"ctx_len": 4096})
    assert store.get("tiny:1b").path == found.path


def test_a_model_that_waits_for_its_files(site: Hub, store: ModelStore) -> None:
    site.add("org/repo/x.gguf", body := model())
    url = "https://huggingface.co/org/repo/resolve/main/x.gguf"
    store.create({"id": "mine", "mine": 1, "sources": [{"filename": "y.gguf", "url": url}]})
    before = store.get("mine")
    assert (before.state, "`%jan pull mine`" in before.reason) == ("not-downloaded", True)
    written = before.path.read_bytes()
    found = fetch(store, "mine")
    assert (found.state, found.file.name) == ("ready", "y.gguf")
    assert found.file.read_bytes() == body
    assert found.path.read_bytes() == written


def test_a_model_of_another_folder_is_fetched_into_ours(
    site: Hub, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("org/repo/x.gguf", body := model())
    monkeypatch.delenv("JAN_DATA_FOLDER")
    theirs = isolated / "home" / "data" / "Jan" / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(isolated / "home" / "data"))
    monkeypatch.setenv("HOME", str(isolated / "home"))
    home = isolated / "home" / ".local" / "share" / "Jan" / "data"
    source = {"url": "https://huggingface.co/org/repo/resolve/main/x.gguf"}
    (home / "models" / "m").mkdir(parents=True)
    path = home / "models" / "m" / "model.json"
    path.write_text(json.dumps({"id": "m", "sources": [source], "parameters": {"top_k": 7}}))
    store = ModelStore()
    assert store.get("m").data_folder == home, theirs
    found = fetch(store, "m")
    assert found.file.read_bytes() == body
    assert found.data_folder == store.writable != home
    assert found.parameters == {"top_k": 7}
    assert [p.name for p in path.parent.iterdir()] == ["model.json"]


def test_equal_names_of_two_repositories(site: Hub, store: ModelStore) -> None:
    site.add("one/Same-GGUF/Same-Q4_K_M.gguf", first := model(MB, 1))
    site.add("two/Same-GGUF/Same-Q4_K_M.gguf", second := model(MB, 2))
    assert fetch(store, "one/Same-GGUF").file.read_bytes() == first
    found = fetch(store, "two/Same-GGUF")
    assert (found.id, found.file.read_bytes()) == ("two/Same-Q4_K_M", second)
    named = fetch(store, "two/Same-GGUF", id="mine")
    assert (named.id, named.file.read_bytes()) == ("mine", second)


def test_watchers_of_the_router_are_told(site: Hub, store: ModelStore) -> None:
    site.add("org/Watched-GGUF/Watched.gguf", model(4 * MB))
    site.behave("org/Watched-GGUF/Watched.gguf", rate=3 * MB)
    router, events = Router(store), list[Event]()
    router.watch(events.append)
    *steps, last = bridge.iterate(router.pull("org/Watched-GGUF"))
    assert last.model is not None
    assert [event.state for event in events] == [*["downloading"] * len(steps), "unloaded"]
    assert {event.model for event in events} == {"Watched"}
    told = [event.progress for event in events if event.progress is not None]
    assert told == sorted(told)
    assert 0 < min(filter(None, told)) < 1
    assert told[-1] == 1
    with pytest.raises(errors.ModelNotFound):
        list(bridge.iterate(router.pull("org/nobody")))
    assert (events[-1].state, "org/nobody" in events[-1].message) == ("failed", True)


def test_a_script_sees_how_far_it_is_and_how_it_ended(
    site: Hub, store: ModelStore, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("org/Seen-GGUF/Seen-Q8_0.gguf", model(4 * MB))
    site.behave("org/Seen-GGUF/Seen-Q8_0.gguf", rate=3 * MB)
    found = store.pull("hf:org/Seen-GGUF")
    first, *steps, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{found.id}: ")
    assert steps
    assert all("%" in line for line in steps)
    assert last == "Seen-Q8_0 is here (4.0 MB)."
    store.pull("hf:org/Seen-GGUF", quiet=True)
    assert not capsys.readouterr().out


# The line breaks ----------------------------------------------------------------------------------


def test_parallel_ranges(site: Hub, store: ModelStore) -> None:
    site.add("org/Big-GGUF/Big.gguf", body := model(8 * MB))
    site.behave("org/Big-GGUF/Big.gguf", rate=4 * MB)
    assert fetch(store, "org/Big-GGUF").file.read_bytes() == body
    asked = site.seen("org/Big-GGUF/Big.gguf", "cdn")
    assert len(asked) == 8
    assert len(site.seen("org/Big-GGUF/Big.gguf", "hub")) == 1  # the redirect is remembered
    began = sorted(seen.at for seen in asked)
    assert began[3] - began[1] < 0.2  # the first one finds out what there is


@pytest.mark.parametrize(
    "behaviour",
    [
        {"cut": 300_000, "times": 6},
        {"status": 503, "times": 3},
        {"status": 429, "retry_after": 1, "times": 2},
        {"signatures": 2},
        {"etag": 'W/"weak"', "cut": 300_000, "times": 4},
        {"ranges": False},
        {"ranges": False, "cut": 300_000, "times": 1},
        {"ranges": False, "length": False},
        {"ranges": False, "length": False, "cut": 300_000, "times": 2},
        {"etag": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("hashes", [True, False])
def test_what_a_server_may_do_on_the_way(
    behaviour: dict[str, Any], hashes: bool, site: Hub, store: ModelStore
) -> None:
    site.add("org/Odd-GGUF/Odd.gguf", body := model(3 * MB))
    site.behave("org/Odd-GGUF/Odd.gguf", hashes=hashes, **behaviour)
    assert fetch(store, "org/Odd-GGUF").file.read_bytes() == body
    assert left_over(store) == []


def test_a_cut_without_length_or_hash_is_no_whole_file(site: Hub, store: ModelStore) -> None:
    """Such a server cannot tell us: the file must say itself that it is whole."""
    bundled = DATA / "models" / "jan-mini" / "jan-mini.gguf"
    site.add("org/repo/mini.gguf", bundled.read_bytes())
    site.behave("org/repo/mini.gguf", ranges=False, length=False, cut=MB)
    with pytest.raises(errors.DownloadFailed, match="not a whole model"):
        fetch(store, f"{site.url}/plain/org/repo/mini.gguf")
    assert store.list() == []
    assert left_over(store) == []


def test_a_stopped_pull_goes_on(site: Hub, store: ModelStore) -> None:
    name = "org/Stop-GGUF/Stop.gguf"
    site.add(name, body := model(8 * MB))
    site.behave(name, rate=MB)
    stopped(store, "org/Stop-GGUF", 0.4)
    assert store.list() == []
    assert left_over(store)
    site.behave(name)
    assert fetch(store, "org/Stop-GGUF").file.read_bytes() == body
    assert site.sent(name) < 1.1 * len(body)
    assert left_over(store) == []


def test_who_ends_takes_no_folder_from_who_begins(tmp_path: Path) -> None:
    """What they share stays, or one of them would not find what it has just made."""

    def come_and_go(number: int) -> int:
        alone = 0
        for _ in range(300):
            with locked(tmp_path / ".pull" / f"model-{number}") as mine:
                alone += mine
        return alone

    with ThreadPoolExecutor(4) as threads:
        assert [*threads.map(come_and_go, range(4))] == [300] * 4
    assert [*(tmp_path / ".pull").iterdir()] == []


def test_an_unfinished_pull_is_known_by_its_name(site: Hub, store: ModelStore) -> None:
    name = "org/Half-GGUF/Half.gguf"
    site.add(name, body := model(8 * MB))
    site.behave(name, rate=MB)
    for _ in range(2):
        stopped(store, "hf:org/Half-GGUF", 0.4)
        (known,) = unfinished(store.writable)
        assert (known.id, known.source, known.total) == ("Half", "hf:org/Half-GGUF", 8 * MB)
        assert known.done >= 0.4 * 8 * MB
        assert discard(store.writable, "Half") == known
        assert (unfinished(store.writable), left_over(store)) == ([], [])
    stopped(store, "hf:org/Half-GGUF", 0.4)
    site.behave(name)
    assert fetch(store, "Half").file.read_bytes() == body
    with pytest.raises(errors.ModelNotFound, match="no unfinished pull"):
        discard(store.writable, "Half")


def test_what_is_being_fetched_is_not_discarded(site: Hub, store: ModelStore) -> None:
    name = "org/Busy-GGUF/Busy.gguf"
    site.add(name, model(8 * MB))
    site.behave(name, rate=MB)
    with closing(bridge.iterate(pull.pull(store, "org/Busy-GGUF"))) as steps:
        for now in steps:
            if now.done > MB:
                with pytest.raises(errors.CannotWrite, match="Busy is being fetched"):
                    discard(store.writable, "Busy")
                break


def test_another_file_on_the_server_is_fetched_from_its_start(site: Hub, store: ModelStore) -> None:
    name = "org/repo/x.gguf"
    source = f"{site.url}/plain/{name}"
    site.add(name, model(8 * MB, 1))
    site.behave(name, rate=MB)
    stopped(store, source, 0.4)
    site.add(name, body := model(8 * MB, 2))
    site.behave(name)
    assert fetch(store, source).file.read_bytes() == body


def test_a_shorter_file_on_the_server(site: Hub, store: ModelStore) -> None:
    name = "org/repo/x.gguf"
    source = f"{site.url}/plain/{name}"
    site.add(name, model(8 * MB, 1))
    site.behave(name, rate=MB, etag='"same"')
    stopped(store, source, 0.4)
    site.add(name, body := model(MB, 2))
    site.behave(name, etag='"same"')
    assert fetch(store, source).file.read_bytes() == body


def test_a_hash_that_differs(site: Hub, store: ModelStore) -> None:
    site.add("org/Bad-GGUF/Bad.gguf", model())
    site.behave("org/Bad-GGUF/Bad.gguf", wrong=True)
    with pytest.raises(errors.DownloadFailed, match=r"damaged.*Pull again"):
        fetch(store, "org/Bad-GGUF")
    assert store.list() == []
    assert left_over(store) == []


def test_a_part_that_was_damaged_on_the_disk_is_fetched_again(site: Hub, store: ModelStore) -> None:
    name = "org/Rot-GGUF/Rot.gguf"
    site.add(name, body := model(8 * MB))
    site.behave(name, rate=MB)
    stopped(store, "org/Rot-GGUF", 0.4)
    (part,) = store.writable.rglob("*.part")
    with part.open("r+b") as file:
        file.seek(1000)
        file.write(b"rot")
    site.behave(name)
    assert fetch(store, "org/Rot-GGUF").file.read_bytes() == body


@pytest.mark.parametrize("rubbish", [b"", b"{}", b"[1]", b'{"size": 9}\n[5, 2]'])
def test_a_damaged_journal_costs_a_new_start(rubbish: bytes, site: Hub, store: ModelStore) -> None:
    name = "org/Rub-GGUF/Rub.gguf"
    site.add(name, body := model(8 * MB))
    site.behave(name, rate=MB)
    stopped(store, "org/Rub-GGUF", 0.2)
    (path,) = store.writable.rglob("*.part.journal")
    path.write_bytes(rubbish)
    site.behave(name)
    assert fetch(store, "org/Rub-GGUF").file.read_bytes() == body


def test_stopping_is_quick_while_nothing_comes(site: Hub, store: ModelStore) -> None:
    site.add("org/Slow-GGUF/Slow.gguf", model())
    site.behave("org/Slow-GGUF/Slow.gguf", stall=100_000)
    began = time.monotonic()
    with closing(bridge.iterate(pull.pull(store, "org/Slow-GGUF"))) as steps:
        for now in steps:
            if now.done:
                break
            assert time.monotonic() - began < 30
        asked = time.monotonic()
    assert time.monotonic() - asked < 5


# Keys ---------------------------------------------------------------------------------------------


def test_the_key_goes_to_its_own_host_only(
    site: Hub, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("org/Secret-GGUF/Secret.gguf", body := model())
    site.behave("org/Secret-GGUF", private=True)
    with pytest.raises(errors.ModelNotFound, match="HF_TOKEN"):
        fetch(store, "org/Secret-GGUF")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    found = fetch(store, "org/Secret-GGUF")
    assert found.file.read_bytes() == body
    assert all("authorization" not in seen.headers for seen in site.seen(server="cdn"))
    assert any("authorization" in seen.headers for seen in site.seen(server="hub"))
    assert all(
        TOKEN.encode() not in path.read_bytes()
        for path in store.writable.rglob("*")
        if path.is_file()
    )
    site.clear()
    monkeypatch.setenv("HF_ENDPOINT", "http://elsewhere.invalid")
    fetch(store, f"{site.url}/plain/org/Secret-GGUF/Secret.gguf", id="plain")
    assert all("authorization" not in seen.headers for seen in site.seen())


def test_a_gated_repository(site: Hub, store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("org/Gate-GGUF/Gate.gguf", model())
    site.behave("org/Gate-GGUF", gated=True)
    for token in ("", TOKEN):
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(errors.DownloadRefused) as caught:
            fetch(store, "org/Gate-GGUF")
        assert "accept its conditions at https://huggingface.co/org/Gate-GGUF" in str(caught.value)
        assert "HF_TOKEN" in str(caught.value)
        assert TOKEN not in str(caught.value)
    assert left_over(store) == []


def test_what_an_address_holds_of_secrets_is_not_written(site: Hub, store: ModelStore) -> None:
    site.add("org/repo/x.gguf", body := model(MB))
    with_user = site.url.replace("//", "//me:pass-4711@")
    found = fetch(store, f"{with_user}/plain/org/repo/x.gguf?X-Amz-Signature=sig-4711&a=b")
    assert found.file.read_bytes() == body
    (asked,) = [seen for seen in site.seen() if seen.status == 206]
    assert "sig-4711" in asked.path
    assert asked.headers["authorization"].startswith("Basic ")
    assert found.sources[0]["url"] == f"{site.url}/plain/org/repo/x.gguf"
    assert "4711" not in found.path.read_text("utf-8")


# One line that helps ------------------------------------------------------------------------------


def test_what_is_not_there(site: Hub, store: ModelStore) -> None:
    site.add("org/None-GGUF/README.md", b"")
    site.add("org/Some-GGUF/Some-Q4_K_M.gguf", model())
    for source, said in (
        ("org/unknown", r"knows no repository org/unknown: look at its spelling"),
        ("org/None-GGUF", r"has no GGUF file.*`%jan search None`"),
        ("org/Some-GGUF:Q9", r"has no quantisation Q9\. It has: Q4_K_M"),
        ("org/Some-GGUF/x.gguf", r"has no file x\.gguf\. It has: Some-Q4_K_M\.gguf"),
        (f"{site.url}/plain/x/y/z.gguf", r"has no z\.gguf \(HTTP 404\)"),
        (f"ollama:{site.url}/library/x:y", r"has no model x:y"),
        ("qwen3", r"neither a model here nor a source\. Did you mean qwen3-"),
        ("https://", r"."),
    ):
        with pytest.raises(errors.ModelNotFound, match=said):
            fetch(store, source)
    assert not store.writable.exists() or left_over(store) == []


def test_a_page_is_no_model(site: Hub, store: ModelStore) -> None:
    site.add("org/repo/x.gguf", b"<!doctype html><title>Log in</title>" + bytes(MB))
    site.behave("org/repo/x.gguf", rate=MB / 4)  # its last piece is here before its first block
    with pytest.raises(errors.ModelBroken, match="not a GGUF file"):
        fetch(store, f"{site.url}/plain/org/repo/x.gguf")
    assert left_over(store) == []


def test_no_network(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for place in (nobody, "http://hub.invalid"):
        monkeypatch.setenv("HF_ENDPOINT", place)
        began = time.monotonic()
        with pytest.raises(errors.DownloadFailed, match=r"cannot be reached.*HTTPS_PROXY"):
            fetch(store, "org/repo")
        assert time.monotonic() - began < 40  # tried once, not for minutes
    assert not store.writable.exists()


def test_no_space(site: Hub, store: ModelStore) -> None:
    site.add("org/Huge-GGUF/Huge.gguf", model(MB))
    site.behave("org/Huge-GGUF/Huge.gguf", size=10**16)
    with pytest.raises(errors.NoSpace, match=r"needs 10,000,000\.0 GB more, but .* free: `%jan rm"):
        fetch(store, "org/Huge-GGUF")
    assert not site.seen(server="cdn")
    assert left_over(store) == []


def test_no_right_to_write(site: Hub, tmp_path: Path) -> None:
    site.add("org/Any-GGUF/Any.gguf", model(MB))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(errors.CannotWrite, match="Cannot write to"):
        fetch(ModelStore(tmp_path / "file" / "jan"), "org/Any-GGUF")


def test_a_hub_that_fails(site: Hub, store: ModelStore) -> None:
    site.add("org/Fail-GGUF/Fail.gguf", model(MB))
    site.behave("org/Fail-GGUF", status=429, retry_after=60)
    with pytest.raises(errors.DownloadFailed, match="takes no more requests just now"):
        fetch(store, "org/Fail-GGUF")
    site.behave("org/Fail-GGUF/Fail.gguf", status=500)
    site.behave("org/Fail-GGUF")
    with pytest.raises(errors.DownloadFailed, match=r"failed on .* \(HTTP 500\)"):
        fetch(store, "org/Fail-GGUF")


# Processes ----------------------------------------------------------------------------------------

PULL = """
import socket, sys

class Socket(socket.socket):
    # What the system has received counts as sent, though we never had it: let that be little.
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)

socket.socket = Socket
from jan_jupyter import ModelStore
from jan_jupyter.models.hub import download
download.PIECE = int(sys.argv[3])
found = ModelStore(sys.argv[1]).pull(sys.argv[2], quiet=True)
print(found.state)
"""


def start(store: ModelStore, source: str, piece: int = 8 * MB) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PULL, str(store.writable), source, str(piece)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_pull_the_same(site: Hub, store: ModelStore) -> None:
    name = "org/Both-GGUF/Both.gguf"
    site.add(name, body := model(20 * MB))
    site.behave(name, rate=5 * MB)
    both = [start(store, "org/Both-GGUF") for _ in range(2)]
    assert [process.communicate(timeout=60) for process in both] == [("ready\n", "")] * 2
    (found,) = store.list()
    assert found.file is not None
    assert found.file.read_bytes() == body
    assert site.sent(name) == len(body)
    assert left_over(store) == []


def test_a_process_that_is_killed_leaves_the_other_to_go_on(site: Hub, store: ModelStore) -> None:
    name = "org/Heir-GGUF/Heir.gguf"
    site.add(name, body := model(20 * MB))
    site.behave(name, rate=4 * MB)
    first = start(store, "org/Heir-GGUF")
    until_sent(site, name, MB)
    second = start(store, "org/Heir-GGUF")
    until_sent(site, name, 5 * MB)
    first.kill()
    first.communicate()
    assert second.communicate(timeout=60) == ("ready\n", "")
    assert store.get("Heir").file.read_bytes() == body  # type: ignore[union-attr]
    assert site.sent(name) <= 1.2 * len(body)


BUSY = """
import random, sys
from jan_jupyter import ModelStore, errors
chance, store, url = random.Random(int(sys.argv[1])), ModelStore(sys.argv[2]), sys.argv[3]
pulled = 0
for turn in range(25):
    name = chance.choice(["a", "b"])
    try:
        match chance.randrange(4):
            case 0 | 1:
                pulled += store.pull(url, id=name, quiet=True).id == name
            case 2: store.import_(sys.argv[4], id=name, how="copy")
            case 3: store.remove(name)
    except (errors.ModelExists, errors.ModelNotFound):
        pass
    states = {model.state for model in store.list()}
    assert states <= {"ready"}, states
print(pulled)
"""


def test_processes_that_pull_import_and_remove_leave_no_broken_model(
    site: Hub, store: ModelStore, tmp_path: Path
) -> None:
    site.add("org/repo/x.gguf", body := model(MB))
    (tmp_path / "here.gguf").write_bytes(body)
    url = f"{site.url}/plain/org/repo/x.gguf"
    arguments = [str(store.writable), url, str(tmp_path / "here.gguf")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, str(seed), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2, 3)
    ]
    told = [process.communicate(timeout=100) for process in processes]
    assert [wrong for _, wrong in told] == [""] * 3
    assert sum(int(pulled) for pulled, _ in told) > 3  # chance may be against one of them
    for found in store.list():
        assert found.file is not None
        assert found.file.read_bytes() == body
    for known in unfinished(store.writable):  # another process took the name meanwhile
        discard(store.writable, known.id)
    assert left_over(store) == []


def until_sent(site: Hub, name: str, count: int) -> None:
    end = time.monotonic() + 30
    while site.sent(name) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    "times", [pytest.param(5, marks=pytest.mark.slow), pytest.param(50, marks=LONG)]
)
def test_killed_anywhere_and_pulled_again(site: Hub, tmp_path: Path, times: int) -> None:
    """At most 5 % is fetched twice, and the file is right."""
    name = "org/Kill-GGUF/Kill.gguf"
    size = 60 * MB
    site.add(name, body := model(size))
    chance = random.Random(4711)
    for number in range(times):
        store = ModelStore(tmp_path / f"jan{number}")
        point = chance.randrange(size)
        site.clear()
        site.behave(name, rate=8 * MB)
        process = start(store, "org/Kill-GGUF")
        until_sent(site, name, point)
        process.kill()
        process.communicate()
        assert store.list() == []
        site.behave(name)
        process = start(store, "org/Kill-GGUF")
        assert process.communicate(timeout=60) == ("ready\n", "")
        (found,) = store.list()
        assert found.file is not None
        assert found.file.read_bytes() == body
        assert left_over(store) == []
        assert site.sent(name) <= 1.05 * size, (point, site.sent(name))
        os.unlink(found.file)


# The parts of it ----------------------------------------------------------------------------------


def test_the_choice_of_a_quantisation() -> None:
    def chosen(memory: float, gpu: float = 0, **sizes: float) -> tuple[str, str]:
        offered = [
            variants.Variant(name, [plans.Wanted("", name, int(gb * 1e9))])
            for name, gb in sorted(sizes.items(), key=lambda item: item[1])
        ]
        total = int(memory * 1e9)
        gpus = (GPU("one", 0, int(gpu * 1e9)),) if gpu else ()
        variant, why = variants.choose(offered, Machine(total, total, gpus))
        return variant.quantisation, why

    seven = {"Q2_K": 3.0, "Q3_K_M": 3.8, "Q4_K_M": 4.7, "Q5_K_M": 5.4, "Q8_0": 7.7, "F16": 15.2}
    name, why = chosen(16, **seven)
    assert name == "Q4_K_M"
    assert why == (
        "Q4_K_M (4.7 GB) of 6 quantisations: the usual balance of quality, size and speed; fits"
        " into 16.0 GB of memory."
    )
    assert chosen(16, 8, **seven)[1].endswith("fits into 8.0 GB of GPU memory.")
    assert chosen(16, 4, **seven)[1].endswith("fits into 16.0 GB of memory.")
    assert chosen(4, 12, **seven)[0] == "Q4_K_M"
    assert chosen(6.5, **seven)[0] == "Q3_K_M"
    name, why = chosen(2, **seven)
    assert name == "Q2_K"
    assert "none fits well into 2.0 GB" in why
    assert chosen(16, Q4_K_M=0.5, Q8_0=0.8)[0] == "Q8_0"
    assert chosen(2, Q4_K_M=0.5, Q8_0=0.8)[0] == "Q4_K_M"
    assert chosen(16, F16=3.0, F32=6.0)[0] == "F16"
    assert chosen(16, Q6_K=3.0)[1].endswith("the only one there.")


@pytest.mark.parametrize(
    ("name", "quantisation"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("mistral-7b-instruct-v0.2.Q5_K_S.gguf", "Q5_K_S"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("Model-UD-Q4_K_XL-00001-of-00002.gguf", "UD-Q4_K_XL"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("Phi-3-mini-4k-instruct-q4.gguf", "Q4"),
        ("mmproj-model-f16.gguf", "F16"),
        ("gemma-3-4b-it-IQ4_XS.gguf", "IQ4_XS"),
        ("tinyllama.gguf", ""),
    ],
)
def test_what_a_name_says(name: str, quantisation: str) -> None:
    assert variants.quantisation_of(name) == quantisation


@pytest.mark.parametrize(
    "name",
    [
        "../../x.gguf",
        "..\\x.gguf",
        "/etc/x.gguf",
        "C:x.gguf",
        ".hidden.gguf",
        "a\nb.gguf",
        "a|b.gguf",
    ],
)
def test_names_lead_nowhere(name: str) -> None:
    safe = plans.safe_name(name)
    assert safe == Path(safe).name
    assert safe.endswith("gguf")
    assert safe[0] != "."
    assert safe.isprintable()


@pytest.mark.parametrize("name", ["..", "", ".gguf", "x" * 300 + ".gguf"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(errors.ModelNotFound):
        plans.safe_name(name)


def test_a_listing_that_leads_out_is_kept_in(site: Hub, store: ModelStore) -> None:
    site.add("org/repo/x.gguf", body := model(MB))
    source = {"filename": "../../../out.gguf", "url": f"{site.url}/plain/org/repo/x.gguf"}
    store.create({"id": "mine", "sources": [source]})
    fetch(store, "mine")
    assert not (store.writable / "out.gguf").exists()
    (there,) = store.writable.rglob("*.gguf")
    assert (there.name, there.read_bytes()) == ("out.gguf", body)
    assert there.parent == store.writable / "models" / "mine"


def test_the_curated_list_is_in_order() -> None:
    names = [known.name for known in search.curated()]
    assert len(names) == len({*names}) >= 10
    for known in search.curated():
        packed = wheel.SOURCE.fullmatch(known.source)
        assert packed or sources._REPOSITORY.fullmatch(known.source), known
        assert not packed or (packed["version"] and packed["file"] and len(known.sha256) == 64)
        assert known.licence
        assert known.size


def test_search(site: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("org/Qwen-Odd-GGUF/Odd-Q4_K_M.gguf", model(MB))
    site.add("org/Qwen-Odd-GGUF/Odd-Q8_0.gguf", model(MB))
    site.behave("org/Qwen-Odd-GGUF", gated=True)
    found = asyncio.run(search.find("qwen odd")).found
    assert [(f.source, f.licence, f.downloads) for f in found] == [
        ("hf:org/Qwen-Odd-GGUF", "apache-2.0", 1234)
    ]
    assert found[0].remark == "2 quantisations, gated: its conditions must be accepted"
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    offline = asyncio.run(search.find("coder"))
    assert [f.name for f in offline.found] == ["qwen2.5-coder-1.5b", "qwen2.5-coder-7b"]
    assert "cannot be reached" in offline.remark


def test_a_pull_looks_at_no_disk_on_the_loop(site: Hub, store: ModelStore) -> None:
    site.add("org/Tiny-GGUF/Tiny-Q4_K_M.gguf", body := model())
    with watched_loop():
        stopped(store, "hf:org/Tiny-GGUF", 0.3)
        found = fetch(store, "hf:org/Tiny-GGUF")
        assert fetch(store, found.id).id == found.id
    assert found.file.read_bytes() == body
