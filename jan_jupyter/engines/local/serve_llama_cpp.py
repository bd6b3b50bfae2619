"""The model of a worker of nitro's runtime `llama-cpp-python`: a backend for `serve.py`.

Settings are keyword arguments of `llama_cpp.Llama` (names of its constants for their values), and
`chat_template`, `cache_prompt`.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import llama_cpp
from llama_cpp import llama_chat_format, llama_grammar

if TYPE_CHECKING:
    from .serve import Asked, Finish, Sink

_NAMES = {"temperature": "temp", "mirostat": "mirostat_mode"}
"""Where `Llama.generate` has another name for a parameter of llama.cpp's server."""
_ELSEWHERE = {"seed", "repeat_last_n", "ignore_eos"}


def load(settings: dict[str, Any]) -> LlamaCpp:
    _log_to_stderr()
    return LlamaCpp(**settings)


class LlamaCpp:
    """One context of llama.cpp, which keeps the last conversation in its memory."""

    constrains = True

    def __init__(
        self, chat_template: str | None = None, cache_prompt: bool = True, **keywords: Any
    ) -> None:
        arguments = {n: v if n == "model_path" else _constant(v) for n, v in keywords.items()}
        embeds = bool(arguments.get("embedding"))
        self._llama = _Llama(verbose=False, **arguments)
        self._embeds = embeds
        self._cache_prompt = cache_prompt
        self._vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        if embeds:
            llama_cpp.llama_set_embeddings(self._llama.ctx, False)
        self._bos = self._text_of(self._llama.token_bos())
        self._format = llama_chat_format.Jinja2ChatFormatter(
            chat_template
            or self._llama.metadata.get("tokenizer.chat_template")
            or llama_chat_format.CHATML_CHAT_TEMPLATE,
            eos_token=self._text_of(self._llama.token_eos()),
            bos_token=self._bos,
        )
        self.context: int = self._llama.n_ctx()
        self.cached = 0

    def encode(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        prompt: str = self._format(messages=list(messages)).prompt
        if self._bos and llama_cpp.llama_vocab_get_add_bos(self._vocab):
            prompt = prompt.removeprefix(self._bos)  # it is added below
        tokens: list[int] = self._llama.tokenize(prompt.encode(), add_bos=True, special=True)
        return tokens

    def decode(self, tokens: list[int]) -> str:
        text: bytes = self._llama.detokenize(tokens)
        return text.decode("utf-8", "replace")

    def generate(self, prompt: list[int], asked: Asked, answer: Sink) -> Finish:
        parameters = asked.parameters
        self._llama.set_seed(_seed(parameters.get("seed", -1)))
        self._llama.last_n_tokens_size = parameters.get("repeat_last_n", 64)
        self._llama.answer = answer
        if not self._cache_prompt:
            self._llama.reset()
        self.cached = 0
        known = self._llama.evaluated + len(prompt)
        tokens = self._llama.generate(
            prompt,
            grammar=self._grammar(asked),
            **{_NAMES.get(n, n): v for n, v in parameters.items() if n not in _ELSEWHERE},
        )
        with closing(tokens), suppress(_Stopped):
            for count, token in enumerate(tokens, 1):
                if count == 1:
                    self.cached = known - self._llama.evaluated
                ends = llama_cpp.llama_vocab_is_eog(self._vocab, token)
                wanted = answer.put(token)
                if not wanted or (ends and not parameters.get("ignore_eos")):
                    return "stop"
                if count == asked.limit:
                    break
        return "length"

    def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        if not self._embeds:
            raise ValueError("the model was loaded without `embedding`: set it in its settings")
        llama_cpp.llama_set_embeddings(self._llama.ctx, True)
        try:
            vectors, tokens = self._llama.embed(
                list(texts), normalize=True, truncate=False, return_count=True
            )
        finally:
            llama_cpp.llama_set_embeddings(self._llama.ctx, False)
        return vectors, tokens

    def _grammar(self, asked: Asked) -> Any:
        """Raises `ValueError` if it cannot be used: llama.cpp would end the process."""
        if asked.grammar:
            text = asked.grammar
        elif asked.schema is None:
            return None
        elif asked.schema:
            try:
                text = llama_grammar.json_schema_to_gbnf(json.dumps(asked.schema))
            except (KeyError, TypeError, AttributeError, AssertionError, NotImplementedError) as e:
                raise ValueError(f"the JSON schema cannot be used: {e!r}") from e
        else:
            text = llama_grammar.JSON_GBNF
        sampler = llama_cpp.llama_sampler_init_grammar(self._vocab, text.encode(), b"root")
        if not sampler:
            raise ValueError("the grammar (or the one of the JSON schema) cannot be parsed")
        llama_cpp.llama_sampler_free(sampler)
        return llama_grammar.LlamaGrammar.from_string(text)

    def _text_of(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = llama_cpp.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace")


class _Stopped(Exception):
    """The reading of a prompt was given up."""


class _Llama(llama_cpp.Llama):  # type: ignore[misc]
    """Counts the tokens that it evaluates, and can be stopped while it reads a prompt."""

    def __init__(self, **arguments: Any) -> None:
        self.evaluated = 0
        self.answer: Sink | None = None
        self._asks = llama_cpp.ggml_abort_callback(lambda _: self._stopped())
        super().__init__(**arguments)

    def eval(self, tokens: Sequence[int]) -> None:
        if len(tokens) == 1:  # asking at each step of the graph would cost more than it gains
            super().eval(tokens)
        else:
            llama_cpp.llama_set_abort_callback(self.ctx, self._asks, None)
            try:
                super().eval(tokens)
            except RuntimeError as error:
                if self._stopped():
                    raise _Stopped from error
                raise
            finally:
                llama_cpp.llama_set_abort_callback(self.ctx, _NOBODY, None)
        self.evaluated += len(tokens)

    def _stopped(self) -> bool:
        return self.answer is not None and self.answer.stopped


_NOBODY = llama_cpp.ggml_abort_callback()


def _constant(value: Any) -> Any:
    """The value of a constant of llama.cpp's; anything else as it is."""
    if not (isinstance(value, str) and value.startswith(("GGML_", "LLAMA_"))):
        return value
    return _OF_GGML_H[value] if value in _OF_GGML_H else getattr(llama_cpp, value)


_OF_GGML_H = {"GGML_TYPE_BF16": 30}
"""What llama_cpp leaves out."""


def _seed(seed: int) -> int:
    return seed if seed >= 0 else llama_cpp.LLAMA_DEFAULT_SEED


def _log_to_stderr() -> None:
    """llama.cpp's warnings and errors, in the form of its server.

    To a copy of the stream: while it loads, llama_cpp sends its own to nowhere.
    """
    copy = os.dup(2)
    goes_on = False

    def log(level: int, text: bytes, _: object) -> None:
        nonlocal goes_on
        goes_on = level in _LEVELS or (level == _CONTINUES and goes_on)
        if goes_on:
            os.write(copy, _LEVELS.get(level, b"") + text)

    _kept.append(llama_cpp.llama_log_callback(log))
    llama_cpp.llama_log_set(_kept[-1], ctypes.c_void_p(0))


_LEVELS = {3: b"W ", 4: b"E "}  # of ggml.h; what llama_cpp 0.3 takes them for is out of date
_CONTINUES = 5
_kept: list[Any] = []
"""What C calls must not be collected."""
