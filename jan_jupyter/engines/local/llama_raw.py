"""Settings that go to llama.cpp under its own names: what the user's own engine file may say.

Not where the server listens and who may ask it, what it reaches or runs, what it writes, and what
it tells of prompts; nor what has a setting of ours, by which memory and room are reckoned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .llama_options import TABLE

_LISTENS = "host hostnames port key keys api ssl tls cert cors server props endpoint ui webui page"
_REACHES = "url proxy rpc hf docker repo models preset tool tools mcp agent exec command script"
_WRITES = "path paths file files fname dir dirs folder media static public save output out write"
_TELLS = "lookup prompt prompts log logs logging logits verbose verbosity"
_WORDS = frozenset(" ".join((_LISTENS, _REACHES, _WRITES, _TELLS)).split())
_PARTS = re.compile("host|port|apikey|ssl|cors|url|proxy|tool|mcp|agent|path|file|webui|save")
"""What no name may have in it, however its words are parted."""
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")

_OURS = {
    **{row.attribute: name for name, row in TABLE.items() if row.attribute and name != "n_cpu_moe"},
    **{
        flag.removeprefix("--").removeprefix("no-").replace("-", "_"): name
        for name, row in TABLE.items()
        for flag in ([row.flag] if isinstance(row.flag, str) else row.flag)
        if flag
    },
    "gpu_layers": "ngl",
    "embeddings": "embedding",
    "pooling": "pooling_type",
    "cache_ram": "cache_ram",
    "mmproj": "mmproj",
}
"""llama.cpp's names of what has a setting of ours, and its name."""
_FIXED = frozenset(["model", "jinja", "use_jinja", "slots", "metrics", "help", "version"])


def read_raw(written: Any) -> tuple[dict[str, Any], list[str]]:
    """The settings that are taken, with `_` between words, and a line for each left out."""
    if written is None:
        return {}, []
    if not isinstance(written, Mapping):
        return {}, [f"llama={written!r} is no object of names and values"]
    taken: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in written.items():
        plain = str(name).removeprefix("--").replace("-", "_")
        if why := _refused(plain, value):
            left_out.append(f"llama.{name} {why}")
        else:
            taken[plain] = value
    return taken, left_out


def _refused(name: str, value: Any) -> str:
    """Why a setting is not taken; empty if it is."""
    positive = name.removeprefix("no_")
    if not _NAME.fullmatch(name):
        return "is no name of llama.cpp's"
    if ours := _OURS.get(positive):
        return f"has a setting here: {ours}"
    words = {*re.split(r"[._]", name)}
    if words & _WORDS or _PARTS.search(re.sub(r"[._]", "", name)) or positive in _FIXED:
        return "is not for a setting to say"
    if not all(map(_is_plain, value if isinstance(value, list) else [value])):
        return f"cannot be {value!r}"
    return ""


def _is_plain(value: Any) -> bool:
    """A number, a truth, or a text that no program takes for an option."""
    if isinstance(value, str):
        return value.isprintable() and (not value.startswith("-") or _is_number(value))
    return isinstance(value, bool | int | float)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
