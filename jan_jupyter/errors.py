"""What can go wrong, each with its HTTP status and one line that says how to mend it.

JanError                        500
├── UsageError                  400   a face was asked something that makes no sense
│   ├── RouteNotFound           404   the API has no such path
│   └── MethodNotAllowed        405   it has, for other methods
├── SettingsError               400   a user setting that cannot hold
├── ModelError                  400
│   ├── ModelNotFound           404   no model of that name (nearest names are told)
│   ├── ModelNotReady           409   its files or its key are missing
│   ├── ModelBroken             422   its description or its file cannot be read
│   ├── ModelExists             409   the name is taken
│   ├── ModelReadOnly           403   it is not ours to change
│   ├── CannotWrite             507   the disk, its rights, or another process refuse
│   └── DownloadFailed          502   a file could not be fetched; what had come is kept
│       ├── DownloadRefused     403   the key is missing, wrong, or may not read it
│       └── NoSpace             507   the disk is too full
├── ThreadError                 400
│   ├── ThreadNotFound          404   no thread, message or assistant of that name
│   ├── ThreadBroken            422   its description cannot be read
│   └── ThreadBusy              409   another program is writing it, or it cannot be written
├── RunError                    400   a run of a comparison makes no sense so
│   ├── RunNotFound             404   no run of that name
│   ├── RunsUnreadable          422   the store of runs is a newer one, or damaged
│   └── RunNotKept              507   the disk, its rights or another process refuse it
└── EngineError                 502   (its `kind` says what went wrong, for programs)
    ├── EngineNotFound          404   no engine of that name
    ├── EngineUnavailable       503   engine cannot start here (package, worker, memory)
    ├── AuthenticationFailed    401
    ├── PermissionRefused       403
    ├── BillingRefused          402
    ├── NotFoundRemotely        404   the server does not know the model
    ├── RateLimited             429   (retry_after)
    ├── Overloaded              503
    ├── StillLoading            503
    ├── ContextOverflow         400   prompt and answer do not fit (tokens, limit)
    ├── ContentFiltered         400
    ├── BadRequest              400
    ├── ServerFailed            502
    ├── TimedOut                504
    ├── ConnectionFailed        502
    ├── StreamBroken            502   ended without its end mark; `partial` holds the text
    │   └── WorkerDied          502   the local worker process ended in mid-answer
    ├── Malformed               502   not what the protocol promises
    └── AnswerMismatch          502   the answer does not fit the schema that was asked for
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from types import UnionType
from typing import ClassVar


class JanError(Exception):
    """Base of all errors of ours. `str(error)` is one line for people."""

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        line = " ".join(message.split())
        if not line.isprintable():  # names from files may hold what steers a terminal
            line = "".join(c if c.isprintable() else "�" for c in line)
        super().__init__(line)

    @property
    def message(self) -> str:
        return str(self)


class UsageError(JanError):
    """A face was asked something that makes no sense."""

    status, kind = 400, "usage"


class RouteNotFound(UsageError):
    """The API has no such path."""

    status, kind = 404, "route_not_found"


class MethodNotAllowed(UsageError):
    """The path is asked with other methods: those that are `allowed`."""

    status, kind = 405, "method_not_allowed"

    def __init__(self, message: str, *, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


def expect(given: object, kind: type | UnionType, what: str) -> None:
    """Raise `UsageError` for what is of another kind than a caller may give; `what` tells which."""
    if not isinstance(given, kind):
        raise UsageError(f"{what}, not {reprlib.repr(given)}.")


class SettingsError(JanError):
    """A user setting that cannot hold."""

    status, kind = 400, "settings"


class Replaced(JanError):
    """What was asked is of no use any more: something newer, or who waits for it, has its place."""

    status, kind = 409, "replaced"


class ModelError(JanError):
    """Something about a model."""

    status, kind = 400, "model"


class ModelNotFound(ModelError):
    """No model of that name."""

    status, kind = 404, "model_not_found"


class ModelNotReady(ModelError):
    """The model is known but its files or its key are missing."""

    status, kind = 409, "model_not_ready"


class ModelBroken(ModelError):
    """The model's description or file cannot be read."""

    status, kind = 422, "model_broken"


class ModelExists(ModelError):
    """There is a model of that name already."""

    status, kind = 409, "model_exists"


class ModelReadOnly(ModelError):
    """The model belongs to another program, or is bundled: we only read it."""

    status, kind = 403, "model_read_only"


class CannotWrite(ModelError):
    """The disk, its rights or another process refuse a change."""

    status, kind = 507, "cannot_write"


