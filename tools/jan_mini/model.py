"""The network: a small decoder of the Llama architecture, laid out as llama.cpp reads it.

Three choices follow from llama.cpp's ``llama`` graph, so that export is a plain copy of the
weights: rotary embedding turns neighbouring pairs (2i, 2i+1) and not halves, the output matrix is
the embedding matrix, and no linear layer has a bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Config:
    """The shape of the network. Row sizes are multiples of 32, as Q8_0 needs."""

    vocab: int
    width: int = 192
    layers: int = 6
    heads: int = 6
    kv_heads: int = 2
    hidden: int = 512
    context: int = 2048
    rope_base: float = 10_000.0
    eps: float = 1e-5

    @property
    def head_size(self) -> int:
        return self.width // self.heads


def rope_table(config: Config, length: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine for every position and pair, each of shape (length, head_size / 2)."""
    half = config.head_size // 2
    frequencies = config.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn neighbouring pairs of ``x`` (batch, heads, length, head_size) by their position."""
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2).to(x.dtype)


class Block(nn.Module):  # type: ignore[misc]
    """One layer: attention with grouped keys, then a SwiGLU feed-forward."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_size = config.heads, config.kv_heads, config.head_size
        kv_width = config.kv_heads * config.head_size
        self.attn_norm = nn.RMSNorm(config.width, config.eps)
        self.attn_q = nn.Linear(config.width, config.width, bias=False)
        self.attn_k = nn.Linear(config.width, kv_width, bias=False)
        self.attn_v = nn.Linear(config.width, kv_width, bias=False)
        self.attn_output = nn.Linear(config.width, config.width, bias=False)
        self.ffn_norm = nn.RMSNorm(config.width, config.eps)
        self.ffn_gate = nn.Linear(config.width, config.hidden, bias=False)
        self.ffn_up = nn.Linear(config.width, config.hidden, bias=False)
        self.ffn_down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        batch, length, width = x.shape
        h = self.attn_norm(x)

        def split(y: Tensor, heads: int) -> Tensor:
            return y.view(batch, length, heads, self.head_size).transpose(1, 2)

        q = rotate(split(self.attn_q(h), self.heads), cos, sin)
        k = rotate(split(self.attn_k(h), self.kv_heads), cos, sin)
        v = split(self.attn_v(h), self.kv_heads)
        groups = self.heads // self.kv_heads
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        if mask is None:
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            y = torch.softmax(q @ k.transpose(2, 3) * self.head_size**-0.5 + mask, dim=-1) @ v
        x = x + self.attn_output(y.transpose(1, 2).reshape(batch, length, width))
        h = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Model(nn.Module):  # type: ignore[misc]
    """Token ids in, logits out. Parameter names are those of GGUF, which makes export a loop."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.token_embd = nn.Embedding(config.vocab, config.width)
        self.blk = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output_norm = nn.RMSNorm(config.width, config.eps)
        cos, sin = rope_table(config, config.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Each layer adds nothing at first, so that the tokens themselves are seen in all of them.

        The loss then falls a little sooner than from small random layers.
        """
        for name, weight in self.named_parameters():
            if name.endswith(("attn_output.weight", "ffn_down.weight")):
                nn.init.zeros_(weight)
            elif weight.dim() == 2:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)

    def forward(self, tokens: Tensor, wanted: Tensor | None = None) -> Tensor:
        """Logits everywhere, or only where ``wanted`` is true: not all is trained on."""
        length = tokens.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        x = self.token_embd(tokens)
        # On a CPU plain products train much faster than fused ones, until rows get long.
        plain = tokens.device.type == "cpu" and length <= 640
        mask = torch.full((length, length), -1e4).triu(1).bfloat16() if plain else None
        for block in self.blk:
            x = block(x, cos, sin, mask)
        if wanted is not None:
            x = x[wanted]
        return functional.linear(self.output_norm(x), self.token_embd.weight)
