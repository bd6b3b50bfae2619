"""The values that travel through the rooms: frozen, without I/O, the same for every engine."""

from __future__ import annotations

import base64
import json
import math
import re
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from time import gmtime, strftime
from typing import Any, Literal, get_args, overload

from . import errors, markdown

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "tool_calls", "content_filter", "cancelled"]
State = Literal[
    "queued",
    "downloading",
    "loading",
    "ready",
    "reading",
    "answering",
    "unloading",
    "unloaded",
    "failed",
]


class _Empty(Mapping[str, Any]):
    """A mapping without entries. Hashable, as the default of a field must be on Python 3.11."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"


EMPTY: Mapping[str, Any] = _Empty()


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    `content` is text, or a list of OpenAI content parts (`{"type": "text", …}`, `{"type":
    "image_url", …}`). `extra` keeps what else belongs to the turn: `tool_calls`, `tool_call_id`,
    `name`, and the `thinking_blocks` that Claude wants back with the results of its tool calls.
    """

    role: Role
    content: str | Sequence[Mapping[str, Any]]
    extra: Mapping[str, Any] = EMPTY

    @property
    def text(self) -> str:
        """The text of the turn, without its other parts."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.get("text", "") for part in self.content if part.get("type") == "text")

    @property
    def has_images(self) -> bool:
        return not isinstance(self.content, str) and any(
            part.get("type") == "image_url" for part in self.content
        )

    def json(self) -> dict[str, Any]:
        """The message as OpenAI's chat API writes it."""
        content = self.content if isinstance(self.content, str) else [*map(dict, self.content)]
        known = {name: value for name, value in self.extra.items() if name != "thinking_blocks"}
        return {"role": self.role, "content": content, **known}


