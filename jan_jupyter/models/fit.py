"""Whether a model fits into memory, before it is loaded: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .. import units
from .gguf import GGUFHeader, bytes_per_value
from .machine import Machine

LARGEST_DEFAULT_CONTEXT = 8192
"""Tokens of context where nobody says: what the model was trained for, but not more than this."""
OVERHEAD = 300 * 10**6
"""Bytes a server needs beside model and context: the program, its buffers, its prompt cache."""
STEP = 256  # tokens
USUAL_STEP = 512
"""Tokens that llama.cpp takes at once; what it needs for so many is in `OVERHEAD`."""

Verdict = Literal["fits", "slow", "too large"]


@dataclass(frozen=True, slots=True)
class Fit:
    """`needed` and `room` are bytes, `context` tokens.

    `largest` is the largest context up to the trained one that would fit without being slow; 0 if
    none does. `where` is what would hold it: the name of a GPU, or `memory`.
    """

    verdict: Verdict
    needed: int
    room: int
    context: int
    largest: int
    where: str

    def __str__(self) -> str:
        needed, room = units.size(self.needed), units.size(self.room)
        asked = f"{self.context:,} tokens"
        if self.verdict == "fits":
            text = f"fits: needs {needed} with {asked} of context; {room} are free in {self.where}"
            more = f", enough for {self.largest:,} tokens" if self.largest > self.context else ""
            return text + more
        how = "slow" if self.verdict == "slow" else "too large"
        text = f"{how}: needs {needed} with {asked} of context; {room} are free in {self.where}"
        return f"{text}; {self.largest:,} tokens would fit" if self.largest else text


def estimate(
    header: GGUFHeader,
    settings: Mapping[str, Any],
    machine: Machine,
    size: int = 0,
    projector: int = 0,
) -> Fit:
    """Weights and context against what is free now; a GPU's memory if there is one.

    `fits`: the GPU's memory, or without one the RAM, takes all. `slow`: RAM has to take a part that
    the GPU cannot, or, without one, pages of the file come from disk again and again. `size` and
    `projector` are the bytes of the files.
    """
    weights = (size or header.size) + projector
    context = settings.get("ctx_len") or default_context(header)
    token = contexts(settings) * _cache(header, STEP, settings) / STEP
    token += header.embeds * step_bytes(header)
    step = context if header.embeds else USUAL_STEP
    needed = memory_needed(header, weights, {**settings, "ctx_len": context, "n_ubatch": step})
    gpu = max(machine.gpus, key=lambda gpu: gpu.free, default=None)
    use_gpu = gpu is not None and settings.get("ngl") != 0
    if gpu is not None and use_gpu:
        room = sum(gpu.free for gpu in machine.gpus)
        where = gpu.name if len(machine.gpus) == 1 else f"{len(machine.gpus)} GPUs"
        at_most = room + machine.available
    else:
        room, where = machine.available, "memory"
        at_most = machine.total
    trained = header.context_length or context
    left = room - weights - OVERHEAD
    largest = 0
    if left > 0:
        largest = trained if not token else min(trained, int(left / token) // STEP * STEP)
    verdict: Verdict = "fits" if needed <= room else "slow" if needed <= at_most else "too large"
    return Fit(verdict, needed, room, context, largest, where)


def memory_needed(header: GGUFHeader, size: int, settings: Mapping[str, Any]) -> int:
    """Bytes for files of `size` and contexts of `ctx_len` tokens, as llama.cpp takes them."""
    step = max(0, int(settings.get("n_ubatch", USUAL_STEP)) - USUAL_STEP) * step_bytes(header)
    tokens = contexts(settings) * settings["ctx_len"]
    return size + _cache(header, tokens, settings) + step + OVERHEAD


def contexts(settings: Mapping[str, Any]) -> int:
    """How many contexts of `ctx_len` tokens are held: one, which all requests at once share, or
    with `kv_unified` off one for each of them."""
    return settings.get("n_parallel") or 1 if settings.get("kv_unified") is False else 1


def step_bytes(header: GGUFHeader) -> int:
    """Bytes for each token of a step in which texts are embedded.

    Some layers' worth of numbers; and, in a model made for chats, the weight of each word, twice.
    """
    words = 2 * header.vocabulary if header.causal else 0
    return 4 * (20 * (header.embedding_length or 0) + words)


def _cache(header: GGUFHeader, context: int, settings: Mapping[str, Any]) -> int:
    kinds = (str(settings.get(name, "f16")) for name in ("cache_type_k", "cache_type_v"))
    return header.kv_bytes(context, sum(map(bytes_per_value, kinds)) / 2)


def default_context(header: GGUFHeader) -> int:
    """The context of a model that sets none."""
    return min(header.context_length or 2048, LARGEST_DEFAULT_CONTEXT)
