"""Listing a generated tree of models: the first time, and when nothing or one model changed."""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from jan_jupyter import ModelStore

BOUNDS = {1000: (0.15, 0.015), 10_000: (1.0, 0.1)}
GGUF = b"GGUF\x03\x00\x00\x00" + bytes(64)
SETTLED = 2.2  # seconds after which a change is known to be an old one


def described(number: int) -> dict[str, Any]:
    return {
        "id": f"model-{number:05}",
        "object": "model",
        "name": f"Model {number}",
        "version": "1.0",
        "format": "gguf",
        "engine": "nitro",
        "sources": [{"filename": "m-Q4_K_M.gguf", "url": f"https://models.example/{number}.gguf"}],
        "settings": {
            "ctx_len": 8192,
            "ngl": 33,
            "prompt_template": "<|user|>\n{prompt}<|end|>\n<|assistant|>\n",
        },
        "parameters": {"temperature": 0.7, "top_p": 0.95, "max_tokens": 2048, "stop": ["<|end|>"]},
        "metadata": {"author": "nobody", "tags": ["7B"], "size": 4_370_000_000},
    }


def plant(root: Path, count: int) -> None:
    for number in range(count):
        folder = root / "models" / f"model-{number:05}"
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps(described(number), indent=2))
        (folder / "m-Q4_K_M.gguf").write_bytes(GGUF)


def seconds(work: Any) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def main() -> None:
    ModelStore(Path("/nowhere")).list()  # imports
    for count, (cold_bound, warm_bound) in BOUNDS.items():
        root = Path(tempfile.mkdtemp(prefix="jan-bench-"))
        try:
            plant(root, count)
            sleep(SETTLED)
            measure(root, count, cold_bound, warm_bound)
        finally:
            shutil.rmtree(root)


def measure(root: Path, count: int, cold_bound: float, warm_bound: float) -> None:
    # Each is the first listing of a kernel: what another store left is not the collector's work.
    cold = median(seconds(ModelStore(root).list) for _ in range(5) if gc.collect() >= 0)
    store = ModelStore(root)
    assert len(store.list()) == count
    warm = median(seconds(store.list) for _ in range(9))
    one = median(seconds(lambda: store.get(f"model-{count // 2:05}")) for _ in range(9))
    fresh = median(
        seconds(lambda: ModelStore(root).get(f"model-{count // 2:05}")) for _ in range(9)
    )
    folder = root / "models" / "model-new"
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(described(count)))
    gc.collect()
    added = seconds(store.list)
    assert store.get(f"model-{count:05}").name == f"Model {count}"
    print(
        f"{count:,} models: cold {cold:.3f} s (bound {cold_bound}), warm {warm:.4f} s (bound"
        f" {warm_bound}), after one was added {added:.3f} s; one by its name {1000 * one:.1f} ms"
        f" (first of all: {1000 * fresh:.1f} ms)"
    )
