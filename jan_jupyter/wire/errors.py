"""Errors on the wire, both ways: what a server's refusal means, and how ours are written.

A refusal is read by its status and its documented code, never by English text where a code exists.
What a server of ours writes is read as an error of the same class.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import errors
from ..types import EMPTY

# Writing ------------------------------------------------------------------------------------------


def write_error(error: errors.JanError) -> dict[str, Any]:
    """An error as OpenAI's clients read it; its class is the `type`.

    The status stands in it, too, since inside a stream it has no other place.
    """
    said = getattr(error, "code", None) or ""
    codes = [code for code, kind in CODES.items() if kind is type(error)]
    if isinstance(error, errors.ModelNotFound):
        codes = ["model_not_found"]  # as OpenAI tells it
    return {
        "error": {
            "message": str(error),
            "type": error.kind,
            "param": None,
            "code": said if said in codes else next(iter(codes), None),
            "http_status_code": error.status,
        }
    }


def headers_of(error: errors.JanError) -> dict[str, str]:
    """What the headers say of it: when, and whether, to ask again.

    What we have given up is not to be tried by our client, too: tries would multiply.
    """
    wait = getattr(error, "retry_after", None)
    again = getattr(error, "retryable", False) and not getattr(error, "given_up", False)
    return {
        **({} if wait is None else {"retry-after": str(math.ceil(min(wait, 10**9)))}),
        **({} if again else {"x-should-retry": "false"}),
    }


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says, whichever shape it has."""

    message: str = ""
    code: str = ""
    fields: Mapping[str, Any] = EMPTY
    streamed: bool = False
    """Whether it came as an event: the request was taken, and what then ran has failed."""


def complaint(body: bytes | Mapping[str, Any], hidden: Callable[[str], str] = str) -> Complaint:
    """Read an error body: `error` may be an object, a text, or stand under `detail`.

    `hidden` takes secrets out of a text, before it is cut to a length.
    """
    said = _read(body)
    return replace(said, message=_plain(hidden(said.message)), code=hidden(said.code))


def _read(body: bytes | Mapping[str, Any]) -> Complaint:
    if not isinstance(body, bytes):
        return _complaint(body)
    streamed = body.startswith(b"data:")
    try:
        parsed = json.loads(body.removeprefix(b"data:"))
    except ValueError:
        return Complaint(body.decode("utf-8", "replace"))
    return replace(_complaint(parsed), streamed=streamed)


def _complaint(parsed: Any) -> Complaint:
    for _ in range(3):
        if not isinstance(parsed, dict):
            break
        if isinstance(inner := parsed.get("error"), dict | str) or isinstance(
            inner := parsed.get("detail"), dict | str
        ):
            if isinstance(inner, str):
                code = parsed.get("code") or parsed.get("error_type") or ""
                return Complaint(inner, str(code), parsed)
            parsed = inner
            continue
        codes = (str(parsed.get(name) or "") for name in ("code", "type"))
        documented = [code for code in codes if (code and not code.isdecimal()) or code in CODES]
        exact = [code for code in documented if code in CODES and code not in _GENERAL]
        code = (exact or documented or [str(parsed.get("code") or "")])[0]
        return Complaint(str(parsed.get("message") or ""), code, parsed)
    return Complaint(str(parsed))


def _plain(text: str) -> str:
    text = re.sub(r"<[^>]{0,200}>", " ", text) if "<html" in text.lower() else text
    if "Traceback (most recent call last)" in text:  # its last line says what happened
        text = text.rstrip().rpartition("\n")[2]
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:299] + "…"


