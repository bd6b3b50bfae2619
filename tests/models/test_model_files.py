"""Main file, projector, split parts and broken files."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.models import Model

from .trees import STUB, only, plant

URL = "https://h/some.gguf"


def model(tmp_path: Path, files: list[str], folder: str = "m", **fields: Any) -> Model:
    """The model of a folder that holds a `model.json` and these files."""
    tree: dict[str, Any] = {f"models/{folder}/{file}": STUB for file in files}
    return only(plant(tmp_path, {**tree, f"models/{folder}/model.json": fields}))


def name(path: Path | None) -> str | None:
    return path.name if path else None


@pytest.mark.parametrize(
    ("files", "fields", "main"),
    [
        (["a.gguf", "b.gguf"], {"settings": {"llama_model_path": "b.gguf"}}, "b.gguf"),
        (["a.gguf", "b.gguf"], {"settings": {"model_path": "b.gguf"}}, "b.gguf"),
        (
            ["a.gguf", "b.gguf"],
            {"settings": {"llama_model_path": "N/A"}, "source_url": "b.gguf"},
            "b.gguf",
        ),
        (
            ["a.gguf", "b.gguf"],
            {"settings": {"llama_model_path": "c"}, "source_url": "b.gguf"},
            "b.gguf",
        ),
        (["a.gguf", "b.gguf"], {"sources": [{"url": URL, "filename": "b.gguf"}]}, "b.gguf"),
        (["a.gguf", "some.gguf"], {"source_url": f"{URL}?x=1"}, "some.gguf"),
        (["mmproj-a.gguf", "b.gguf"], {"sources": ["mmproj-a.gguf"]}, "b.gguf"),
        (["x.gguf"], {"source_url": URL}, "x.gguf"),
        (["x.GGUF"], {}, "x.GGUF"),
        (["m"], {}, "m"),
        (["the-id"], {"id": "the-id"}, "the-id"),
    ],
)
def test_main_file(tmp_path: Path, files: list[str], fields: dict[str, Any], main: str) -> None:
    found = model(tmp_path, files, **fields)
    assert (name(found.file), found.state, found.reason) == (main, "ready", "")
    assert not any("several" in warning for warning in found.warnings)


def test_the_first_of_several_with_a_warning(tmp_path: Path) -> None:
    found = model(tmp_path, ["c.gguf", "b.gguf", "a-mmproj.gguf"], source_url=URL)
    assert (name(found.file), name(found.projector)) == ("b.gguf", "a-mmproj.gguf")
    assert any("several" in warning for warning in found.warnings)


def test_an_absolute_path_comes_first(tmp_path: Path) -> None:
    outside = plant(tmp_path / "else", {"x.gguf": STUB}) / "x.gguf"
    found = model(tmp_path / "d", ["a.gguf"], settings={"llama_model_path": str(outside)})
    assert found.file == outside


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "not-downloaded"),
        ({"source_url": URL}, "not-downloaded"),
        ({"source_url": URL, "settings": {"llama_model_path": "x.gguf"}}, "not-downloaded"),
        ({"source_url": "https://h/<os>/<gpuarch>/x"}, "not-downloaded"),
        ({"settings": {"llama_model_path": "x.gguf"}}, "missing-file"),
        ({"source_url": URL, "settings": {"llama_model_path": "/no/x.gguf"}}, "missing-file"),
        ({"source_url": URL, "settings": {"llama_model_path": "C:\\no\\x.gguf"}}, "missing-file"),
        ({"source_url": "/no/x.gguf"}, "missing-file"),
        ({"source_url": "x.gguf"}, "missing-file"),
        ({"source_url": "<absolute-path>"}, "missing-file"),
        ({"sources": [{"url": "/no/mmproj.gguf"}, {"url": URL}]}, "not-downloaded"),
        ({"settings": {"llama_model_path": "x\0y"}}, "missing-file"),
        ({"settings": {"llama_model_path": "x" * 5000}}, "missing-file"),
        ({"settings": {"llama_model_path": "."}}, "missing-file"),
    ],
)
def test_no_main_file(tmp_path: Path, fields: dict[str, Any], state: str) -> None:
    found = model(tmp_path, [], **fields)
    assert (found.file, found.state) == (None, state)
    assert found.reason


def test_a_placeholder_address_cannot_be_downloaded(tmp_path: Path) -> None:
    assert "placeholder" in model(tmp_path, [], source_url="https://h/<os>/x").reason


@pytest.mark.parametrize(
    ("files", "fields", "projector"),
    [
        (["p.gguf", "x.gguf", "mmproj.gguf"], {"mmproj": "p.gguf"}, "p.gguf"),
        (["x.gguf", "mmproj.gguf"], {}, "mmproj.gguf"),
        (["x.gguf", "a-MMProj.gguf"], {}, "a-MMProj.gguf"),
        (["x.gguf", "mmproj.gguf"], {"mmproj": "lost.gguf"}, "mmproj.gguf"),
        (["x.gguf"], {"mmproj": "lost.gguf"}, None),
        (["x.gguf"], {}, None),
        (
            ["a-clip.gguf", "x.gguf"],
            {"mmproj": "a-clip.gguf", "llama_model_path": ""},
            "a-clip.gguf",
        ),
    ],
)
def test_projector(
    tmp_path: Path, files: list[str], fields: dict[str, str], projector: str | None
) -> None:
    found = model(tmp_path, files, settings={"llama_model_path": "x.gguf", **fields})
    assert (name(found.file), name(found.projector)) == ("x.gguf", projector)
    assert any("mmproj" in w for w in found.warnings) == (bool(fields) and projector is None)


def test_a_projector_that_a_source_names(tmp_path: Path) -> None:
    sources = [{"url": URL}, {"url": "https://h/mmproj-f16.bin"}]
    found = model(tmp_path, ["some.gguf", "mmproj-f16.bin"], sources=sources)
    assert name(found.projector) == "mmproj-f16.bin"


def test_parts_are_all_needed_and_the_first_is_passed(tmp_path: Path) -> None:
    parts = [f"x-0000{i}-of-00003.gguf" for i in (1, 2, 3)]
    found = model(tmp_path, parts, settings={"llama_model_path": parts[1]})
    assert (name(found.file), found.state) == (parts[0], "ready")
    assert model(tmp_path, parts).warnings == ()
    (tmp_path / "models/m" / parts[2]).unlink()
    found = only(tmp_path)
    assert (found.file, found.state) == (None, "not-downloaded")
    assert parts[2] in found.reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        STUB[:7],
        b"GGML" + STUB[4:],
        b"GGUF" + struct.pack("<I", 1),
        b"GGUF" + struct.pack(">I", 1),
        b"<!DOCTYPE html>",
    ],
)
def test_a_file_that_is_no_model_is_broken(tmp_path: Path, content: bytes) -> None:
    found = only(plant(tmp_path, {"models/m/model.json": {}, "models/m/x.gguf": content}))
    assert found.state == "broken"
    assert "x.gguf" in found.reason


@pytest.mark.parametrize("content", [STUB, b"GGUF" + struct.pack(">I", 3), b"GGUF\x02\0\0\0"])
def test_a_file_that_begins_like_a_model_is_ready(tmp_path: Path, content: bytes) -> None:
    found = only(plant(tmp_path, {"models/m/model.json": {}, "models/m/x.gguf": content}))
    assert found.state == "ready"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_model_file(tmp_path: Path) -> None:
    plant(tmp_path, {"models/m/model.json": {"settings": {"llama_model_path": "x.gguf"}}})
    os.mkfifo(tmp_path / "models/m/x.gguf")
    assert only(tmp_path).state == "missing-file"


def test_a_model_of_intel_is_a_folder(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "engine": "ipex-llm",
        "settings": {"model_path": str(tmp_path / "llama")},
    }
    assert model(tmp_path, [], **fields).state == "missing-file"
    (tmp_path / "llama").mkdir()
    assert (only(tmp_path).file, only(tmp_path).state) == (tmp_path / "llama", "ready")
    found = model(tmp_path, ["config.json"], engine="bigdl")
    assert (found.engine, found.file, found.state) == ("intel-bigdl", found.folder, "ready")
    found = model(tmp_path, [], engine="bigdl", settings={"base_url": "http://localhost:1"})
    assert found.state == "ready"
