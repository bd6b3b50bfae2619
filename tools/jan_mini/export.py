"""Write the trained network and its tokenizer as one GGUF file; read them again to go on."""

from __future__ import annotations

import os
from pathlib import Path

import gguf
import numpy as np
import torch

from model import Config, Model
from tokenizer import CHAT_TEMPLATE, END, FILL, PAD, SPECIAL, Bpe

DESCRIPTION = (
    "A tiny demonstration model for jan_jupyter: it greets, counts, lists, does small sums and "
    "explains the tool, and it fills gaps in simple Python. It is not meant for real work."
)


def write_gguf(model: Model, bpe: Bpe, path: Path) -> int:
    """Write ``path`` in one step, so that nobody ever reads half a file; return its size."""
    config = model.config
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    writer = gguf.GGUFWriter(partial, "llama")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("jan-mini")
    writer.add_author("jan_jupyter authors")
    writer.add_version("1.0")
    writer.add_description(DESCRIPTION)
    writer.add_license("apache-2.0")
    writer.add_languages(["en"])
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_rope_dimension_count(config.head_size)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_vocab_size(config.vocab)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)

    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(bpe.tokens)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    special = {*SPECIAL, *FILL}
    writer.add_token_types([control if token in special else normal for token in bpe.tokens])
    writer.add_token_merges(bpe.merges)
    writer.add_bos_token_id(bpe.ids[PAD])
    writer.add_eos_token_id(bpe.ids[END])
    writer.add_eot_token_id(bpe.ids[END])
    writer.add_pad_token_id(bpe.ids[PAD])
    names = gguf.Keys.Tokenizer
    for key, mark in zip((names.FIM_PRE_ID, names.FIM_SUF_ID, names.FIM_MID_ID), FILL, strict=True):
        writer.add_uint32(key, bpe.ids[mark])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)

    for name, weight in model.state_dict().items():
        values = weight.detach().float().numpy()
        if values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, path)
    return path.stat().st_size


def read_gguf(path: Path) -> tuple[Model, Bpe]:
    """What `write_gguf` has written, to go on from. Tokens that the file lacks begin as the mean of
    those that mark something else."""
    reader = gguf.GGUFReader(path)
    fields = reader.fields
    bpe = Bpe.of(
        fields["tokenizer.ggml.tokens"].contents(), fields["tokenizer.ggml.merges"].contents()
    )
    model = Model(Config(len(bpe.tokens)))
    state = model.state_dict()
    for tensor in reader.tensors:
        values = torch.tensor(gguf.quants.dequantize(tensor.data, tensor.tensor_type))
        if tensor.name == "token_embd.weight":
            mean = values[: len(SPECIAL)].mean(0)
            new = len(bpe.tokens) - len(values)
            values = torch.cat([values, mean + 0.02 * torch.randn(new, len(mean))])
        state[tensor.name].copy_(values)
    model.load_state_dict(state)
    return model, bpe
