"""A turn of a thread, and how Jan writes it: one JSON object on a line.

What Jan has no field for (model, usage, timings, …) stands in `metadata.jan_jupyter`, where Jan
leaves it alone; the speed also stands where Jan shows it from, in `metadata.tokenSpeed`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, cast, get_args

from ..types import EMPTY, Finish, Message, Reply, Role, Timings, Usage

Status = Literal["ready", "pending", "error", "stopped"]

OURS = "jan_jupyter"
"""Our place in the `metadata` of a message, and of a thread."""


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One turn, with all that is known of how it came to be.

    `content` is text, or OpenAI's content parts. `status`: `ready`; `stopped` (by the user, what
    came is kept); `error` (`error` says why; it is not sent to a model again); `pending` (whoever
    wrote it was interrupted). `cell` and `notebook` name the cell that asked. Where a thread has
    columns (see `columns.py`), `column` names that of a first answer, and `beside` is the id of the
    question that this one repeats in another column. `raw` is the object as it stands in the file;
    what we do not know in it survives every change.
    """

    role: Role
    content: str | Sequence[Mapping[str, Any]] = ""
    id: str = ""
    status: Status = "ready"
    created: float | None = None
    """Seconds since 1970; `None` if unknown."""
    model: str = ""
    engine: str = ""
    usage: Usage | None = None
    timings: Timings | None = None
    finish: Finish | None = None
    error: str = ""
    reasoning: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    tool_call_id: str = ""
    cell: str = ""
    notebook: str = ""
    column: str = ""
    beside: str = ""
    raw: Mapping[str, Any] = field(default=EMPTY, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The text of the turn, without its other parts."""
        return Message(self.role, self.content).text

    @property
    def sent(self) -> bool:
        """Whether a model gets to see it in later turns."""
        if self.status == "error":
            return False
        return bool(self.text.strip() or self.tool_calls or self.tool_call_id or self._parts)

    @property
    def _parts(self) -> bool:
        return not isinstance(self.content, str) and bool(self.content)

    def message(self) -> Message:
        """The turn as a request carries it."""
        extra: dict[str, Any] = {}
        if self.tool_calls:
            extra["tool_calls"] = [dict(call) for call in self.tool_calls]
        if self.tool_call_id:
            extra["tool_call_id"] = self.tool_call_id
        return Message(self.role, self.content, extra)

    @classmethod
    def of(cls, message: Message, **given: Any) -> ThreadMessage:
        """A turn from a message of a request; `given` are more fields."""
        return cls(
            message.role,
            message.content,
            tool_calls=tuple(message.extra.get("tool_calls") or ()),
            tool_call_id=str(message.extra.get("tool_call_id") or ""),
            **given,
        )

    @classmethod
    def of_reply(cls, reply: Reply, **given: Any) -> ThreadMessage:
        """A turn from an answer, also one that was cut; `given` are more fields."""
        return cls(
            "assistant",
            reply.text,
            status="error" if reply.error else _STATUS.get(reply.finish, "ready"),
            model=reply.model,
            engine=reply.engine,
            usage=reply.usage,
            timings=reply.timings,
            finish=reply.finish,
            error=reply.error or "",
            reasoning=reply.reasoning,
            tool_calls=tuple(reply.tool_calls),
            **given,
        )


_STATUS: Mapping[Finish | None, Status] = {"cancelled": "stopped"}


def new_id() -> str:
    """A ULID, as Jan has them: 48 bits of time in milliseconds, 80 bits at random."""
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "".join(alphabet[number >> shift & 31] for shift in range(125, -1, -5))


# Reading ----------------------------------------------------------------------------------------


def seconds(value: Any) -> float | None:
    """A time in a file, in seconds or milliseconds, as seconds; `None` if unknown."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e17:
        return None
    return value / 1000 if value >= 1e11 else float(value)


def read(raw: Mapping[str, Any]) -> ThreadMessage | None:
    """The turn that an object of `messages.jsonl` holds; `None` if it has no role that we know.

    Its `id` is empty if the object has none.
    """
    role = "system" if raw.get("role") == "developer" else raw.get("role")
    if role not in get_args(Role):
        return None
    metadata = _object(raw.get("metadata"))
    ours = _object(metadata.get(OURS))
    parts = [*_parts(raw.get("content"))]
    shown = [part for part in parts if part["type"] != "reasoning"]
    thought = "".join(part["text"] for part in parts if part["type"] == "reasoning")
    status = raw.get("status")
    finish = ours.get("finish")
    return ThreadMessage(
        role=cast(Role, role),
        content=_plain(shown),
        id=id_of(raw),
        status=cast(Status, status) if status in get_args(Status) else "ready",
        created=_created(raw),
        model=_word(ours.get("model")) or _word(metadata.get("modelId")),
        engine=_word(ours.get("engine")),
        usage=_value(Usage, ours.get("usage")) or _speed(metadata)[0],
        timings=_value(Timings, ours.get("timings")) or _speed(metadata)[1],
        finish=cast(Finish, finish) if finish in get_args(Finish) else None,
        error=_word(ours.get("error")) or (_word(raw.get("error_code")) if role != "user" else ""),
        reasoning=_word(ours.get("reasoning")) or thought,
        tool_calls=tuple(c for c in _list(raw.get("tool_calls")) if isinstance(c, Mapping)),
        tool_call_id=_word(raw.get("tool_call_id")),
        cell=_word(ours.get("cell")),
        notebook=_word(ours.get("notebook")),
        column=_word(ours.get("column")),
        beside=_word(ours.get("beside")),
        raw=raw,
    )


def id_of(raw: Mapping[str, Any]) -> str:
    """The id that an object gives itself; empty if it gives none."""
    return _word(raw.get("id"))


def _created(raw: Mapping[str, Any]) -> float | None:
    times = (seconds(raw.get(name)) for name in ("created", "created_at", "updated"))
    first = next(filter(None, times), None)
    return first if first is not None and first >= _JAN_WAS_MADE else None


_JAN_WAS_MADE = 1_577_836_800
"""2020: an earlier time is a mistake."""


def _parts(content: Any) -> Iterator[dict[str, Any]]:
    """Jan's content as OpenAI's parts, and `reasoning`; what is neither is left to the file."""
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    for part in _list(content):
        if isinstance(part, str):
            yield {"type": "text", "text": part}
            continue
        part = _object(part)
        kind, text = part.get("type"), part.get("text")
        if kind in ("text", "reasoning"):
            value = text if isinstance(text, str) else _object(text).get("value")
            yield {"type": kind, "text": _word(value)}
        elif kind == "image":
            for url in _list(_object(text).get("annotations")):
                if isinstance(url, str):
                    yield {"type": "image_url", "image_url": {"url": url}}
        elif kind == "image_url":
            image = part.get("image_url")
            yield {"type": kind, "image_url": {"url": image} if isinstance(image, str) else image}
        elif kind in _AS_THEY_ARE:
            yield dict(part)


_AS_THEY_ARE = ("input_audio", "file")  # OpenAI's, which Jan does not have


def _plain(parts: Sequence[Mapping[str, Any]]) -> str | Sequence[Mapping[str, Any]]:
    """Text if there is nothing else; several texts are paragraphs."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return tuple(parts)


def _speed(metadata: Mapping[str, Any]) -> tuple[Usage | None, Timings | None]:
    """What Jan measured."""
    speed = _object(metadata.get("tokenSpeed"))
    usage = _value(Usage, {"completion": speed.get("tokenCount")})
    return usage, _value(Timings, {"tokens_per_second": speed.get("tokenSpeed")})


def _value(kind: type, raw: Any) -> Any:
    """A flat value of numbers, read back; `None` if nothing of it is set."""
    known = {f.name for f in fields(kind)}
    found = {
        name: value
        for name, value in _object(raw).items()
        if name in known and isinstance(value, int | float) and not isinstance(value, bool)
    }
    return kind(**found) if found else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else EMPTY


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


# Writing ----------------------------------------------------------------------------------------


def write(message: ThreadMessage, thread: str, assistant: str) -> dict[str, Any]:
    """A new turn as Jan writes it, with the times of both of its generations."""
    now = round((message.created or time.time()) * 1000)
    raw: dict[str, Any] = {
        "id": message.id,
        "object": "thread.message",
        "thread_id": thread,
        "assistant_id": assistant,
        "role": message.role,
        "content": _written_content(message.content),
        "status": message.status,
        "created": now,
        "updated": now,
        "created_at": now,
        "completed_at": now if message.role == "assistant" else 0,
    }
    return {**raw, **_rest(message, {})}


def rewrite(before: ThreadMessage, **changes: Any) -> dict[str, Any]:
    """The object of a turn after a change of some fields; all others stay as they are."""
    after = replace(before, **changes)
    raw = {**before.raw}
    if not id_of(raw):
        raw["id"] = after.id
    if "role" in changes:
        raw["role"] = after.role
    if "content" in changes:
        kept = [
            part
            for part in _list(raw.get("content"))
            if isinstance(part, Mapping) and not [*_parts([part])]
        ]
        raw["content"] = [*_written_content(after.content), *kept]
    if "status" in changes:
        raw["status"] = after.status
    raw["updated"] = round(time.time() * 1000)
    return {**raw, **_rest(after, _object(raw.get("metadata")))}


def _written_content(content: str | Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {"type": "text", "text": {"value": part.get("text", ""), "annotations": []}}
        if part.get("type") == "text"
        else dict(part)
        for part in parts
    ]


_OURS = (
    *("model", "engine", "finish", "error", "reasoning"),
    *("cell", "notebook", "column", "beside"),
)


def _rest(message: ThreadMessage, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are there only if set, and `metadata`."""
    ours: dict[str, Any] = {**_object(metadata.get(OURS))}
    for name in _OURS:
        _set(ours, name, getattr(message, name))
    if message.usage is not None and message.model:
        ours["usage"] = _flat(message.usage)
    if message.timings is not None and message.model:
        ours["timings"] = _flat(message.timings)
    written = {**metadata}
    _set(written, OURS, ours)
    speed = message.timings and message.timings.tokens_per_second
    if speed and message.usage and message.model and "tokenSpeed" not in metadata:
        written["tokenSpeed"] = {
            "tokenCount": message.usage.completion,
            "tokenSpeed": round(speed, 2),
        }
    rest: dict[str, Any] = {}
    if written or metadata:
        rest["metadata"] = written
    if message.tool_calls:
        rest["tool_calls"] = [dict(call) for call in message.tool_calls]
    if message.tool_call_id:
        rest["tool_call_id"] = message.tool_call_id
    return rest


def _set(target: dict[str, Any], name: str, value: Any) -> None:
    if value:
        target[name] = value
    else:
        target.pop(name, None)


def _flat(value: Usage | Timings) -> dict[str, Any]:
    items = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in items if v is not None}
