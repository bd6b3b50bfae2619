"""OpenAI's chat API in both directions: what we ask others, and what others ask us. Pure.

`write_…` makes the JSON of one of our values, `read_…` our value of such JSON: a request, the
chunks of a stream, a whole answer, usage and timings (in llama.cpp's words), vectors, and rankings.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..types import (
    EMPTY,
    ChatRequest,
    Delta,
    Embeddings,
    Finish,
    Message,
    Ranking,
    Reply,
    Timings,
    Usage,
)
from . import sse

# Requests -----------------------------------------------------------------------------------------

_NOT_PARAMETERS = {"model", "messages", "stream", "stream_options", "tools", "response_format"}
_RENAMED = {"max_completion_tokens": "max_tokens"}
_UNNAMED = "answer"
"""The name of a schema that has none: the API wants one."""


def write_request(
    request: ChatRequest, model: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """The body of a `/chat/completions` request: only what is set.

    `parameters` are those of the request as this server takes them.
    """
    return {
        "model": model,
        "messages": [message.json() for message in request.messages],
        "stream": True,
        **parameters,
        **({"tools": [*request.tools]} if request.tools else {}),
        **({"response_format": _write_schema(request.schema)} if request.schema else {}),
        **request.extra,
    }


def read_request(body: Mapping[str, Any]) -> ChatRequest:
    """A `/chat/completions` body (looked at by `bodies.read`) as our request."""
    messages = [
        Message(
            "system" if m["role"] == "developer" else m["role"],
            m.get("content") or "",
            {k: v for k, v in m.items() if k not in ("role", "content") and v is not None},
        )
        for m in body["messages"]
    ]
    given = {k: v for k, v in body.items() if k not in _NOT_PARAMETERS and v is not None}
    parameters = {_RENAMED.get(name, name): value for name, value in given.items()}
    schema, extra = _read_schema(body.get("response_format"))
    return ChatRequest(messages, parameters, body.get("tools") or (), schema, extra)


def _write_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    # OpenAI takes no other names.
    name = re.sub(r"[^\w-]+", "_", str(schema.get("title") or ""), flags=re.ASCII)[:64]
    described = {"name": name.strip("_") or _UNNAMED, "schema": dict(schema)}
    return {"type": "json_schema", "json_schema": described}


def _read_schema(
    form: Mapping[str, Any] | None,
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """The schema in a `response_format`, and what of that goes on as it is."""
    if not form or form["type"] == "text":
        return None, EMPTY
    described = form.get("json_schema") or {}
    schema = described.get("schema") if form["type"] == "json_schema" else None
    if schema is None:
        return None, {"response_format": form}
    name = described.get("name") or _UNNAMED
    return ({**schema} if name == _UNNAMED else {"title": name, **schema}), EMPTY


# Answers ------------------------------------------------------------------------------------------

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def read_chunk(chunk: Mapping[str, Any]) -> Delta | list[Delta] | None:
    """A `chat.completion.chunk`, or a whole `chat.completion`: what it brings of each choice."""
    usage = read_usage(chunk["usage"]) if chunk.get("usage") else None
    timings = _read_timings(chunk["timings"]) if chunk.get("timings") else None
    notes = chunk.get("notes")  # a server of ours tells what it left out
    deltas = [delta for choice in chunk.get("choices") or () if (delta := _read_choice(choice))]
    if deltas and "__verbose" in chunk:  # llama.cpp's, of one choice
        deltas[0] = replace(deltas[0], stop=str(chunk["__verbose"].get("stopping_word") or ""))
    if usage or timings or notes:
        first = deltas[0] if deltas else Delta()
        lines = [*map(str, notes)] if isinstance(notes, list) else ()
        deltas[:1] = [replace(first, usage=usage, timings=timings, notes=lines)]
    return deltas[0] if len(deltas) == 1 else deltas or None


def _read_choice(choice: Mapping[str, Any]) -> Delta | None:
    """What a chunk brings of one choice, if anything; that of a `/completions` has its `text`."""
    delta = choice.get("delta") or choice.get("message") or {}
    text = delta.get("content") or delta.get("refusal") or choice.get("text") or ""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
    tool_calls = delta.get("tool_calls") or []
    reason = choice.get("finish_reason")
    if not (text or reasoning or tool_calls or reason):
        return None
    return Delta(
        text,
        reasoning,
        tool_calls,
        _FINISH.get(reason, "stop") if reason else None,
        logprobs=(choice.get("logprobs") or {}).get("content") or [],
        choice=choice.get("index") or 0,
        stop=word if isinstance(word := choice.get("stop_reason"), str) else "",
    )


def read_infill(chunk: Mapping[str, Any]) -> Delta:
    """A chunk of llama.cpp's own `/infill`."""
    if not chunk["stop"]:
        return Delta(chunk["content"])
    timings = _read_timings(chunk.get("timings") or {})
    counted = chunk["tokens_evaluated"], chunk["tokens_predicted"], timings.cached_tokens or 0
    limit = chunk.get("stop_type") == "limit" or chunk.get("stopped_limit")
    finish: Finish = "length" if limit else "stop"
    return Delta(chunk["content"], finish=finish, usage=Usage(*counted), timings=timings)


