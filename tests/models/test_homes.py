"""Models of other programs: trees as those programs write them, found where they lie."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.models import Model, ModelStore
from jan_jupyter.models import other_apps as homes
from jan_jupyter.settings import Jan

from .trees import STUB, gguf_bytes, plant, snapshot


def listed(source: str) -> dict[str, Model]:
    Jan.clear_instance()
    return {m.id: m for m in ModelStore().list() if m.source == source}


def blob(content: Any) -> tuple[str, bytes]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return hashlib.sha256(data).hexdigest(), data


def ollama(root: Path, names: Mapping[str, Mapping[str, Any]], separator: str = "-") -> Path:
    """Manifests by their place below `manifests/`: media type -> content."""
    for name, layers in names.items():
        manifest: dict[str, Any] = {"schemaVersion": 2, "config": {}, "layers": []}
        for kind, content in layers.items():
            digest, data = blob(content)
            plant(root, {f"blobs/sha256-{digest}": data})
            manifest["layers"].append(
                {
                    "mediaType": f"application/vnd.ollama.image.{kind}",
                    "digest": f"sha256{separator}{digest}",
                    "size": len(data),
                }
            )
        plant(root, {f"manifests/{name}": manifest})
    return root


# LM Studio --------------------------------------------------------------------------------------


def test_lm_studio(isolated: Path) -> None:
    home = plant(
        isolated / "home",
        {
            ".lmstudio/models/org/one-GGUF/one-Q4_K_M.gguf": STUB,
            ".lmstudio/models/org/one-GGUF/mmproj-model-f16.gguf": STUB,
            ".lmstudio/models/org/two-GGUF/two-Q4_K_M.gguf": STUB + b"a",
            ".lmstudio/models/org/two-GGUF/two-Q8_0.gguf": STUB + b"b",
            ".lmstudio/models/org/split/x-00001-of-00002.gguf": STUB + b"c",
            ".lmstudio/models/org/split/x-00002-of-00002.gguf": STUB + b"d",
            ".lmstudio/models/org/half/y.gguf.part": STUB,
            ".lmstudio/models/org/cut/z.gguf": b"GG",
        },
    )
    before = snapshot(home)
    found = listed("lmstudio")
    assert {name: model.state for name, model in found.items()} == {
        "org/one-GGUF": "ready",
        "org/two-GGUF/two-Q4_K_M": "ready",
        "org/two-GGUF/two-Q8_0": "ready",
        "org/split": "ready",
        "org/cut": "broken",
    }
    one = found["org/one-GGUF"]
    assert one.projector == home / ".lmstudio/models/org/one-GGUF/mmproj-model-f16.gguf"
    assert (one.engine, one.warnings, one.data_folder) == ("nitro", (), None)
    assert found["org/split"].size == len(STUB + b"c" + STUB + b"d")
    assert ModelStore().get("lmstudio:org/one-GGUF") == one
    assert snapshot(home) == before


def test_lm_studio_elsewhere(isolated: Path) -> None:
    plant(
        isolated / "home",
        {
            ".lmstudio-home-pointer": str(isolated / "moved"),
            ".cache/lm-studio/models/a/old/old.gguf": STUB + b"old",
        },
    )
    plant(
        isolated,
        {
            "moved/settings.json": {"downloadsFolder": str(isolated / "disk")},
            "disk/a/new/new.gguf": STUB,
        },
    )
    assert listed("lmstudio").keys() == {"a/new", "a/old"}


# Ollama -----------------------------------------------------------------------------------------


def test_ollama(isolated: Path) -> None:
    parameters = {"temperature": 0.6, "num_ctx": 4096, "stop": ["<|end|>"], "mystery": 1}
    root = ollama(
        isolated / "home/.ollama/models",
        {
            "registry.ollama.ai/library/llama3.2/3b": {
                "model": STUB + b"1",
                "template": b"{{ .Prompt }}",
                "params": parameters,
                "system": b"Be brief.",
                "license": b"long",
            },
            "registry.ollama.ai/library/llama3.2/latest": {"model": STUB + b"2"},
            "registry.ollama.ai/someone/theirs/7b": {
                "model": STUB + b"3",
                "projector": STUB + b"p",
            },
            "hf.co/org/repo-GGUF/Q4_K_M": {"model": STUB + b"4"},
            "registry.ollama.ai/library/cloud/latest": {"config": b"{}"},
            "registry.ollama.ai/library/lora/latest": {"model": STUB + b"5", "adapter": b"x"},
        },
    )
    plant(
        root,
        {
            "manifests/registry.ollama.ai/library/bad/latest": "{",
            "manifests/registry.ollama.ai/library/list/latest": [1],
            "manifests/registry.ollama.ai/library/escape/latest": {
                "layers": [
                    {
                        "mediaType": "application/vnd.ollama.image.model",
                        "digest": "sha256:../../../../etc/passwd",
                    }
                ]
            },
            "manifests/stray": "x",
        },
    )
    found = listed("ollama")
    assert {name: model.state for name, model in found.items()} == {
        "llama3.2:3b": "ready",
        "llama3.2:latest": "ready",
        "someone/theirs:7b": "ready",
        "hf.co/org/repo-GGUF:Q4_K_M": "ready",
        "cloud:latest": "broken",
        "lora:latest": "broken",
        "bad:latest": "broken",
        "list:latest": "broken",
        "escape:latest": "broken",
    }
    small = found["llama3.2:3b"]
    assert small.parameters == {"temperature": 0.6, "stop": ["<|end|>"]}
    assert small.settings == {"ctx_len": 4096, "pre_prompt": "Be brief."}
    assert small.file is not None
    assert small.file.parent == root / "blobs"
    assert found["someone/theirs:7b"].projector is not None
    assert "digest of a blob" in found["escape:latest"].reason
    assert ModelStore().get("llama3.2").id == "llama3.2:latest"


def test_ollama_elsewhere_and_of_old(
    isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama(isolated / "home/.ollama/models", {"registry.ollama.ai/library/no/1": {"model": STUB}})
    ollama(tmp_path, {"registry.ollama.ai/library/yes/1": {"model": STUB}}, separator=":")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    assert listed("ollama").keys() == {"yes:1"}
    os.remove(next((tmp_path / "blobs").iterdir()))
    assert listed("ollama")["yes:1"].state == "missing-file"


# Hugging Face -----------------------------------------------------------------------------------


def hub(root: Path, repository: str, revisions: Mapping[str, Mapping[str, bytes]]) -> None:
    base = root / f"models--{repository.replace('/', '--')}"
    for revision, files in revisions.items():
        for name, data in files.items():
            digest, _ = blob(data)
            plant(base, {f"blobs/{digest}": data})
            link = base / "snapshots" / revision / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(base / "blobs" / digest, link.parent))


def test_hugging_face(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = isolated / "home/cache/huggingface/hub"
    hub(
        root,
        "org/model-GGUF",
        {
            "bbb": {"model-Q4_K_M.gguf": STUB + b"new", "README.md": b"x"},
            "aaa": {"model-Q4_K_M.gguf": STUB + b"old", "model-Q8_0.gguf": STUB + b"8"},
        },
    )
    plant(root, {"models--org--model-GGUF/refs/main": "bbb"})
    hub(root, "org/split-GGUF", {"c": {f"UD-Q2_K_XL/s-UD-Q2_K_XL-0000{i}-of-00002.gguf":
                                      STUB + bytes([i]) for i in (1, 2)}})  # fmt: skip
    hub(root, "org/vision", {"d": {"v-f16.gguf": STUB + b"v", "mmproj-v-f16.gguf": STUB + b"m"}})
    hub(root, "org/safetensors", {"e": {"model.safetensors": b"x"}})
    plant(root, {"models--org--half/blobs/x.incomplete": STUB, "version.txt": "1"})
    found = listed("huggingface")
    assert {name: model.state for name, model in found.items()} == {
        "org/model-GGUF:Q4_K_M": "ready",
        "org/model-GGUF:Q8_0": "ready",
        "org/split-GGUF:UD-Q2_K_XL": "ready",
        "org/vision:F16": "ready",
    }
    assert "snapshots/bbb" in str(found["org/model-GGUF:Q4_K_M"].file)
    assert found["org/vision:F16"].projector is not None
    for name, value, place in (
        ("HF_HOME", "moved", "moved/hub"),
        ("HF_HUB_CACHE", "cache", "cache"),
    ):
        hub(isolated / place, "org/other", {"f": {"o.gguf": STUB + name.encode()}})
        monkeypatch.setenv(name, str(isolated / value))
        assert listed("huggingface").keys() == {"org/other"}


def test_a_link_that_leads_nowhere_is_told(isolated: Path) -> None:
    root = isolated / "home/cache/huggingface/hub"
    hub(root, "org/m", {"a": {"m-Q4_0.gguf": STUB}})
    for path in (root / "models--org--m/blobs").iterdir():
        path.unlink()
    (model,) = listed("huggingface").values()
    assert model.state == "missing-file"
    assert "is not there" in model.reason


# Flat folders -----------------------------------------------------------------------------------


def test_llama_cpp(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "manifest=ggml-org=gemma-3-4b-it-GGUF=latest.json": {"ggufFile": {"rfilename": "x"}},
        "ggml-org_gemma-3-4b-it-GGUF_gemma-3-4b-it-Q4_K_M.gguf": STUB + b"1",
        "ggml-org_gemma-3-4b-it-GGUF_gemma-3-4b-it-Q4_K_M.gguf.etag": "x",
        "ggml-org_gemma-3-4b-it-GGUF_mmproj-model-f16.gguf": STUB + b"p",
        "other.gguf": STUB + b"2",
        "half.gguf.downloadInProgress": STUB,
    }
    plant(isolated / "home/cache/llama.cpp", files)
    found = listed("llama.cpp")
    assert found.keys() == {"ggml-org/gemma-3-4b-it-GGUF:Q4_K_M", "other"}
    projector = found["ggml-org/gemma-3-4b-it-GGUF:Q4_K_M"].projector
    assert projector is not None
    assert projector.name == "ggml-org_gemma-3-4b-it-GGUF_mmproj-model-f16.gguf"
    assert found["other"].projector is None
    plant(isolated / "elsewhere", {"moved.gguf": STUB})
    monkeypatch.setenv("LLAMA_CACHE", str(isolated / "elsewhere"))
    assert listed("llama.cpp").keys() == {"moved"}


def test_gpt4all(isolated: Path) -> None:
    plant(
        isolated / "home",
        {
            "data/nomic.ai/GPT4All/Llama-3.2-1B-Instruct-Q4_0.gguf": STUB + b"1",
            "data/nomic.ai/GPT4All/incomplete-big.gguf": STUB,
            "data/nomic.ai/GPT4All/gpt4all-remote.rmodel": "x",
            ".cache/gpt4all/orca-mini-3b.gguf": STUB + b"2",
            "config/nomic.ai/GPT4All.ini": f"[General]\nmodelPath={isolated / 'disk'}\n",
        },
    )
    plant(isolated, {"disk/chosen.gguf": STUB + b"3"})
    assert listed("gpt4all").keys() == {"Llama-3.2-1B-Instruct-Q4_0", "orca-mini-3b", "chosen"}


def test_folders_of_the_user(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(isolated, {"a/x.gguf": STUB + b"1", "a/deep/er/y.gguf": STUB + b"2", "b/z.gguf": STUB})
    folders = [str(isolated / name) for name in ("a", "b", "nowhere")]
    monkeypatch.setenv("JAN_MODEL_FOLDERS", os.pathsep.join(folders))
    assert listed("folder").keys() == {"x", "deep/er", "z"}


@pytest.mark.parametrize(
    ("platform", "kind", "expected"),
    [
        ("linux", "ollama", "/home/u/.ollama/models"),
        ("darwin", "llama.cpp", "/home/u/Library/Caches/llama.cpp"),
        ("darwin", "gpt4all", "/home/u/Library/Application Support/nomic.ai/GPT4All"),
        ("win32", "llama.cpp", "/local/llama.cpp"),
        ("win32", "gpt4all", "/local/nomic.ai/GPT4All"),
        ("linux", "huggingface", "/home/u/.cache/huggingface/hub"),
        ("win32", "huggingface", "/home/u/.cache/huggingface/hub"),
        ("linux", "lmstudio", "/home/u/.lmstudio/models"),
    ],
)
def test_where_they_are(platform: str, kind: str, expected: str) -> None:
    environment = {"LOCALAPPDATA": "/local"} if platform == "win32" else {}
    assert Path(expected) in homes.roots(kind, platform, environment, Path("/home/u"))


# All of them ------------------------------------------------------------------------------------


def test_each_can_be_switched_off(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(isolated / "home", {".lmstudio/models/a/b/b.gguf": STUB})
    ollama(
        isolated / "home/.ollama/models", {"registry.ollama.ai/library/o/1": {"model": STUB + b"o"}}
    )
    assert (len(listed("lmstudio")), len(listed("ollama"))) == (1, 1)
    monkeypatch.setenv("JAN_HOMES", "Ollama")
    assert (len(listed("lmstudio")), len(listed("ollama"))) == (0, 1)
    monkeypatch.setenv("JAN_HOMES", "none")
    assert (len(listed("lmstudio")), len(listed("ollama"))) == (0, 0)
    assert ModelStore(isolated / "jan").list() == []


def test_a_file_that_is_met_twice_is_one_model(isolated: Path) -> None:
    data = gguf_bytes({"general.architecture": "llama"})
    home = plant(isolated / "home", {".lmstudio/models/a/b/b.gguf": data})
    file = home / ".lmstudio/models/a/b/b.gguf"
    (home / "data/nomic.ai/GPT4All").mkdir(parents=True)
    (home / "data/nomic.ai/GPT4All/hard.gguf").hardlink_to(file)
    (home / "cache/llama.cpp").mkdir(parents=True)
    (home / "cache/llama.cpp/soft.gguf").symlink_to(file)
    found = [m for m in ModelStore().list() if m.is_foreign]
    assert [(m.source, m.id) for m in found] == [("lmstudio", "a/b")]
    ours = ModelStore().import_(file, id="ours")
    again = ModelStore().import_(file, id="with other settings", how="link")
    every = ModelStore().list()
    assert not any(m.is_foreign for m in every)
    assert {ours.id, again.id} <= {m.id for m in every}


def test_what_is_new_is_there_at_the_next_look(isolated: Path) -> None:
    store = ModelStore()
    plant(isolated / "home", {".lmstudio/models/a/b/b.gguf": STUB})
    assert store.get("a/b").state == "ready"
    os.remove(isolated / "home/.lmstudio/models/a/b/b.gguf")
    assert not any(m.is_foreign for m in store.list())
    plant(isolated / "home", {".lmstudio/models/a/b/c.gguf": STUB})
    assert store.get("a/b").file == isolated / "home/.lmstudio/models/a/b/c.gguf"


@pytest.mark.parametrize(
    ("stem", "told"),
    [
        ("llama-3.2-3b-instruct-q4_k_m", "Q4_K_M"),
        ("Qwen3-UD-Q2_K_XL", "UD-Q2_K_XL"),
        ("x.IQ4_XS", "IQ4_XS"),
        ("gpt-oss-20b-mxfp4", "MXFP4"),
        ("model-f16", "F16"),
        ("BF16-thing-Q8_0", "Q8_0"),
        ("phi-2", ""),
        ("Q", ""),
    ],
)
def test_the_quantisation_that_a_name_tells(stem: str, told: str) -> None:
    assert homes.quantisation_of(stem) == told
