"""What a comparison is made of, as JSON, and back: grids, answers, scores. Pure.

An answer is written in two parts, so that what was asked is kept once for all that answer it: a
request, and a reply that refers to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ...structured import shape_of
from ...types import EMPTY, ChatRequest, Message, Reply, Timings, Usage
from ..values import Case, Contestant, Grid, Score

Json = dict[str, Any]

# Text ---------------------------------------------------------------------------------------------


def text_of(value: Any, *, sort: bool = False) -> str:
    """JSON on one line; with `sort` the same for equal values. UTF-8 can hold it."""
    options: Json = {"separators": (",", ":"), "sort_keys": sort, "default": _plain}
    text = json.dumps(value, ensure_ascii=False, **options)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can hold
            return json.dumps(value, **options)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if callable(plain := getattr(value, "tolist", None)):
        return plain()
    if isinstance(value, Iterable):
        return [*value]
    return reprlib.repr(value)


def fingerprint(value: Any) -> str:
    """The same for equal values, in every process."""
    return hashlib.sha256(text_of(value, sort=True).encode()).hexdigest()


# Values of any kind -------------------------------------------------------------------------------

_KIND = "$kind"


def _zoned(value: Sequence[str]) -> datetime:
    """A time in its zone; by its distance from UTC where that zone is not known."""
    text, zone = value
    with suppress(LookupError, ValueError):
        return datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    return datetime.fromisoformat(text)


_WRITE: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (datetime, "datetime", lambda v: v.isoformat()),
    (date, "date", lambda v: v.isoformat()),
    (time, "time", lambda v: v.isoformat()),
    (timedelta, "timedelta", lambda v: v.total_seconds()),
    (Decimal, "decimal", str),
    (bytes, "bytes", lambda v: base64.b64encode(v).decode()),
)
_READ: Mapping[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "zoned": _zoned,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda v: timedelta(seconds=v),
    "decimal": Decimal,
    "bytes": base64.b64decode,
    "tuple": lambda v: tuple(map(value_of, v)),
    "mapping": lambda v: {value_of(k): value_of(one) for k, one in v},
}


def value_json(value: Any) -> Any:
    """A value of a data frame, or what is expected; what JSON has no form for is written out."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime) and (zone := getattr(value.tzinfo, "key", "")):
        return {_KIND: "zoned", "value": [value.isoformat(), zone]}
    for kind, name, write in _WRITE:
        if isinstance(value, kind):
            # A value that is no time is one of these, too, for pandas.
            return None if value != value else {_KIND: name, "value": write(value)}
    if isinstance(value, tuple):
        return {_KIND: "tuple", "value": [value_json(one) for one in value]}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value) and _KIND not in value:
            return {key: value_json(one) for key, one in value.items()}
        pairs = [[value_json(key), value_json(one)] for key, one in value.items()]
        return {_KIND: "mapping", "value": pairs}
    if isinstance(value, list | set | frozenset):
        return [value_json(one) for one in value]
    if callable(plain := getattr(value, "tolist", None)):  # NumPy's
        return value_json(plain())
    return str(value)


def value_of(written: Any) -> Any:
    if isinstance(written, list):
        return [value_of(one) for one in written]
    if isinstance(written, dict):
        if read := _READ.get(written.get(_KIND, "")):
            return read(written["value"])
        return {key: value_of(one) for key, one in written.items()}
    return written


# Messages -----------------------------------------------------------------------------------------


def message_json(message: Message) -> list[Any]:
    content = message.content if isinstance(message.content, str) else [*message.content]
    extra = [dict(message.extra)] if message.extra else []
    return [message.role, content, *extra]


def message_of(written: Sequence[Any]) -> Message:
    return Message(*written)


def _messages_json(messages: Iterable[Message]) -> list[Any]:
    return [message_json(message) for message in messages]


# A grid -------------------------------------------------------------------------------------------


def grid_json(grid: Grid) -> Json:
    return {
        "cases": [_case_json(case) for case in grid.cases],
        "contestants": [
            {name: value for name in _CONTESTANT if (value := getattr(one, name))}
            for one in grid.contestants
        ],
        "repeats": grid.repeats,
        "parameters": dict(grid.parameters),
        "seed": grid.seed,
    }


_CONTESTANT = ("name", "model", "parameters", "settings", "system")