def write_chunk(
    delta: Delta, head: Mapping[str, Any] = EMPTY, *, first: bool = False
) -> dict[str, Any]:
    """A delta as a chunk, without its usage; `head` says whose it is, `first`: of its choice."""
    said: dict[str, Any] = {"role": "assistant"} if first else {}
    if delta.text:
        said["content"] = delta.text
    if delta.tool_calls:
        said["tool_calls"] = [{"index": i, **call} for i, call in enumerate(delta.tool_calls)]
    if delta.extra:
        said |= delta.extra
    choice = _write_choice(delta.choice, "delta", said, delta)
    return {**head, "choices": [choice], **_write_notes(delta)}


def write_timings(delta: Delta) -> dict[str, Any]:
    """What a server has measured so far, for a chunk: empty where it does not tell."""
    timings = _write_timings(delta.timings) if delta.timings else {}
    return {"timings": timings} if timings else {}


class Chunks:
    """The chunks of one answer as events; `head` says whose they are, `timed`: with timings.

    Most bring nothing but a little text, and are alike around it.
    """

    def __init__(self, head: Mapping[str, Any], *, timed: bool = False) -> None:
        self._head, self._timed = head, timed
        self._begun: set[int] = set()
        whole = sse.written(write_chunk(Delta(_MARK), head))
        self._before, _, self._after = whole.rpartition(sse.as_json(_MARK))

    def written(self, delta: Delta) -> bytes:
        first = delta.choice not in self._begun
        if first:
            self._begun.add(delta.choice)
        elif _is_text(delta):
            return self._before + sse.as_json(delta.text) + self._after
        chunk = write_chunk(delta, self._head, first=first)
        if self._timed:
            chunk |= write_timings(delta)
        return sse.written(chunk)


_MARK = "\0"


def _is_text(delta: Delta) -> bool:
    """Whether it is a piece of text of the first choice, and nothing else."""
    return bool(delta.text) and not (
        delta.choice
        or delta.finish
        or delta.reasoning
        or delta.tool_calls
        or delta.logprobs
        or delta.notes
        or delta.stop
        or delta.timings
        or delta.extra is not EMPTY
    )


def write_usage(last: Delta | Reply, head: Mapping[str, Any] = EMPTY) -> dict[str, Any]:
    """The chunk that counts, at the end of a stream; it is of no choice."""
    return {**head, "choices": [], **_counted(last)}


def write_reply(reply: Reply, head: Mapping[str, Any] = EMPTY) -> dict[str, Any]:
    """A whole answer as a `chat.completion`."""
    choices = []
    for place, choice in enumerate(reply.choices):
        extra = choice.messages[-1].extra
        text = choice.text or (None if choice.tool_calls else "")
        said = {"role": "assistant", "content": text, **extra}
        choices.append(_write_choice(place, "message", said, choice))
    return {**head, "choices": choices, **_counted(reply), **_write_notes(reply)}


def _write_choice(
    place: int, kind: str, said: dict[str, Any], answer: Delta | Reply
) -> dict[str, Any]:
    if answer.reasoning:
        said["reasoning_content"] = answer.reasoning
    choice: dict[str, Any] = {"index": place, kind: said, "finish_reason": _finish(answer)}
    if answer.logprobs:
        choice["logprobs"] = {"content": [*answer.logprobs]}
    if answer.stop:
        choice["stop_reason"] = answer.stop  # as vLLM tells it
    return choice


def _finish(answer: Delta | Reply) -> Finish | None:
    """How it ended, in OpenAI's words, which have none for an answer that somebody else stopped:
    it is as short as one that was cut."""
    return "length" if answer.finish == "cancelled" else answer.finish


def _write_notes(answer: Delta | Reply) -> dict[str, Any]:
    """What was left out of the request, for who looks: OpenAI has no place for it."""
    return {"notes": [*answer.notes]} if answer.notes else {}


# Usage and timings --------------------------------------------------------------------------------


