"""The header of a GGUF file, read without trusting it: what a model is, before it is loaded."""

from __future__ import annotations

import math
import os
import re
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ModelBroken

MAX_HEADER = 64 * 2**20  # the largest vocabularies need a quarter of it
MAX_VALUES = 4096
MAX_TENSORS = 100_000
MAX_WEIGHTS = 2**50  # of one tensor
MAX_TEXT = 2**20
MAX_ITEMS = 1024
CHUNK = 2**18
MAX_VOCABULARY = 2**25  # what stands before a chat template

SPLIT = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE | re.DOTALL | re.ASCII)

_SCALARS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_TEXT, _ARRAY = 8, 9
_TEMPLATE = struct.pack("<Q23sI", 23, b"tokenizer.chat_template", _TEXT)

# fmt: off
# Name, values in a block, bytes of a block: by ggml's type number.
_TENSOR_TYPES: Mapping[int | None, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4),
    27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}
_UNKNOWN_TYPE = ("", 1, 0)
_WORDS = "token_embd.weight"  # its last dimension
# What `general.file_type` means.
_FILE_TYPES: Mapping[int | None, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0",
    38: "MXFP4_MOE",
}
# fmt: on
_BYTES = {name: size / block for name, block, size in _TENSOR_TYPES.values()}


_RANK = 4
"""llama.cpp's number for the pooling that gives one score."""


def bytes_per_value(kind: str) -> float:
    """Bytes that a number of this type takes (`q8_0`: 1.06); 2 of a type that is not known."""
    return _BYTES.get(kind.upper(), 2.0)


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """What the header says; `None` or `""` where it does not.

    `size` are the bytes on disk and `parameter_count` the weights, both over all parts of a split
    model. Head counts may differ from layer to layer: then they are a tuple.
    """

    version: int
    size: int
    architecture: str = ""
    name: str = ""
    quantisation: str = ""
    parameter_count: int = 0
    context_length: int | None = None
    block_count: int | None = None
    embedding_length: int | None = None
    head_count: int | tuple[int, ...] | None = None
    head_count_kv: int | tuple[int, ...] | None = None
    key_length: int | None = None
    value_length: int | None = None
    chat_template: str = ""
    vocabulary: int = 0
    pooling: int = 0
    """How it makes one vector of a text, by llama.cpp's number; 0: it does not say."""
    causal: bool = True
    """Whether a token sees those before it alone, as where text is written."""

    @property
    def embeds(self) -> bool:
        """Whether it is made to embed texts."""
        return self.pooling > 0 or not self.causal

    @property
    def ranks(self) -> bool:
        """Whether it is made to say how well a text answers a query."""
        return self.pooling == _RANK

    def kv_bytes(self, context: int, bytes_per_value: float = 2) -> int:
        """Estimated memory of the key-value cache for `context` tokens; 0 if it cannot be told.

        An upper bound for models that keep a sliding window or compress the cache.
        """
        kept = self.head_count_kv or self.head_count or 0
        if self.key_length and self.value_length:
            width = self.key_length + self.value_length
        else:
            heads = self.head_count or 1
            width = (
                2
                * (self.embedding_length or 0)
                // (heads if isinstance(heads, int) else max(heads))
            )
        total = kept * (self.block_count or 0) if isinstance(kept, int) else sum(kept)
        return int(total * width * context * bytes_per_value)


def check(path: Path) -> os.stat_result:
    """Raise `ModelBroken` unless the file begins as a GGUF that llama.cpp still reads."""
    try:
        handle = os.open(path, os.O_RDONLY | _BINARY)
        try:
            status = os.fstat(handle)
            start = os.read(handle, 8)
        finally:
            os.close(handle)
    except OSError as error:
        raise ModelBroken(f"{path}: cannot be read: {error.strerror}") from error
    _version(start, path)
    return status


_BINARY: int = getattr(os, "O_BINARY", 0)


def _version(start: bytes, path: Path) -> tuple[int, str]:
    """Format version and byte order."""
    if len(start) < 8:
        raise ModelBroken(f"{path}: not a model: only {len(start)} bytes long")
    if start[:4] != b"GGUF":
        raise ModelBroken(f"{path}: not a GGUF file")
    version: int = struct.unpack_from("<I", start, 4)[0]
    order = "<"
    if version & 0xFFFF == 0:  # written on a big-endian machine
        version, order = struct.unpack_from(">I", start, 4)[0], ">"
    if version == 1:
        raise ModelBroken(f"{path}: GGUF version 1 is no longer supported")
    return version, order


