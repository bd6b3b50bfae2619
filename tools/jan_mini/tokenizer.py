"""A byte-level BPE tokenizer whose cuts are those of llama.cpp's ``gpt-2`` pre-tokenizer.

Merges are learned with digits standing alone, so that every digit stays one token and a sum can be
learned digit by digit; as no merge holds a digit, nothing of this needs to be said to llama.cpp.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from gaps import Gap

SYSTEM, USER, ASSISTANT, END, PAD = (
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|endoftext|>",
)
SPECIAL = (PAD, END, SYSTEM, USER, ASSISTANT)
FILL = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
"""They mark the texts around a gap, and where it begins; they follow the learnt tokens."""
ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}

# The same text as messages() below, for whoever runs the file.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'system' -%}{{ '<|system|>' + message['content'] + '<|end|>' }}"
    "{%- elif message['role'] == 'assistant' -%}"
    "{{ '<|assistant|>' + message['content'] + '<|end|>' }}"
    "{%- else -%}{{ '<|user|>' + message['content'] + '<|end|>' }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"
)


class Bpe:
    """Text to ids and back, with the special tokens of a conversation."""

    def __init__(self, learner: Tokenizer) -> None:
        learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        self._tokenizer = learner
        learnt = [learner.id_to_token(i) for i in range(learner.get_vocab_size())]
        self.tokens = learnt + [mark for mark in FILL if mark not in learnt]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.encode = lru_cache(200_000)(self._encode)

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> Bpe:
        """That of some texts."""
        learner = Tokenizer(models.BPE())
        learner.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        learner.train_from_iterator(texts, trainer)
        return cls(learner)

    @classmethod
    def of(cls, tokens: Sequence[str], merges: Iterable[str]) -> Bpe:
        """That of a file."""
        pairs = [tuple(merge.split(" ")) for merge in merges]
        return cls(Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, pairs)))

    @property
    def merges(self) -> list[str]:
        """The merges in order of rank, as GGUF stores them."""
        merges = json.loads(self._tokenizer.to_str())["model"]["merges"]
        return [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def messages(self, messages: Iterable[tuple[str, str]]) -> tuple[list[int], list[float]]:
        """Ids of a conversation, and how much each counts in training: only the answers do.

        A place in a long answer counts less than one in a short answer. Else long texts, which are
        easy to learn by heart, would drown the sums, which are not.
        """
        ids: list[int] = []
        weights: list[float] = []
        for role, text in messages:
            body = [*self.encode(text), self.ids[END]]
            weight = min(1.0, (12 / len(body)) ** 0.6) if role == "assistant" else 0.0
            ids += [self.ids[ROLES[role]], *body]
            weights += [0.0, *[weight] * len(body)]
        return ids, weights

    def gap(self, gap: Gap) -> tuple[list[int], list[float]]:
        """Ids of a text with a gap, in the order in which llama.cpp's `/infill` writes it, and how
        much each counts: only what is to come does.

        What is typed already stands in the gap, as what an answer has begun with: then what stands
        before and after stays as it is while somebody types, and needs not be read again.
        """
        pre, suf, mid = (self.ids[mark] for mark in FILL)
        known = [pre, *self.encode(gap.before), suf, *self.encode(gap.after), mid]
        known += self.encode(gap.typed)
        rest = [*self.encode(gap.rest), self.ids[END]]
        return [*known, *rest], [0.0] * len(known) + [min(1.0, (12 / len(rest)) ** 0.6)] * len(rest)
