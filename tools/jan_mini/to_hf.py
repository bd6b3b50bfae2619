"""Write a GGUF of jan-mini's kind as an equal folder of Hugging Face files.

    python tools/jan_mini/to_hf.py [FILE.gguf] FOLDER

For engines that do not read GGUF: transformers, vLLM, ipex-llm, OpenVINO's converter. The weights
are the dequantised ones, so all of them compute with what llama.cpp computes with. The files are
in the layout that transformers 4.31 and 5 both read: `rope_theta` at the top of `config.json`,
merges as text, the chat template inside `tokenizer_config.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import save_file

JAN_MINI = Path(__file__).parents[2] / "jan_jupyter/data/models/jan-mini/jan-mini.gguf"

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def write_hf(folder: Path, file: Path = JAN_MINI) -> Path:
    """Write the folder; return it. The file must be of the architecture `llama` with GPT-2 BPE."""
    reader = gguf.GGUFReader(file)
    about = {name: field.contents() for name, field in reader.fields.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {
        "config.json": config(about),
        "generation_config.json": _ends(about),
        "tokenizer.json": tokenizer(about),
        "tokenizer_config.json": tokenizer_config(about),
    }.items():
        text = json.dumps(content, ensure_ascii=False, indent=2)
        (folder / name).write_text(text + "\n", "utf-8")
    save_file(weights(reader, about), folder / "model.safetensors", {"format": "pt"})
    return folder


def config(about: dict[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": about["llama.embedding_length"],
        "intermediate_size": about["llama.feed_forward_length"],
        "num_hidden_layers": about["llama.block_count"],
        "num_attention_heads": about["llama.attention.head_count"],
        "num_key_value_heads": about["llama.attention.head_count_kv"],
        "max_position_embeddings": about["llama.context_length"],
        "rms_norm_eps": about["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": about["llama.rope.freq_base"],
        "rope_scaling": None,
        "vocab_size": len(about["tokenizer.ggml.tokens"]),
        "attention_bias": False,
        "mlp_bias": False,
        "initializer_range": 0.02,
        "tie_word_embeddings": False,  # old converters lose an output matrix that is shared
        "torch_dtype": "float32",
        "use_cache": True,
        **_ends(about),
    }


def _ends(about: dict[str, Any]) -> dict[str, Any]:
    kinds = (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))
    return {
        f"{ours}_token_id": about[f"tokenizer.ggml.{theirs}_token_id"] for ours, theirs in kinds
    }


def tokenizer(about: dict[str, Any]) -> dict[str, Any]:
    """The `tokenizer.json` of a byte-level BPE whose cuts are GPT-2's."""
    tokens = about["tokenizer.ggml.tokens"]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": tokens[i], "special": True, "normalized": False}
            | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
            for i in _special(about)
        ],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "use_regex": True},
        "post_processor": None,
        "decoder": {**byte_level, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": about["tokenizer.ggml.merges"],
        },
    }


def tokenizer_config(about: dict[str, Any]) -> dict[str, Any]:
    tokens, special = about["tokenizer.ggml.tokens"], _special(about)
    ends = {name.removesuffix("_id"): tokens[i] for name, i in _ends(about).items()}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": about["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        **ends,
        "additional_special_tokens": [tokens[i] for i in special if tokens[i] not in ends.values()],
        "chat_template": about["tokenizer.chat_template"],
    }


def _special(about: dict[str, Any]) -> list[int]:
    kinds = about["tokenizer.ggml.token_type"]
    return [i for i, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL]


def weights(reader: gguf.GGUFReader, about: dict[str, Any]) -> dict[str, Any]:
    """The tensors under transformers' names, as float32."""
    heads = {
        "attn_q": about["llama.attention.head_count"],
        "attn_k": about["llama.attention.head_count_kv"],
    }
    found = {}
    for tensor in reader.tensors:
        *block, name, _ = tensor.name.split(".")
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if name in heads:
            values = in_halves(values, heads[name])
        prefix = f"model.layers.{block[1]}." if block else ""
        found[f"{prefix}{NAMES[name]}.weight"] = np.ascontiguousarray(values)
    found.setdefault("lm_head.weight", found["model.embed_tokens.weight"].copy())
    return found


def in_halves(matrix: Any, heads: int) -> Any:
    """llama.cpp turns neighbouring rows of a head (2i, 2i+1), transformers i and i + half."""
    rows, columns = matrix.shape
    pairs = matrix.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


if __name__ == "__main__":
    *source, target = map(Path, sys.argv[1:])
    print(write_hf(target, *source))