def _case_json(case: Case) -> Json:
    written = {"name": case.name, "turns": [_messages_json(turn) for turn in case.turns]}
    more = {
        "index": value_json(case.index),
        "variables": value_json(dict(case.variables)) or None,
        "expected": value_json(case.expected),
        "index_names": [*map(value_json, case.index_names)] or None,
    }
    return written | {name: value for name, value in more.items() if value is not None}


def grid_of(written: Mapping[str, Any]) -> Grid:
    """Raises `LookupError`, `TypeError` or `ValueError` for what is none."""
    return Grid(
        tuple(_case_of(case) for case in written["cases"]),
        tuple(Contestant(**one) for one in written["contestants"]),
        written["repeats"],
        written["parameters"],
        written["seed"],
    )


def _case_of(written: Mapping[str, Any]) -> Case:
    return Case(
        written["name"],
        tuple(tuple(map(message_of, turn)) for turn in written["turns"]),
        value_of(written.get("index")),
        value_of(written.get("variables", {})) or EMPTY,
        value_of(written.get("expected")),
        tuple(map(value_of, written.get("index_names", ()))),
    )


# An answer ----------------------------------------------------------------------------------------


def request_json(request: ChatRequest) -> Json:
    written: Json = {"messages": _messages_json(request.messages)}
    for name in ("parameters", "tools", "schema", "extra"):
        if value := getattr(request, name):
            written[name] = value
    return written | ({"priority": request.priority} if request.priority != "person" else {})


def request_of(written: Mapping[str, Any]) -> ChatRequest:
    return ChatRequest(**{**written, "messages": tuple(map(message_of, written["messages"]))})


_PLAIN = ("text", "model", "engine", "finish", "reasoning", "error")
_LISTS = ("tool_calls", "notes", "logprobs")


def reply_json(reply: Reply) -> Json:
    """An answer without its request, and of its messages only those that are not in that one."""
    asked = [*reply.request.messages] if reply.request else []
    written: Json = {name: v for name in _PLAIN if (v := getattr(reply, name))}
    written |= {name: [*v] for name in _LISTS if (v := getattr(reply, name))}
    written |= {name: v for name in ("usage", "timings") if (v := _numbers(getattr(reply, name)))}
    messages = [*reply.messages]
    if messages[: len(asked)] != asked:
        written["messages"] = _messages_json(messages)
    elif messages[len(asked) :] != [Message("assistant", reply.text)]:
        written["more"] = _messages_json(messages[len(asked) :])
    if reply.reader is not None:
        written["reads"] = True
    if reply.others:
        written["others"] = [reply_json(other) for other in reply.others]
    return written


def reply_of(written: Json, request: ChatRequest | None) -> Reply:
    """What `reply_json` has written; its `value` is plain JSON, as the request's schema has it."""
    asked = request.messages if request else ()
    if (all_ := written.pop("messages", None)) is not None:
        messages = tuple(map(message_of, all_))
    elif (more := written.pop("more", None)) is not None:
        messages = (*asked, *map(message_of, more))
    else:
        messages = (*asked, Message("assistant", written.get("text", "")))
    if others := written.pop("others", None):
        written["others"] = tuple(reply_of(other, request) for other in others)
    if (usage := written.get("usage")) is not None:
        written["usage"] = Usage(**usage)
    if (timings := written.get("timings")) is not None:
        written["timings"] = Timings(**timings)
    for name in _LISTS:
        if name in written:
            written[name] = tuple(written[name])
    reads = written.pop("reads", False)
    given = {"text": "", "model": "", "engine": "", **written}
    reader = _Reader(request.schema) if reads and request and request.schema else None
    return Reply(**given, messages=messages, request=request, reader=reader)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads an answer as its schema says; what it takes is made at the first use."""

    schema: Mapping[str, Any]

    def __call__(self, text: str) -> Any:
        return shape_of(self.schema).read(text)


_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in (Usage, Timings)}


def _numbers(value: Usage | Timings) -> Json:
    """The fields that are known, and not nothing."""
    found = ((name, getattr(value, name)) for name in _NAMES[type(value)])
    return {name: v for name, v in found if v is not None and (v or type(value) is Timings)}


# Scores -------------------------------------------------------------------------------------------


def score_json(score: Score) -> list[Any]:
    return [value_json(score.value), score.note]


def score_of(written: Sequence[Any]) -> Score:
    return Score(*written)
