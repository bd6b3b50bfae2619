"""Whether a model fits into memory: weights, context, RAM and GPUs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.models import ModelStore, machine
from jan_jupyter.models.fit import LARGEST_DEFAULT_CONTEXT, OVERHEAD, STEP, estimate, step_bytes
from jan_jupyter.models.gguf import GGUFHeader, read_brief, read_header
from jan_jupyter.models.machine import GPU, Machine
from support.random_model import write_embedder

from .trees import gguf_bytes, plant

GB = 10**9
LLAMA_8B = GGUFHeader(
    version=3,
    size=4_920_000_000,
    architecture="llama",
    context_length=131_072,
    block_count=32,
    embedding_length=4096,
    head_count=32,
    head_count_kv=8,
)
TOKEN = 32 * 8 * 2 * 128 * 2  # bytes of the cache for one token: layers, heads, key and value, f16


def test_what_is_needed_is_weights_and_context() -> None:
    fit = estimate(LLAMA_8B, {"ctx_len": 4096}, Machine(16 * GB, 16 * GB))
    assert fit.needed == LLAMA_8B.size + 4096 * TOKEN + OVERHEAD
    assert (fit.verdict, fit.context, fit.where) == ("fits", 4096, "memory")
    assert fit.largest == (16 * GB - LLAMA_8B.size - OVERHEAD) // TOKEN // STEP * STEP
    assert estimate(LLAMA_8B, {}, Machine(64 * GB, 64 * GB)).context == LARGEST_DEFAULT_CONTEXT
    own = {"ctx_len": 4096, "n_parallel": 4, "kv_unified": False}
    shared = {**own, "kv_unified": True}
    machine = Machine(16 * GB, 16 * GB)
    assert estimate(LLAMA_8B, shared, machine) == fit  # all requests share one context
    assert estimate(LLAMA_8B, own, machine).needed == fit.needed + 3 * 4096 * TOKEN
    assert estimate(LLAMA_8B, own, machine).largest == fit.largest // 4 // STEP * STEP
    quantised = {"ctx_len": 4096, "cache_type_k": "q8_0", "cache_type_v": "q8_0"}
    assert estimate(LLAMA_8B, quantised, Machine(16 * GB, 16 * GB)).needed < fit.needed


@pytest.mark.parametrize(
    ("here", "settings", "verdict", "largest"),
    [
        (Machine(64 * GB, 64 * GB), {"ctx_len": 131_072}, "fits", 131_072),
        (Machine(6 * GB, 16 * GB), {"ctx_len": 16_384}, "slow", 5888),
        (Machine(4 * GB, 16 * GB), {"ctx_len": 4096}, "slow", 0),
        (Machine(4 * GB, 4 * GB), {"ctx_len": 4096}, "too large", 0),
        (
            Machine(60 * GB, 64 * GB, (GPU("RTX", 8 * GB, 8 * GB),)),
            {"ctx_len": 8192},
            "fits",
            20_992,
        ),
        (Machine(60 * GB, 64 * GB, (GPU("RTX", 4 * GB, 8 * GB),)), {"ctx_len": 8192}, "slow", 0),
        (Machine(1 * GB, 2 * GB, (GPU("RTX", 4 * GB, 8 * GB),)), {"ctx_len": 8192}, "too large", 0),
        (Machine(9 * GB, 9 * GB, (GPU("a", 1, 1),)), {"ctx_len": 512, "ngl": 0}, "fits", 28_672),
    ],
)
def test_verdicts(here: Machine, settings: dict[str, Any], verdict: str, largest: int) -> None:
    fit = estimate(LLAMA_8B, settings, here)
    assert (fit.verdict, fit.largest) == (verdict, largest)
    told = str(fit)
    assert told.startswith(verdict)
    assert ("RTX" in told) == ("RTX" in str(here))
    if verdict != "fits" and largest:
        assert f"{largest:,} tokens would fit" in told


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.lists(st.integers(0, 10**11), max_size=3),
    st.integers(1, 10**6),
)
def test_the_context_that_is_said_to_fit_does(
    available: int, more: int, gpus: list[int], context: int
) -> None:
    here = Machine(available, available + more, tuple(GPU("g", free, free) for free in gpus))
    fit = estimate(LLAMA_8B, {"ctx_len": context}, here)
    if fit.largest:
        assert estimate(LLAMA_8B, {"ctx_len": fit.largest}, here).verdict == "fits"
    elif LLAMA_8B.context_length:
        assert estimate(LLAMA_8B, {"ctx_len": STEP}, here).verdict != "fits"


def test_the_store_asks_the_file_and_the_engine(tmp_path: Path) -> None:
    values = {
        "general.architecture": "llama",
        "general.file_type": 15,
        "llama.context_length": 4096,
        "llama.block_count": 2,
        "llama.embedding_length": 64,
        "llama.attention.head_count": 4,
        "tokenizer.ggml.tokens": ["a", "b"],
        "llama.late": 1,
    }
    root = plant(
        tmp_path,
        {
            "models/m/m.gguf": gguf_bytes(values, [("t", [32], 2, 0)], data=64),
            "models/r/model.json": {"id": "r", "engine": "openai"},
            "models/s/s-00001-of-00002.gguf": gguf_bytes(values),
            "models/s/s-00002-of-00002.gguf": bytes(1000),
            "models/c/c.gguf": b"GGUF\x03\x00\x00\x00",
            "engines/nitro/engine.json": {"settings": {"ctx_len": 1024}},
        },
    )
    store = ModelStore(root)
    fit = store.fit(store.get("m"), Machine(GB, GB))
    assert fit is not None
    assert (fit.context, fit.verdict, fit.largest) == (1024, "fits", 4096)
    assert store.fit(store.get("r")) is None
    assert store.fit(store.get("c")) is None
    split = store.header(store.get("s"))
    assert split is not None
    assert split.size == len(gguf_bytes(values)) + 1000
    brief, whole = read_brief(root / "models/m/m.gguf"), read_header(root / "models/m/m.gguf")
    assert brief.parameter_count == 0
    assert (brief.quantisation, brief.context_length) == ("Q4_K_M", 4096)
    assert whole.parameter_count == 32


NVML = """
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    *device = (void *)(0x7f0000000000ull + index);
    return index == 1 ? 15 : 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned length) {
    name[0] = 'G'; name[1] = '0' + (char)((unsigned long long)device & 7); name[2] = 0;
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *device, memory *found) {
    found->total = 80ull << 30; found->free = 70ull << 30; found->used = 10ull << 30;
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to make a stand-in of NVML")
def test_gpus_are_asked_as_nvidias_library_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvml.c").write_text(NVML)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "nvml.c"], check=True)
    monkeypatch.setattr(machine, "_NVML", str(library))
    monkeypatch.setattr(machine, "_has_nvidia", lambda: True)
    monkeypatch.setattr(machine, "_known", (-1e9, ()))
    assert machine.probe().gpus == tuple(GPU(f"G{i}", 70 << 30, 80 << 30) for i in (0, 2))
    monkeypatch.setattr(machine, "_NVML", "gone")
    assert len(machine.probe().gpus) == 2  # asked a moment ago


def test_this_machine_is_asked_quickly_and_says_something() -> None:
    here = machine.probe()
    assert 0 < here.available <= here.total
    assert all(0 <= gpu.free <= gpu.total for gpu in here.gpus)


def test_a_model_made_to_embed_needs_room_for_whole_texts(tmp_path: Path) -> None:
    """It says so itself: by how it makes one vector of a text, or that a token sees all others."""
    header = read_header(write_embedder(tmp_path / "bert.gguf", context=8192))
    assert header.embeds
    assert (header.pooling, header.causal, header.vocabulary) == (2, False, 56)
    assert read_brief(tmp_path / "bert.gguf").embeds
    assert not LLAMA_8B.embeds
    large = replace(header, embedding_length=1024)
    short, long = (estimate(large, {"ctx_len": n}, Machine(GB, GB)) for n in (512, 8192))
    cache = large.kv_bytes(8192) - large.kv_bytes(512)
    assert long.needed - short.needed - cache == (8192 - 512) * step_bytes(large) > 4 * 10**8
    assert estimate(large, {"ctx_len": long.largest}, Machine(GB, GB)).verdict == "fits"
