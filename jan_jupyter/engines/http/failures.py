"""What HTTP servers say when they refuse, and the error that it means (facts §9, one table).

By status and documented code, never by English text where a code exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ... import errors
from ...redaction import without_secrets
from ...types import EMPTY
from ...wire.retry import LONGEST_WAIT, retry_after

_HALF_HIDDEN = re.compile(r"[\w-]*\*{3,}[\w*-]*")
AGAIN = "Wait a moment and run the cell again."
"""How an error ends that may be gone in a moment."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says, whichever shape it has (facts `engines.md` §2)."""

    message: str = ""
    code: str = ""
    fields: Mapping[str, Any] = EMPTY
    streamed: bool = False
    """Whether it came as an event: the request was taken, and what then ran has failed."""


Hint = str | Callable[[Complaint], str]
Hints = Mapping[type[errors.EngineError], Hint]
"""How to mend each kind of error; what that takes may depend on what was said."""

Hidden = Callable[[str], str]
KindOf = Callable[[int, Complaint], type[errors.EngineError] | None]
"""What an engine's own words mean, where the common table would be wrong; `None`: the table."""


def as_usual(status: int, said: Complaint) -> None:
    """An engine without words of its own."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom an error is about, and what to tell the user to do about it.

    `hints` say how to mend the kinds that this engine has words of its own for.
    """

    model: str
    engine: str
    key_hint: Hint = ""
    secret: str | None = field(default=None, repr=False)
    kind_of: KindOf = as_usual
    hints: Hints = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)
    """What else no error may repeat: headers that the user has set, what stands in an address."""

    def hidden(self, text: str) -> str:
        """Servers repeat the key that they refuse, or its ends; nobody else may."""
        for secret in sorted({self.secret or "", *self.secrets}, key=len, reverse=True):
            if len(secret) > 3:  # shorter ones are stand-ins such as "x"
                text = text.replace(secret, "…")
        return _HALF_HIDDEN.sub("…", text)


def complaint(body: bytes | Mapping[str, Any], hidden: Hidden = str) -> Complaint:
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
        documented = [code for code in codes if (code and not code.isdecimal()) or code in _BY_CODE]
        exact = [code for code in documented if code in _BY_CODE and code not in _GENERAL]
        code = (exact or documented or [str(parsed.get("code") or "")])[0]
        return Complaint(str(parsed.get("message") or ""), code, parsed)
    return Complaint(str(parsed))


def _plain(text: str) -> str:
    text = re.sub(r"<[^>]{0,200}>", " ", text) if "<html" in text.lower() else text
    if "Traceback (most recent call last)" in text:  # its last line says what happened
        text = text.rstrip().rpartition("\n")[2]
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:299] + "…"