def read_header(path: Path) -> GGUFHeader:
    """Read what a GGUF file tells about itself; of a split one, give the first part.

    Reads at most 64 MB, and allocates nothing by a length that stands in the file. Raises
    `ModelBroken` in one line if the file is cut off, damaged or too odd.
    """
    values: dict[str, Any] = {}
    weights: Counter[int] = Counter()
    version = size = 0
    for index, part in enumerate(split_parts(path)):
        parsed = _read(part)
        size += parsed.size
        weights += parsed.weights
        if index == 0:
            values, version = parsed.values, parsed.version
    return _summary(version, size, values, weights)


def read_brief(path: Path) -> GGUFHeader:
    """What stands before the vocabulary, in a fraction of a millisecond: no weights are counted and
    nothing is checked; of a split model `size` is that of the first part. Raises `ModelBroken`."""
    parsed = _read(path, brief=True)
    return _summary(parsed.version, parsed.size, parsed.values, parsed.weights)


def read_template(path: Path) -> str:
    """The chat template of a file, searched for in a few milliseconds: the vocabulary that stands
    before it is not walked over. Empty if there is none, or none that is found."""
    try:
        if not os.path.isfile(path):  # a pipe would never answer
            return ""
        with open(path, "rb") as file:
            data, at = bytearray(), -1
            while at < 0 and len(data) < MAX_VOCABULARY and (chunk := file.read(16 * CHUNK)):
                data += chunk
                at = data.find(_TEMPLATE, max(0, len(data) - len(chunk) - len(_TEMPLATE)))
            start = at + len(_TEMPLATE) + 8
            if at >= 0:
                data += file.read(max(0, start + MAX_TEXT - len(data)))
    except OSError:
        return ""
    if at < 0 or start > len(data):
        return ""
    length: int = struct.unpack_from("<Q", data, start - 8)[0]
    return data[start : start + min(length, MAX_TEXT)].decode("utf-8", "replace")


def split_parts(path: Path) -> list[Path]:
    """All parts of a split GGUF in order, whether they exist or not; else the file alone."""
    match = SPLIT.fullmatch(path.name)
    if match is None or not 1 <= int(match[3]) <= 1000:
        return [path]
    base, _, count, suffix = match.groups()
    return [path.with_name(f"{base}-{i:05}-of-{count}{suffix}") for i in range(1, int(count) + 1)]


def is_first_part(name: str) -> bool:
    """Whether a file of that name is no later part of a split GGUF."""
    match = SPLIT.fullmatch(name)
    return match is None or int(match[2]) == 1 or not 1 <= int(match[3]) <= 1000


@dataclass(slots=True)
class _Parsed:
    version: int
    size: int
    values: dict[str, Any]
    weights: Counter[int]


def _read(path: Path, brief: bool = False) -> _Parsed:
    if not os.path.isfile(path):  # a pipe would never answer
        raise ModelBroken(f"{path}: is not there")
    try:
        with open(path, "rb") as file:
            return _parse(file, path, brief)
    except OSError as error:
        raise ModelBroken(f"{path}: cannot be read: {error.strerror}") from error