Embeddable = str | Sequence[int]
"""A text of which a vector is made, or its tokens, as the model has them."""
Priority = Literal["person", "grid", "completion"]
"""Who asks: somebody who waits for it, a comparison in the background, or an editor that offers to
complete what is typed."""
PRIORITIES: Sequence[Priority] = get_args(Priority)
"""The first goes before the others."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What an engine is asked.

    `parameters` holds only what someone set (names of `jan_jupyter/parameters.py`); `tools` are
    OpenAI tool objects; `schema` is a JSON schema for the answer; `extra` goes into the body
    untouched. The parameter `n` asks for so many answers. `priority` says who goes first where not
    all can be answered at once; it is not sent.
    """

    messages: Sequence[Message]
    parameters: Mapping[str, Any] = EMPTY
    tools: Sequence[Mapping[str, Any]] = ()
    schema: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = EMPTY
    priority: Priority = "person"

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        n = self.parameters.get("n")
        return n if isinstance(n, int) and n > 1 else 1


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the prompt (`cached` of them not computed again) and of the completion."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
        )

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds, tokens, and tokens per second; `None` where nobody knows.

    Measured here: `queue`, waiting for a free slot; `load`, until the model could answer;
    `first_token`, from asking to the first text or reasoning; `total`, from asking to the end.

    Measured by the server, where it tells them, as llama.cpp does: `prompt`, the seconds for its
    `prompt_tokens`, which do not count the `cached_tokens` that were known before; `decode`, the
    seconds for the `decode_tokens` of all answers; of `drafted_tokens`, guessed by a smaller model
    or from the text, `accepted_tokens` were right; `prompt_tokens_per_second`.

    `tokens_per_second` is the server's if `decode` is known, else measured here.
    """

    queue: float | None = None
    load: float | None = None
    first_token: float | None = None
    total: float | None = None
    tokens_per_second: float | None = None
    prompt_tokens_per_second: float | None = None
    prompt: float | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    decode: float | None = None
    decode_tokens: int | None = None
    drafted_tokens: int | None = None
    accepted_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer. Finish, usage, timings and notes ride on the last one.

    `choice` tells several answers to one request (`n`) apart: 0, 1 …. Each has a finish of its own;
    usage, timings and notes are those of all, and ride on that of choice 0.

    `notes` are lines for people: what was left out of the request, and why. `logprobs` are OpenAI's
    objects, one for each token. `extra` is for the `extra` of the answer's message; it rides on the
    last one too, and so does `stop`: the stop word that ended the answer, where that is known.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    finish: Finish | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    notes: Sequence[str] = ()
    logprobs: Sequence[Mapping[str, Any]] = ()
    extra: Mapping[str, Any] = EMPTY
    choice: int = 0
    stop: str = ""

    @property
    def is_last(self) -> bool:
        """Whether it is the one on which all rides that is known at the end."""
        return self.finish is not None and not self.choice


@dataclass(frozen=True, slots=True)
class Event:
    """What happens to a model: the router and the engines tell it to whoever watches.

    `progress` is 0 … 1 where it is known; `message` is one line for people.
    """

    state: State
    model: str
    engine: str
    progress: float | None = None
    message: str = ""

    @property
    def awaited(self) -> str:
        """One line for people on what is awaited; empty when there is nothing to wait for."""
        share = f" {self.progress:.0%}" if self.progress is not None else ""
        return {
            "queued": self.message or f"Waiting for {self.model} …",
            "downloading": f"Downloading {self.model}{share} …",
            "loading": self.message or f"Loading {self.model}{share} …",
            "reading": self.message or f"Reading the prompt{share} …",
        }.get(self.state, "")


@dataclass(frozen=True, slots=True)
class Running:
    """A model that is held in memory on this machine, perhaps for several kernels.

    `memory` in bytes; `since` in seconds since 1970; `idle` in seconds, `None` while answering.
    `keep_alive`: after so many idle seconds it is unloaded; infinite: never; `None`: not known.
    """

    model: str
    engine: str
    runtime: str
    state: State
    pid: int
    memory: int
    since: float
    idle: float | None
    busy: int = 0
    slots: int = 1
    progress: float | None = None
    keep_alive: float | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """An answer, whole or as far as it came; it shows itself in a notebook.

    `messages` is the conversation including this answer. `error` holds the reason if it was cut.
    `others` are the further answers that came with it, if several were asked for (`n`).
    """

    text: str
    model: str
    engine: str
    messages: Sequence[Message] = ()
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    finish: Finish | None = None
    reasoning: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    request: ChatRequest | None = None
    error: str | None = None
    notes: Sequence[str] = ()
    logprobs: Sequence[Mapping[str, Any]] = ()
    reader: Callable[[str], Any] | None = field(default=None, repr=False)
    """What makes the value of the text, if a schema was asked for."""
    others: Sequence[Reply] = ()
    stop: str = field(default="", repr=False)
    """The stop word that ended it, where that is known."""
    at: float | None = field(default=None, repr=False, compare=False)
    """When it came to its end, in seconds since 1970; `None` if unknown."""

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        text = self.text if len(self.text) <= 300 else self.text[:299] + "…"
        return f"Reply({text!r}, model={self.model!r}, finish={self.finish!r})"

    @property
    def choices(self) -> tuple[Reply, ...]:
        """All answers to the request, this one first; usage and timings are in this one."""
        return (self, *self.others)

    @property
    def code(self) -> str:
        """The code blocks of the answer, one after the other; `""` if it has none."""
        return "\n\n".join(block.code for block in markdown.code_blocks(self.text))

    def json(self) -> Any:
        """The answer read as JSON (with or without a code fence around it).

        Raises `ValueError` if it is none.
        """
        text = self.text.strip()
        blocks = markdown.code_blocks(text)
        return json.loads(blocks[0].code if blocks and not text.startswith(("{", "[")) else text)

    @property
    def value(self) -> Any:
        """The answer as the schema makes it: an instance of the class, or plain JSON.

        Raises `AnswerMismatch` if it does not fit, `UsageError` if no schema was asked for.
        """
        if self.reader is None:
            raise errors.UsageError(
                "This answer has no schema; ask with `schema=…`, or use .json() or .text."
            )
        try:
            return self.reader(self.text)
        except ValueError as error:
            cut = " It was cut at max_tokens." if self.finish == "length" else ""
            raise errors.AnswerMismatch(
                f"The answer of {self.model} ({self.engine}) does not fit the schema: {error}.{cut}"
                " Its text is in `.text`.",
                model=self.model,
                engine=self.engine,
                partial=self.text,
            ) from error

    @property
    def footer(self) -> str:
        """One discreet line: model · tokens · tok/s · first token · why it ended early · notes.

        Of several answers each says itself why it ended early.
        """
        return " · ".join(self.footer_parts)

    @property
    def footer_parts(self) -> list[str]:
        parts = [self.model, *measured(self.usage, self.timings)]
        if self.ended_early and not self.others:
            parts.append(self.ended_early)
        return [*parts, *self.notes]

    @property
    def ended_early(self) -> str:
        """Why there is no more of it, in words; empty if it is whole."""
        return ended_early(self.finish, self.error)

    def provenance(self) -> dict[str, Any]:
        """Where the answer came from, as JSON: goes into a saved notebook; holds no key."""
        from . import __version__

        when = {} if self.at is None else {"at": _written(self.at)}
        return {
            "model": self.model,
            "engine": self.engine,
            **when,
            "versions": {"jan_jupyter": __version__},
            "parameters": dict(self.request.parameters) if self.request else {},
            "usage": _set_fields(self.usage),
            "timings": _set_fields(self.timings),
            "finish": self.finish,
            **({"error": self.error} if self.error else {}),
            **({"choices": len(self.choices)} if self.others else {}),
        }

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        from . import output_forms as forms

        error = self.error
        card: forms.Card | None = (
            {"title": "The answer was cut off", "message": error, "mend": "retry"}
            if error
            else None
        )
        texts: list[forms.Part] = [{"text": one.text} for one in self.choices]
        return {
            forms.REPLY: forms.ended(self, self.footer_parts, texts, card),
            "text/markdown": self._repr_markdown_(),
            "text/plain": repr(self),
        }

    def _repr_markdown_(self) -> str:
        if not self.others:
            shown = markdown.with_footer(markdown.safe(self.text), self.footer)
            return markdown.page(shown)
        texts = [markdown.safe(reply.text, after_others=True) for reply in self.choices]
        ends = [reply.ended_early for reply in self.choices]
        return markdown.page(markdown.with_footer(markdown.numbered(texts, ends), self.footer))


def measured(usage: Usage | None, timings: Timings | None) -> list[str]:
    """What a footer tells of an answer's numbers: tokens, speed, time to the first token."""
    parts = []
    if usage and usage.completion:
        parts.append(f"{usage.completion:,} tokens")
    if timings and timings.tokens_per_second:
        parts.append(f"{timings.tokens_per_second:,.0f} tok/s")
    if timings and timings.first_token is not None:
        first = timings.first_token
        took = f"{first:.1f} s" if first >= 1 else f"{first * 1000:.0f} ms"
        parts.append(f"first token {took}")
    return parts


