"""Llama models of random weights over a vocabulary of bytes: real files, nonsense answers."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"


def write_model(
    path: Path,
    *,
    width: int = 64,
    layers: int = 2,
    inner: int = 128,
    heads: int = 4,
    context: int = 4096,
    architecture: str = "llama",
    fills: bool = False,
) -> Path:
    """`fills`: with the tokens of a model that has learnt to write between two texts."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(path.stem)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    writer.add_file_type(1)
    letters = [bytes([code]) for code in range(97, 123)]
    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{code:02X}>".encode() for code in range(256))]
    tokens += [b"\xe2\x96\x81" + letter for letter in letters] + letters
    marks = ("fim_pre", "fim_suf", "fim_mid") if fills else ()
    for mark in marks:
        writer.add_uint32(f"tokenizer.ggml.{mark}_token_id", len(tokens))
        tokens.append(f"<{mark}>".encode())
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * 52 + [3] * len(marks))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    random = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> None:
        values = random.standard_normal(shape, dtype=np.float32) * 0.05
        writer.add_tensor(f"{name}.weight", values.astype(np.float16))

    def ones(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))

    weights("token_embd", len(tokens), width)
    weights("output", len(tokens), width)
    ones("output_norm")
    for layer in range(layers):
        ones(f"blk.{layer}.attn_norm")
        ones(f"blk.{layer}.ffn_norm")
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights(f"blk.{layer}.{name}", width, width)
        weights(f"blk.{layer}.ffn_gate", inner, width)
        weights(f"blk.{layer}.ffn_up", inner, width)
        weights(f"blk.{layer}.ffn_down", width, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_adapter(path: Path, model: Path, *, rank: int = 4, strength: float = 1.0) -> Path:
    """A LoRA of random weights for the attention of a Llama model."""
    base = gguf.GGUFReader(str(model))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(rank))
    random = np.random.default_rng(0)
    for tensor in base.tensors:
        if ".attn_q." in tensor.name or ".attn_output." in tensor.name:
            inputs, outputs = map(int, tensor.shape)
            for part, shape in (("lora_a", (rank, inputs)), ("lora_b", (outputs, rank))):
                values = random.standard_normal(shape, dtype=np.float32) * strength
                writer.add_tensor(f"{tensor.name}.{part}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_embedder(
    path: Path, *, context: int = 2048, width: int = 64, layers: int = 2, pooling: int = 2
) -> Path:
    """A BERT, which embeds and does nothing else (of `pooling` 4: ranks); 2: by its first token."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name(path.stem)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(4)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType(pooling))
    writer.add_file_type(0)
    letters = [chr(code) for code in range(97, 123)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"\u2581{x}" for x in letters), *letters]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 2, 3, 3] + [1] * 52)
    writer.add_token_type_count(2)
    for name, number in (("bos", 2), ("eos", 3), ("unk", 1), ("sep", 3), ("pad", 0)):
        getattr(writer, f"add_{name}_token_id")(number)
    random = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> None:
        writer.add_tensor(f"{name}.weight", random.standard_normal(shape, dtype=np.float32) * 0.1)

    def layer(name: str, rows: int, columns: int) -> None:
        weights(name, rows, columns)
        writer.add_tensor(f"{name}.bias", np.zeros(rows, np.float32))

    def norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))
        writer.add_tensor(f"{name}.bias", np.zeros(width, np.float32))

    weights("token_embd", len(tokens), width)
    weights("token_types", 2, width)
    weights("position_embd", context, width)
    norm("token_embd_norm")
    for number in range(layers):
        block = f"blk.{number}"
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            layer(f"{block}.{name}", width, width)
        norm(f"{block}.attn_output_norm")
        layer(f"{block}.ffn_up", 2 * width, width)
        layer(f"{block}.ffn_down", width, 2 * width)
        norm(f"{block}.layer_output_norm")
    if pooling == gguf.PoolingType.RANK:
        layer("cls", width, width)
        layer("cls.output", 1, width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