def _counted(answer: Delta | Reply) -> dict[str, Any]:
    usage = answer.usage or Usage()
    counts = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }
    timings = _write_timings(answer.timings or Timings())
    return {"usage": counts, **({"timings": timings} if timings else {})}


def read_usage(written: Mapping[str, Any]) -> Usage:
    details = written.get("prompt_tokens_details") or {}
    return Usage(
        int(written.get("prompt_tokens") or 0),
        int(written.get("completion_tokens") or 0),
        int(details.get("cached_tokens") or 0),
    )


_COUNTS = {
    "tokens_per_second": "predicted_per_second",
    "prompt_tokens_per_second": "prompt_per_second",
    "prompt_tokens": "prompt_n",
    "cached_tokens": "cache_n",
    "decode_tokens": "predicted_n",
    "drafted_tokens": "draft_n",
    "accepted_tokens": "draft_n_accepted",
}
_MILLISECONDS = {"prompt": "prompt_ms", "decode": "predicted_ms"}
"""What the server itself measures, in llama.cpp's words."""


def _read_timings(written: Mapping[str, Any]) -> Timings:
    counts: dict[str, Any] = {ours: written.get(name) for ours, name in _COUNTS.items()}
    taken = {ours: written.get(name) for ours, name in _MILLISECONDS.items()}
    return Timings(**counts, **{n: ms / 1000 for n, ms in taken.items() if ms is not None})


def _write_timings(timings: Timings) -> dict[str, Any]:
    found = {name: getattr(timings, ours) for ours, name in _COUNTS.items()}
    for ours, name in _MILLISECONDS.items():
        seconds = getattr(timings, ours)
        found[name] = None if seconds is None else seconds * 1000
    return {name: value for name, value in found.items() if value is not None}


# Vectors ------------------------------------------------------------------------------------------


def read_embeddings(answer: Any, model: str, engine: str) -> Embeddings:
    """Raises `TypeError`, `KeyError` or `ValueError` for what is none."""
    rows = sorted(answer["data"], key=lambda row: row["index"])
    vectors = [[float(x) for x in row["embedding"]] for row in rows]
    return Embeddings(vectors, model, engine, read_usage(answer.get("usage") or {}))


def write_embeddings(found: Embeddings, *, packed: bool) -> dict[str, Any]:
    """`packed`: in base64, as the `openai` package asks for."""
    rows = [
        {"object": "embedding", "index": i, "embedding": _packed(vector) if packed else [*vector]}
        for i, vector in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.usage.prompt, "total_tokens": found.usage.total}
    return {"object": "list", "data": rows, "model": found.model, "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


# Completions --------------------------------------------------------------------------------------


def write_completion(reply: Reply, head: Mapping[str, Any] = EMPTY) -> dict[str, Any]:
    """What fills a gap, as a `text_completion`."""
    choices = [_write_text(place, choice) for place, choice in enumerate(reply.choices)]
    return {**head, "choices": choices, **_counted(reply), **_write_notes(reply)}


def write_completion_chunk(
    delta: Delta, head: Mapping[str, Any] = EMPTY, place: int = 0
) -> dict[str, Any]:
    return {**head, "choices": [_write_text(place, delta)], **_write_notes(delta)}


def _write_text(place: int, answer: Reply | Delta) -> dict[str, Any]:
    choice = {"index": place, "text": answer.text, "logprobs": None}
    return {**choice, "finish_reason": _finish(answer)}


# Rankings -----------------------------------------------------------------------------------------


def read_ranking(most: int | None, answer: Any, model: str, engine: str) -> Ranking:
    """The best `most` of a ranking as Cohere writes it, and all who follow it, or as TEI does.

    Raises `TypeError`, `LookupError` or `ValueError` for what is none.
    """
    bare = isinstance(answer, list)
    rows = answer if bare else answer.get("results") or answer["data"]
    scores = [(int(row["index"]), row.get("relevance_score", row.get("score"))) for row in rows]
    pairs = [(index, float(score)) for index, score in scores]
    pairs.sort(key=lambda pair: pair[1], reverse=True)
    usage = {} if bare else answer.get("usage") or {}
    return Ranking(pairs[:most], model, engine, read_usage(usage))


def write_ranking(
    found: Ranking, documents: Sequence[str], *, whole: bool = False
) -> dict[str, Any]:
    """As Jina and Cohere write it; `whole`: with the documents."""
    rows = [
        {
            "index": place,
            "relevance_score": score,
            **({"document": {"text": documents[place]}} if whole else {}),
        }
        for place, score in found.pairs
    ]
    usage = {"prompt_tokens": found.usage.prompt, "total_tokens": found.usage.total}
    return {"object": "list", "model": found.model, "results": rows, "usage": usage}