_CONTEXT_CODES = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "ContextWindowExceededError",
    "40303",
}
_BILLING_CODES = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_error",
}
_BY_CODE: dict[str, type[errors.EngineError]] = {
    **dict.fromkeys(_CONTEXT_CODES, errors.ContextOverflow),
    **dict.fromkeys(_BILLING_CODES, errors.BillingRefused),
    "content_filter": errors.ContentFiltered,
    "invalid_api_key": errors.AuthenticationFailed,
    "authentication_error": errors.AuthenticationFailed,
    "not_supported_error": errors.BadRequest,
    "no_db_connection": errors.AuthenticationFailed,  # LiteLLM looks for an unknown key in its own
    "permission_error": errors.PermissionRefused,
    "model_not_found": errors.NotFoundRemotely,
    "not_found_error": errors.NotFoundRemotely,
    "DeploymentNotFound": errors.NotFoundRemotely,
    "NotFoundError": errors.NotFoundRemotely,
    "40301": errors.NotFoundRemotely,
    "rate_limit_exceeded": errors.RateLimited,
    "rate_limit_error": errors.RateLimited,
    "slow_down": errors.RateLimited,
    "overloaded_error": errors.Overloaded,
    "server_is_overloaded": errors.Overloaded,
    "unavailable_error": errors.StillLoading,
    "invalid_request_error": errors.BadRequest,
    "api_error": errors.ServerFailed,
    "server_error": errors.ServerFailed,
    "timeout_error": errors.TimedOut,
}
_BY_STATUS: dict[int, type[errors.EngineError]] = {
    301: errors.NotFoundRemotely,
    302: errors.NotFoundRemotely,
    303: errors.NotFoundRemotely,
    307: errors.NotFoundRemotely,
    308: errors.NotFoundRemotely,
    400: errors.BadRequest,
    401: errors.AuthenticationFailed,
    402: errors.BillingRefused,
    403: errors.PermissionRefused,
    404: errors.NotFoundRemotely,
    405: errors.NotFoundRemotely,
    408: errors.TimedOut,
    413: errors.ContextOverflow,
    422: errors.BadRequest,
    429: errors.RateLimited,
    501: errors.BadRequest,
    503: errors.Overloaded,
    504: errors.TimedOut,
    529: errors.Overloaded,
}
_BY_WORDS = (
    (
        re.compile(r"(?i)maximum context length|prompt is too long|context ?window"),
        errors.ContextOverflow,
    ),
    (re.compile(r"(?i)invalid model name|server is pinned"), errors.NotFoundRemotely),
)
"""For servers that give neither a code nor a status of their own to these (facts §2)."""
_NOT_OFFERED = re.compile(r"(?i)not (supported|implemented)|unsupported|does(n't| not) support")
"""What some servers call a failure of theirs, though no repetition helps."""
_GENERAL = {"invalid_request_error", "server_error", "api_error"}
"""What some servers say beside a status or a code that is more exact."""

# A status of these kinds says more than the general code that some servers put beside it.
_STATUS_FIRST = {401, 402, 404, 413}


def error_of(
    status: int, headers: Mapping[str, str], body: bytes | Mapping[str, Any], party: Party
) -> errors.EngineError:
    """The error that a refusal means: by status and documented code (facts §9)."""
    said = complaint(body, party.hidden)
    kind = party.kind_of(status, said) or _kind(status, said)
    wait = retry_after(headers)
    what = _moved(headers, party) if 300 <= status < 400 else _what(kind, said, party)
    error = kind(
        party.hidden(f"{what}{_said(status, said)}{_mend(kind, party, wait, said, status)}"),
        model=party.model,
        engine=party.engine,
        http_status=status,
        code=said.code or None,
        retry_after=wait,
    )
    if headers.get("x-should-retry") == "false":
        error.retryable = False
    return error


def _kind(status: int, said: Complaint) -> type[errors.EngineError]:
    """The row of the table: the code if it is exact, else the status, else the words."""
    kind = _BY_STATUS.get(status, errors.ServerFailed if status >= 500 else errors.BadRequest)
    if status in (500, 501) and (status == 501 or _NOT_OFFERED.search(said.message)):
        return errors.BadRequest
    exact = said.code not in _GENERAL or kind is errors.ServerFailed
    if said.code in _BY_CODE and status not in _STATUS_FIRST and exact:
        return _BY_CODE[said.code]
    if kind is errors.BadRequest:
        return next((meant for words, meant in _BY_WORDS if words.search(said.message)), kind)
    return kind


def _moved(headers: Mapping[str, str], party: Party) -> str:
    """A redirect is not followed: the key would go to whoever it names."""
    target = without_secrets(headers.get("location") or "another")
    return (
        f"{party.engine} has moved (model {party.model}): its address leads to {target}; set that"
        " as its address if you trust it"
    )