class DownloadFailed(ModelError):
    """A file could not be fetched; what had come is kept for the next pull.

    If `retryable`, asking again may help, after `retry_after` seconds if the server said so.
    """

    status, kind = 502, "download"

    def __init__(
        self, message: str, *, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after


class DownloadRefused(DownloadFailed):
    """The key is missing, wrong, or may not read the file."""

    status, kind = 403, "download_refused"


class NoSpace(DownloadFailed):
    """The disk is too full for the file."""

    status, kind = 507, "no_space"


class ThreadError(JanError):
    """Something about a thread, a message or an assistant."""

    status, kind = 400, "thread"
    reply: object = None
    """The answer (a `Reply`, as far as it came) that could not be kept, if there is one."""


class ThreadNotFound(ThreadError):
    """No thread, message or assistant of that name."""

    status, kind = 404, "thread_not_found"


class ThreadBroken(ThreadError):
    """The description of a thread or an assistant cannot be read."""

    status, kind = 422, "thread_broken"


class ThreadBusy(ThreadError):
    """A thread cannot be written now: another program does, or the disk refuses."""

    status, kind = 409, "thread_busy"


class RunError(JanError):
    """Something about a run of a comparison."""

    status, kind = 400, "run"


class RunNotFound(RunError):
    """No run of that name."""

    status, kind = 404, "run_not_found"


class RunsUnreadable(RunError):
    """The store of runs is of a newer version, or damaged."""

    status, kind = 422, "runs_unreadable"


class RunNotKept(RunError):
    """The disk, its rights or another process refuse a change of a run."""

    status, kind = 507, "run_not_kept"


class EngineError(JanError):
    """An engine could not do what it was asked.

    `model` and `engine` name the parties, `http_status` and `code` are what a server said,
    `retry_after` are seconds, `partial` is the text that had come. `retryable`: the same request
    may succeed in a moment. `given_up`: it has been tried again already, as often as makes sense.
    """

    status, kind = 502, "engine"
    retryable: bool = False
    given_up: bool = False

    def __init__(
        self,
        message: str,
        *,
        model: str = "",
        engine: str = "",
        http_status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(message)
        self.model = model
        self.engine = engine
        self.http_status = http_status
        self.code = code
        self.retry_after = retry_after
        self.partial = partial


class EngineNotFound(EngineError):
    """No engine of that name."""

    status, kind = 404, "engine_not_found"


class EngineUnavailable(EngineError):
    """The engine cannot start here: a package, a worker or memory is missing."""

    status, kind = 503, "engine_unavailable"


class AuthenticationFailed(EngineError):
    """The key is missing or wrong."""

    status, kind = 401, "auth"


class PermissionRefused(EngineError):
    """The key may not do this."""

    status, kind = 403, "permission"


class BillingRefused(EngineError):
    """No credit is left, or a spending limit is reached."""

    status, kind = 402, "billing"


class NotFoundRemotely(EngineError):
    """The server does not know the model or the address."""

    status, kind = 404, "not_found"


class RateLimited(EngineError):
    """Too many requests; may be asked again after `retry_after` seconds."""

    status, kind, retryable = 429, "rate_limit", True


class Overloaded(EngineError):
    """The server has no capacity at present."""

    status, kind, retryable = 503, "overloaded", True


class StillLoading(EngineError):
    """The server is loading the model."""

    status, kind, retryable = 503, "loading", True


class ContextOverflow(EngineError):
    """Prompt and answer do not fit into the model's context."""

    status, kind = 400, "context_length"


class ContentFiltered(EngineError):
    """The server refuses the content."""

    status, kind = 400, "content_filter"


class BadRequest(EngineError):
    """The server cannot use the request."""

    status, kind = 400, "bad_request"


class ServerFailed(EngineError):
    """The server failed inside."""

    status, kind, retryable = 502, "server", True


class TimedOut(EngineError):
    """Nothing came for too long."""

    status, kind, retryable = 504, "timeout", True


class ConnectionFailed(EngineError):
    """The server cannot be reached."""

    status, kind, retryable = 502, "connection", True


class StreamBroken(EngineError):
    """The stream ended without its end mark; `partial` holds what had come."""

    status, kind = 502, "stream_broken"


class WorkerDied(StreamBroken):
    """The local worker process ended in mid-answer."""

    status, kind = 502, "worker_died"


class Malformed(EngineError):
    """The server sent something that its protocol does not allow."""

    status, kind = 502, "malformed"


class AnswerMismatch(EngineError):
    """The answer does not fit the schema that was asked for."""

    status, kind = 502, "schema"
