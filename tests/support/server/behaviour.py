"""How a request is answered: options that a model's name can hold."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

NEVER = -1
FORMS = ("openai", "string", "detail", "html", "empty")

WORDS = (
    *("the", "of", "model", "token", "stream", "cell", "output", "kernel", "and", "a", "to", "is"),
    *("that", "for", "with", "as", "on", "code", "`x = 1`", "**bold**", "list", "item", "value"),
    *("returns", "function"),
)
FOREIGN = ("naïve", "Größe", "日本語", "🙂", "e\u0301", "👩‍🔬", "Ωμέγα", "שלום")

# code -> (status, type, message)
ERRORS = {
    "context_length_exceeded": (
        400,
        "invalid_request_error",
        "This model's maximum context length is 4096 tokens. However, your messages resulted in"
        " 5000 tokens. Please reduce the length of the messages.",
    ),
    "invalid_request": (400, "invalid_request_error", "We could not parse your request."),
    "content_filter": (400, "invalid_request_error", "The prompt triggered the content filter."),
    "invalid_api_key": (401, "invalid_request_error", "Incorrect API key provided: sk-…."),
    "forbidden": (403, "permission_error", "You are not allowed to use this model."),
    "model_not_found": (404, "invalid_request_error", "The model does not exist."),
    "rate_limit_exceeded": (429, "requests", "Rate limit reached. Please try again later."),
    "insufficient_quota": (429, "insufficient_quota", "You exceeded your current quota."),
    "server_error": (500, "server_error", "The server had an error while processing."),
    "loading": (503, "unavailable_error", "Loading model"),
    "server_is_overloaded": (503, "service_unavailable_error", "The server is overloaded."),
}


@dataclass(frozen=True)
class Behaviour:
    """How a request is answered. `K` counts chunks of the answer, -1 means never."""

    n: int = 8
    """Chunks of text; see `tokens`."""
    delay: float = 0.0
    """Seconds from chunk to chunk, on an absolute schedule."""
    headers: float = 0.0
    """Seconds before the status line."""
    first: float = 0.0
    """Seconds from the headers to the first chunk."""
    echo: bool = False
    """Answer with the JSON text of the last user message's content."""
    verbatim: bool = False
    """Answer with the text of the last user message as it is, a character a chunk."""
    foreign: bool = False
    """Words of several bytes a character."""
    reasoning: int = 0
    """So many chunks of reasoning come before the text."""
    reasoning_field: str = "reasoning_content"
    tools: int = 0
    """So many tool calls come instead of the text, their arguments in pieces."""
    finish: str = "stop"
    usage: str = "asked"
    """`asked` (by `stream_options`), `always`, `never`, or `finish` (in the chunk that ends)."""
    alone: bool = False
    """Give one answer, however many are asked for (`n`)."""
    cached: int = 0
    """Prompt tokens that are said to come from a cache."""

    cut: int = NEVER
    """Close the connection without an end mark after K chunks."""
    reset: int = NEVER
    """Reset the connection after K chunks."""
    stall: int = NEVER
    """After K chunks send nothing more, and keep the connection."""
    hold: int = NEVER
    """After K chunks send nothing before this model name is told a behaviour anew."""
    rubbish: int = NEVER
    """Send an event that is not JSON after K chunks (not streaming: an HTML page)."""
    error_at: int = NEVER
    """Send the error as an event after K chunks, and end (not streaming: with status 200)."""
    hangup: bool = False
    """Close the connection without any answer."""
    noend: bool = False
    """End cleanly without finish reason and without `[DONE]`."""
    nofinish: bool = False
    """End without finish reason, but with `[DONE]`."""
    nodone: bool = False
    """End without `[DONE]`."""

    status: int = 0
    """Answer with this HTTP status and an error."""
    error: str = ""
    """Answer with this error of `ERRORS`."""
    leak: bool = False
    """The error repeats the headers of the request, keys included."""
    form: str = "openai"
    """How the error is written: `openai`, `string`, `detail`, `html` or `empty`."""
    retry_after: float = -1.0
    """Seconds, sent as `retry-after` (and `retry-after-ms` if they are no whole number)."""
    times: int = NEVER
    """Only so many first requests to this model name misbehave; then the answer is whole."""
    after: int = 0
    """So many first requests to this model name are answered whole; then it misbehaves."""
    most: int = NEVER
    """What comes while so many requests to this model name are answered is refused (429)."""

    crlf: bool = False
    """Lines end with CR LF."""
    tight: bool = False
    """No space after `data:`."""
    comments: bool = False
    """A comment as keep-alive before every event."""
    multiline: bool = False
    """The JSON of an event over many `data:` lines."""
    split: int = 0
    """Write so many bytes at a time, whatever they cut through."""

    @classmethod
    def read(cls, text: str) -> Self:
        """`n=3,cut=1,crlf` as a behaviour; `ValueError` for what is not known."""
        kinds: dict[str, Any] = {option.name: type(option.default) for option in fields(cls)}
        values: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, given, value = part.partition("=")
            if name not in kinds or (kinds[name] is bool) == bool(given):
                raise ValueError(f"unknown option {part!r}")
            values[name] = True if kinds[name] is bool else kinds[name](value)
        behaviour = cls(**values)
        if behaviour.error and behaviour.error not in ERRORS:
            raise ValueError(f"unknown error {behaviour.error!r}")
        if behaviour.form not in FORMS:
            raise ValueError(f"unknown form {behaviour.form!r}")
        return behaviour

    @property
    def refuses(self) -> bool:
        """Whether the request is answered with an error instead of an answer."""
        return bool(self.status or self.error) and self.error_at == NEVER

    @property
    def failure(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the error object."""
        by_status = (c for c, (status, *_) in ERRORS.items() if status == self.status)
        code = self.error or next(by_status, "server_error")
        status, kind, message = ERRORS[code]
        error = {"message": message, "type": kind, "param": None, "code": code}
        return self.status or status, error


def tokens(n: int, *, foreign: bool = False) -> list[str]:
    """The `n` chunks of an answer: about 5 characters each, with Markdown lists in between."""
    words = FOREIGN if foreign else WORDS
    # The prime mixes the words, and meets them all.
    return [words[i * 7919 % len(words)] + ("\n\n- " if i % 23 == 22 else " ") for i in range(n)]
