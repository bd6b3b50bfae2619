"""GGUF headers: true ones, made by the format's own package, and hostile ones."""

from __future__ import annotations

import random
import re
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from jan_jupyter.errors import ModelBroken
from jan_jupyter.models import GGUFHeader, read_header
from jan_jupyter.models.gguf import _FILE_TYPES, _TENSOR_TYPES, CHUNK, MAX_HEADER, read_template

from .trees import gguf_bytes, gguf_text

VALUES: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "general.file_type": 15,
    "llama.context_length": 4096,
    "llama.block_count": 2,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "", "ccc"] * 50,
    "tokenizer.ggml.scores": [0.5] * 2000,
    "tokenizer.chat_template": "{{ messages }}",
}
TENSORS = [("a", [64, 2], 0, 0), ("b", [256], 12, 512)]
GOOD = gguf_bytes(VALUES, TENSORS, data=512 + 144)


def header(tmp_path: Path, content: bytes, name: str = "x.gguf") -> GGUFHeader:
    path = tmp_path / name
    path.write_bytes(content)
    return read_header(path)


def test_a_file_made_by_the_gguf_package(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("Real")
    writer.add_context_length(32768)
    writer.add_block_count(3)
    writer.add_embedding_length(64)
    writer.add_head_count(8)
    writer.add_head_count_kv([2, 0, 4])
    writer.add_key_length(16)
    writer.add_value_length(32)
    writer.add_token_list([f"token {i}" for i in range(5000)])
    writer.add_token_types([1] * 5000)
    writer.add_chat_template("{{ x }}")
    writer.add_tensor("a.weight", np.zeros((4, 32), dtype=np.float16))
    writer.add_tensor("b.weight", np.zeros((2, 64), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read_header(path)
    assert found == GGUFHeader(
        version=3,
        size=path.stat().st_size,
        architecture="qwen3",
        name="Real",
        quantisation=found.quantisation,
        parameter_count=4 * 32 + 2 * 64,
        context_length=32768,
        block_count=3,
        embedding_length=64,
        head_count=8,
        head_count_kv=(2, 0, 4),
        key_length=16,
        value_length=32,
        chat_template="{{ x }}",
    )
    assert found.quantisation in ("F16", "F32")
    assert found.kv_bytes(100) == (2 + 0 + 4) * (16 + 32) * 100 * 2


def test_tables_agree_with_the_gguf_package() -> None:
    for kind, (name, block, size) in _TENSOR_TYPES.items():
        assert gguf.GGMLQuantizationType[name] == kind
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)] == (block, size)
    for kind, name in _FILE_TYPES.items():
        assert gguf.LlamaFileType(kind).name in (f"MOSTLY_{name}", f"ALL_{name}")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [2, 3])