def status_within(event: Mapping[str, Any]) -> int:
    """The status of an error that comes inside a stream, after its 200."""
    said = event["error"] if isinstance(event["error"], Mapping) else EMPTY
    code = said.get("http_status_code", said.get("code"))  # TGI's own name for it
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def meaning(status: int, said: Complaint) -> type[errors.EngineError]:
    """The kind of error: its code if that is exact, else ours, else the status, else the words."""
    kind = _BY_STATUS.get(status, errors.ServerFailed if status >= 500 else errors.BadRequest)
    if status == 500 and _TOO_LARGE.search(said.message):
        return errors.ContextOverflow
    if status in (500, 501) and (status == 501 or _NOT_OFFERED.search(said.message)):
        return errors.BadRequest
    exact = said.code not in _GENERAL or kind is errors.ServerFailed
    if said.code in CODES and status not in _STATUS_FIRST and exact:
        return CODES[said.code]
    ours_status, ours = _OURS.get(str(said.fields.get("type")), (0, kind))
    if ours_status == status:
        return ours
    if kind is errors.BadRequest:
        return next((meant for words, meant in _BY_WORDS if words.search(said.message)), kind)
    return kind


_CODES_OF: dict[type[errors.EngineError], str] = {
    errors.ContextOverflow: "context_length_exceeded exceed_context_size_error 40303"
    " ContextWindowExceededError",
    errors.BillingRefused: "insufficient_quota credit_balance_exhausted billing_error"
    " organization_spend_limit_exceeded project_spend_limit_exceeded"
    " organization_usage_limit_exceeded",
    errors.ContentFiltered: "content_filter",
    # LiteLLM looks for an unknown key in its data base.
    errors.AuthenticationFailed: "invalid_api_key authentication_error no_db_connection",
    errors.PermissionRefused: "permission_error",
    errors.NotFoundRemotely: "model_not_found not_found_error DeploymentNotFound NotFoundError"
    " 40301",
    errors.RateLimited: "rate_limit_exceeded rate_limit_error slow_down",
    errors.Overloaded: "server_is_overloaded overloaded_error",
    errors.StillLoading: "unavailable_error",
    errors.BadRequest: "invalid_request_error not_supported_error",
    errors.ServerFailed: "server_error api_error",
    errors.TimedOut: "timeout_error",
}
"""The codes of each kind, OpenAI's own first: that is the one that we write."""
CODES: dict[str, type[errors.EngineError]] = {
    code: kind for kind, codes in _CODES_OF.items() for code in codes.split()
}
_BY_STATUS: dict[int, type[errors.EngineError]] = {
    **dict.fromkeys((301, 302, 303, 307, 308, 404, 405), errors.NotFoundRemotely),
    401: errors.AuthenticationFailed,
    402: errors.BillingRefused,
    403: errors.PermissionRefused,
    413: errors.ContextOverflow,
    429: errors.RateLimited,
    **dict.fromkeys((408, 504), errors.TimedOut),
    **dict.fromkeys((503, 529), errors.Overloaded),
}
"""All others are the fault of the server from 500 on, and else of the request."""
_BY_WORDS = (
    (
        re.compile(r"(?i)maximum context length|prompt is too long|context ?window"),
        errors.ContextOverflow,
    ),
    (re.compile(r"(?i)invalid model name|server is pinned"), errors.NotFoundRemotely),
)
"""For servers that give neither a code nor a status of their own to these."""
_TOO_LARGE = re.compile(r"input .{0,40}is too large to process")
"""What llama.cpp says of a text of which it shall make a vector."""
_NOT_OFFERED = re.compile(r"(?i)not (supported|implemented)|unsupported|does(n't| not) support")
"""What some servers call a failure of theirs, though no repetition helps."""
_GENERAL = {"invalid_request_error", "server_error", "api_error"}
"""What some servers say beside a status or a code that is more exact."""

# A status of these kinds says more than the general code that some servers put beside it.
_STATUS_FIRST = {401, 402, 404, 413}
_OURS: dict[str, tuple[int, type[errors.EngineError]]] = {
    kind.kind: (kind.status, kind)
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.EngineError)
} | {
    kind.kind: (kind.status, errors.EngineUnavailable)
    for kind in (errors.ModelNotReady, errors.ModelBroken)
}
"""What a server of ours says: the class of an error, with its status. What its own models lack is
nothing that who asks could mend."""