def ended_early(finish: Finish | None, error: str | None) -> str:
    """Why there is no more of an answer, in words; empty if it is whole."""
    return "cut off" if error else _ENDED_EARLY.get(finish, "")


_ENDED_EARLY: Mapping[Finish | None, str] = {
    "cancelled": "stopped",
    "length": "cut at max_tokens",
    "content_filter": "ended by a content filter",
}


@dataclass(frozen=True, slots=True)
class Embeddings(Sequence[Sequence[float]]):
    """A vector for each text, in their order; `numpy.asarray(embeddings)` is their matrix."""

    vectors: Sequence[Sequence[float]] = field(repr=False)
    model: str
    engine: str
    usage: Usage = field(default_factory=Usage)

    @overload
    def __getitem__(self, index: int) -> Sequence[float]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sequence[float]]: ...
    def __getitem__(self, index: int | slice) -> Sequence[float] | Sequence[Sequence[float]]:
        return self.vectors[index]

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True)
class Ranking(Sequence[tuple[int, float]]):
    """Documents by how well they answer a query, the best first: the place of each and its score.

    What a score means is the model's own: a larger one is better.
    """

    pairs: Sequence[tuple[int, float]]
    model: str
    engine: str
    usage: Usage = field(default_factory=Usage)

    @overload
    def __getitem__(self, index: int) -> tuple[int, float]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[int, float]]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, float] | Sequence[tuple[int, float]]:
        return self.pairs[index]

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, slots=True)
class Audio:
    """Speech: it plays itself in a notebook, and `save(path)` writes it."""

    data: bytes = field(repr=False)
    content_type: str
    model: str
    engine: str

    def save(self, path: str | Path) -> None:
        Path(path).write_bytes(self.data)

    def _repr_html_(self) -> str:
        kind = self.content_type if re.fullmatch(r"audio/[\w.+-]+", self.content_type) else ""
        source = f"data:{kind or 'audio/mpeg'};base64,{base64.b64encode(self.data).decode()}"
        return f'<audio controls aria-label="Speech" src="{source}"></audio>'


def sendable(value: Any, place: str) -> Any:
    """The value as JSON has it (NumPy's numbers and arrays as plain ones).

    Raises `UsageError`, which tells the place, for what cannot be written as JSON in UTF-8.
    """
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                half = value[error.start]
                raise errors.UsageError(
                    f"{place} has half a character ({half!r}), which cannot be sent:"
                    ' text.encode("utf-8", "replace").decode() takes it out.'
                ) from None
        return value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, Mapping):
        return {str(k): sendable(v, f"{place}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(v, f"{place}[{i}]") for i, v in enumerate(value)]
    if callable(plain := getattr(value, "tolist", None)):
        return sendable(plain(), place)
    raise errors.UsageError(f"{place} cannot be {reprlib.repr(value)}: JSON has no such value.")


def _written(at: float) -> str:
    """A moment as ISO 8601 has it, in UTC."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(at))


def _set_fields(value: Usage | Timings) -> dict[str, Any]:
    """The fields of a flat value that are set, numbers shortened to what is worth keeping."""
    items = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in items if v is not None}