def _what(kind: type[errors.EngineError], said: Complaint, party: Party) -> str:
    who = f"{party.model} ({party.engine})"
    if kind is errors.ContextOverflow:
        used, limit = said.fields.get("n_prompt_tokens"), said.fields.get("n_ctx")
        if used and limit:
            return f"The prompt has {used:,} tokens, but {who} takes {limit:,}"
        return f"The prompt is too long for {who}"
    if kind is errors.AuthenticationFailed and not (party.secret or party.secrets):
        return f"{party.engine} asks for a key before {party.model} answers"
    if kind is errors.ContentFiltered and (why := _categories(said.fields)):
        return f"{party.engine} filtered the prompt to {party.model} because of {why}"
    return {
        errors.AuthenticationFailed: f"{party.engine} refused the key for {party.model}",
        errors.PermissionRefused: f"The key may not use {who}",
        errors.BillingRefused: f"{party.engine} asks for credit before {party.model} answers",
        errors.NotFoundRemotely: f"{party.engine} does not know {party.model} at this address",
        errors.RateLimited: f"{party.engine} takes no more requests for {party.model} just now",
        errors.Overloaded: f"{party.engine} has no capacity for {party.model} just now",
        errors.StillLoading: f"{party.engine} is still loading {party.model}",
        errors.ContentFiltered: f"{party.engine} filtered the prompt to {party.model}",
        errors.TimedOut: f"{who} took too long",
        errors.BadRequest: f"{who} cannot use the request",
    }.get(kind, f"{who} failed")


def _categories(fields: Mapping[str, Any]) -> str:
    """What Azure's filter has found in a prompt, as `violence (high), jailbreak`."""
    inner = fields.get("innererror")
    found = inner.get("content_filter_result") if isinstance(inner, Mapping) else None
    return filtered(found)


def filtered(results: Any) -> str:
    """The categories of Azure's content filter that have made it act; empty if none."""
    items = results.items() if isinstance(results, Mapping) else ()
    found = [(n, r) for n, r in items if isinstance(r, Mapping) and r.get("filtered")]
    named = (f"{n} ({r['severity']})" if r.get("severity") else str(n) for n, r in found)
    return ", ".join(named).replace("_", " ")


def _said(status: int, said: Complaint) -> str:
    shown = "" if status == 200 else f"HTTP {status}"  # an error inside a stream has none
    message = said.message.rstrip(". ")
    told = ": ".join(filter(None, (shown, message if message != str(status) else "")))
    return f" ({told})" if told else ""


def _mend(
    kind: type[errors.EngineError],
    party: Party,
    wait: float | None,
    said: Complaint,
    status: int,
) -> str:
    if kind is errors.RateLimited and wait is not None and wait > LONGEST_WAIT:
        return f". It asks to wait {wait / 60:,.0f} min: run the cell again then."
    if status == 409:
        return f". Something else there stands against it just now. {AGAIN}"
    hints: dict[type[errors.EngineError], Hint] = {
        errors.AuthenticationFailed: party.key_hint,
        errors.PermissionRefused: "Use another key, or ask its owner for access.",
        errors.ContextOverflow: "Shorten it, or ask a model that takes more.",
        errors.NotFoundRemotely: "Look at the model's id and the engine's `base_url`;"
        f" `%jan engines {party.engine} --models` lists what it offers.",
        errors.BadRequest: "Leave out what it does not offer, or ask another model."
        if status >= 500
        else "`--dry-run` shows what is sent: does it take all these parameters?",
        errors.TimedOut: "Ask for less at once (a smaller `max_tokens`), or try again later.",
        errors.ServerFailed: "Run the cell again; if it stays so, its operators have to look.",
        errors.RateLimited: AGAIN,
        errors.Overloaded: AGAIN,
        errors.StillLoading: AGAIN,
        errors.ContentFiltered: "Rephrase the prompt.",
        errors.BillingRefused: "See the account of that service.",
        **party.hints,
    }
    hint = hints.get(kind, "")
    hint = hint if isinstance(hint, str) else hint(said)
    return f". {hint}" if hint else "."