def _parse(file: BinaryIO, path: Path, brief: bool = False) -> _Parsed:
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(8)
    version, order = _version(start, path)
    if version not in (2, 3):
        raise ModelBroken(f"{path}: GGUF version {version} is not known")
    cursor = _Cursor(file, start, order, size, path)
    tensors, pairs = cursor.take("Q"), cursor.take("Q")
    if pairs > MAX_VALUES or tensors > MAX_TENSORS:
        raise ModelBroken(f"{path}: damaged: {pairs:,} values and {tensors:,} tensors")
    values: dict[str, Any] = {}
    for _ in range(pairs):
        key = cursor.text()
        if brief and key.startswith("tokenizer."):
            return _Parsed(version, size, values, Counter())
        values[key] = cursor.value(cursor.take("I"))
    weights: Counter[int] = Counter()
    data_bytes = 0
    for _ in range(tensors):
        name = cursor.text()
        dimensions = cursor.take("I")
        if dimensions > 8:
            raise ModelBroken(f"{path}: damaged: a tensor with {dimensions:,} dimensions")
        shape = [cursor.take("Q") for _ in range(dimensions)]
        if name == _WORDS and shape:
            values[_WORDS] = shape[-1]
        count = math.prod(shape)
        if count > MAX_WEIGHTS:
            raise ModelBroken(f"{path}: damaged: a tensor with {count:.0e} values")
        kind, offset = cursor.take("I"), cursor.take("Q")
        weights[kind] += count
        _, block, block_bytes = _TENSOR_TYPES.get(kind, _UNKNOWN_TYPE)
        data_bytes = max(data_bytes, offset + -(-count // block) * block_bytes)
    alignment = values.get("general.alignment")
    if not isinstance(alignment, int) or not 0 < alignment <= 2**20:
        alignment = 32
    end = -(-cursor.position // alignment) * alignment + data_bytes
    if data_bytes and end > size:
        raise ModelBroken(f"{path}: truncated: {size:,} of {end:,} bytes")
    return _Parsed(version, size, values, weights)


class _Cursor:
    """Walks through the header. Every length is checked against the file before it is used."""

    def __init__(self, file: BinaryIO, start: bytes, order: str, size: int, path: Path) -> None:
        self.file, self.size, self.path = file, size, path
        self.data, self.position = bytearray(start), len(start)
        self.structs = {code: struct.Struct(order + code) for code in _SCALARS.values()}

    def reach(self, end: int) -> None:
        """Have the file's bytes up to `end` in `data`."""
        missing = end - len(self.data)
        if missing <= 0:
            return
        if end > self.size:
            raise ModelBroken(f"{self.path}: cut off in its header, or damaged")
        if end > MAX_HEADER:
            raise ModelBroken(f"{self.path}: its header is longer than {MAX_HEADER:,} bytes")
        self.data += self.file.read(max(missing, CHUNK))
        if end > len(self.data):
            raise ModelBroken(f"{self.path}: became shorter while it was read")

    def skip(self, count: int) -> int:
        """Step over `count` bytes; gives where they begin."""
        start = self.position
        self.reach(start + count)
        self.position += count
        return start

    def take(self, code: str) -> Any:
        """One number."""
        number = self.structs[code]
        start = self.skip(number.size)
        return number.unpack_from(self.data, start)[0]

    def text(self) -> str:
        length = self.take("Q")
        start = self.skip(length)
        if length > MAX_TEXT:
            return ""
        return self.data[start : start + length].decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> Any:
        """A value of any type; `None` for an array that is long or holds texts."""
        if kind in _SCALARS:
            return self.take(_SCALARS[kind])
        if kind == _TEXT:
            return self.text()
        if kind != _ARRAY or depth > 4:
            raise ModelBroken(f"{self.path}: damaged: value type {kind}")
        kind, count = self.take("I"), self.take("Q")
        if kind in _SCALARS:
            item = self.structs[_SCALARS[kind]]
            start = self.skip(item.size * count)
            if count > MAX_ITEMS:
                return None
            return tuple(
                item.unpack_from(self.data, start + i * item.size)[0] for i in range(count)
            )
        if kind == _TEXT:
            return self.skip_texts(count)
        for _ in range(count):  # each takes 12 bytes or more, so that the data ends it
            self.value(kind, depth + 1)
        return None

    def skip_texts(self, count: int) -> None:
        """Step over texts: hundreds of thousands in a vocabulary, so the loop is kept tight."""
        data, position, length = self.data, self.position, self.structs["Q"].unpack_from
        for _ in range(count):
            try:
                position += 8 + length(data, position)[0]
            except (struct.error, OverflowError):  # not read so far, or behind every file
                self.reach(position + 8)
                position += 8 + length(data, position)[0]
        self.skip(position - self.position)


def _summary(
    version: int, size: int, values: Mapping[str, Any], weights: Counter[int]
) -> GGUFHeader:
    architecture = _text(values.get("general.architecture"))

    def number(name: str) -> int | None:
        value = values.get(name)
        return value if _is_count(value) else None

    def own(name: str) -> int | None:
        return number(f"{architecture}.{name}")

    def heads(name: str) -> int | tuple[int, ...] | None:
        value = values.get(f"{architecture}.attention.{name}")
        if isinstance(value, tuple) and value and all(map(_is_count, value)):
            return value
        return own(f"attention.{name}")

    quantisation = _FILE_TYPES.get(number("general.file_type"))
    if quantisation is None:  # not told: what most of the weights are
        dominant = max(weights, key=weights.__getitem__, default=None)
        quantisation = _TENSOR_TYPES.get(dominant, _UNKNOWN_TYPE)[0]
    return GGUFHeader(
        version=version,
        size=size,
        architecture=architecture,
        name=_text(values.get("general.name")),
        quantisation=quantisation,
        parameter_count=weights.total() or number("general.parameter_count") or 0,
        context_length=own("context_length"),
        block_count=own("block_count"),
        embedding_length=own("embedding_length"),
        head_count=heads("head_count"),
        head_count_kv=heads("head_count_kv"),
        key_length=own("attention.key_length"),
        value_length=own("attention.value_length"),
        chat_template=_text(values.get("tokenizer.chat_template")),
        vocabulary=number(_WORDS) or 0,
        pooling=own("pooling_type") or 0,
        causal=values.get(f"{architecture}.attention.causal") is not False,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**50