def test_versions_and_byte_orders(tmp_path: Path, version: int, order: str) -> None:
    content = gguf_bytes(VALUES, TENSORS, data=656, version=version, order=order)
    found = header(tmp_path, content)
    assert (found.version, found.architecture, found.name) == (version, "llama", "Tiny")
    assert (found.quantisation, found.parameter_count) == ("Q4_K_M", 64 * 2 + 256)
    assert found.kv_bytes(10) == 2 * 2 * (64 // 4 * 2) * 10 * 2
    assert found.chat_template == "{{ messages }}"


def test_what_the_header_does_not_say(tmp_path: Path) -> None:
    found = header(tmp_path, gguf_bytes({}))
    assert found == GGUFHeader(version=3, size=found.size)
    assert found.kv_bytes(100) == 0


def test_quantisation_by_most_of_the_weights(tmp_path: Path) -> None:
    found = header(tmp_path, gguf_bytes({"general.file_type": 999}, TENSORS, data=656))
    assert found.quantisation == "Q4_K"


def test_a_split_model_is_added_up(tmp_path: Path) -> None:
    second = gguf_bytes({"split.no": 1}, [("c", [32], 8, 0)], data=34)
    (tmp_path / "x-00002-of-00002.gguf").write_bytes(second)
    found = header(tmp_path, GOOD, "x-00001-of-00002.gguf")
    assert found.parameter_count == 64 * 2 + 256 + 32
    assert found.size == len(GOOD) + len(second)
    assert found.name == "Tiny"
    (tmp_path / "x-00002-of-00002.gguf").unlink()
    with pytest.raises(ModelBroken, match="00002-of-00002"):
        read_header(tmp_path / "x-00001-of-00002.gguf")


def test_a_truncated_file_tells_how_much_is_there(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=rf"truncated: {len(GOOD) - 1:,} of {len(GOOD):,} bytes"):
        header(tmp_path, GOOD[:-1])


def test_no_cut_header_is_taken_for_whole(tmp_path: Path) -> None:
    for length in range(0, len(GOOD) - 656, 31):
        with pytest.raises(ModelBroken):
            header(tmp_path, GOOD[:length])


U64 = struct.Struct("<Q").pack
START = b"GGUF" + struct.pack("<I", 3)
KEY = gguf_text("k")
HUGE = 2**63 + 5
DEEP = struct.pack("<I", 9) + (struct.pack("<I", 9) + U64(1)) * 50


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"GGML" + bytes(100),
        START,
        b"GGUF" + struct.pack("<I", 4) + bytes(100),
        START + U64(HUGE) + U64(0),
        START + U64(0) + U64(HUGE),
        START + U64(0) + U64(1) + U64(HUGE) + bytes(100),
        START + U64(0) + U64(1) + U64(2**64 - 8) + bytes(100),
        START + U64(0) + U64(1) + KEY + struct.pack("<I", 99) + bytes(100),
        START + U64(0) + U64(1) + KEY + struct.pack("<I", 8) + U64(HUGE) + bytes(100),
        START + U64(0) + U64(1) + KEY + struct.pack("<II", 9, 4) + U64(HUGE) + bytes(100),
        START + U64(0) + U64(1) + KEY + struct.pack("<II", 9, 8) + U64(HUGE) + bytes(100),
        START
        + U64(0)
        + U64(1)
        + KEY
        + struct.pack("<II", 9, 8)
        + U64(2)
        + U64(2**64 - 1)
        + bytes(99),
        START + U64(0) + U64(1) + KEY + struct.pack("<II", 9, 9) + U64(HUGE) + bytes(100),
        START + U64(0) + U64(1) + KEY + DEEP + bytes(100),
        START + U64(1) + U64(0) + KEY + struct.pack("<I", 2**31) + bytes(100),
        START + U64(1) + U64(0) + KEY + struct.pack("<I", 4) + U64(2**62) * 4 + bytes(100),
        START
        + U64(1)
        + U64(0)
        + KEY
        + struct.pack("<I", 1)
        + U64(32)
        + struct.pack("<IQ", 0, HUGE),
    ],
)
def test_lengths_that_lie(tmp_path: Path, content: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(ModelBroken) as caught:
        header(tmp_path, content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert "\n" not in str(caught.value)
    assert "x.gguf" in str(caught.value)


@pytest.mark.parametrize("alignment", [0, "x", 2**31, True])
def test_an_alignment_that_is_none_counts_as_the_usual_one(tmp_path: Path, alignment: Any) -> None:
    content = gguf_bytes({"general.alignment": alignment}, TENSORS, data=656)
    assert header(tmp_path, content).parameter_count == 64 * 2 + 256
    with pytest.raises(ModelBroken, match="truncated"):
        header(tmp_path, content[:-1])


def test_counts_beyond_any_model(tmp_path: Path) -> None:
    # Zeros are valid: nameless values of type 0, nameless tensors without dimensions.
    for tensors, values in ((200_000, 0), (0, 200_000)):
        with pytest.raises(ModelBroken, match="200,000"):
            header(tmp_path, START + U64(tensors) + U64(values) + bytes(5_000_000))


def test_a_text_of_megabytes_is_left_out(tmp_path: Path) -> None:
    found = header(tmp_path, gguf_bytes({"general.name": "x" * 2**21, "general.file_type": 7}))
    assert (found.name, found.quantisation) == ("", "Q8_0")


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    texts = KEY + struct.pack("<II", 9, 8) + U64(2**36)
    with open(path, "wb") as file:
        file.write(START + U64(0) + U64(1) + texts)
        file.truncate(2**40)  # takes no room on the disk
    with pytest.raises(ModelBroken, match=f"longer than {MAX_HEADER:,}"):
        read_header(path)


@pytest.mark.parametrize("before", [0, 1, *range(16 * CHUNK - 150, 16 * CHUNK, 10)])
def test_a_template_is_found_behind_any_vocabulary(tmp_path: Path, before: int) -> None:
    template = "{{ '<think>' }}" + "é" * 50
    values = {"tokenizer.ggml.tokens": ["x" * before], "tokenizer.chat_template": template}
    path = tmp_path / "x.gguf"
    content = gguf_bytes({**values, "general.file_type": 7})
    path.write_bytes(content)
    assert read_template(path) == read_header(path).chat_template == template
    path.write_bytes(content[: content.index(b"{{")])
    assert read_template(path) == ""
    path.write_bytes(content[: content.index(b"{{") - 4])
    assert read_template(path) == ""
    assert read_template(tmp_path) == ""


def test_two_thousand_damaged_files(tmp_path: Path) -> None:
    dice = random.Random(1)
    readable, complaints = 0, set[str]()
    for _ in range(2000):
        content = bytearray(GOOD)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(content) - 700)
            match dice.randrange(4):
                case 0:
                    content[place] = dice.randrange(256)
                case 1:
                    content[place : place + 8] = dice.choice([bytes(8), b"\xff" * 8, U64(2**40)])
                case 2:
                    del content[place : place + dice.randint(1, 9)]
                case 3:
                    content[place:place] = dice.randbytes(dice.randint(1, 9))
        try:
            readable += header(tmp_path, bytes(content)).kv_bytes(4096) >= 0
        except ModelBroken as error:
            complaints.add(str(error))
    assert not any("\n" in complaint for complaint in complaints)
    assert len({re.sub(r"[\d,+e]+", "0", complaint) for complaint in complaints}) > 5
    assert 0 < readable < 2000
