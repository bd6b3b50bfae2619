"""What becomes of a refusal, or of a failure below HTTP: one line that names parties and mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ... import errors, growing
from ...redaction import without_secrets
from ...wire.errors import Complaint, complaint, meaning
from ...wire.retry import LONGEST_WAIT, retry_after

if TYPE_CHECKING:
    import httpx2

_HALF_HIDDEN = re.compile(r"[\w-]*\*{3,}[\w*-]*")
AGAIN = "Wait a moment and run the cell again."
"""How an error ends that may be gone in a moment."""

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


def error_of(
    status: int, headers: Mapping[str, str], body: bytes | Mapping[str, Any], party: Party
) -> errors.EngineError:
    """The error that a refusal means: by status and documented code."""
    said = complaint(body, party.hidden)
    kind = party.kind_of(status, said) or meaning(status, said)
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
    if status == 409 and kind is errors.BadRequest:
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


# What goes wrong below HTTP -----------------------------------------------------------------------

CONNECT_SECONDS = 10.0


def check_headers(headers: Mapping[str, str], party: Party) -> None:
    """What cannot stand in a header is said without showing it; httpx2's own error would."""
    for name, value in headers.items():
        if not (f"{name}{value}".isascii() and f"{name}{value}".isprintable()):
            raise errors.BadRequest(
                f"The header {name!a} that {party.engine} (model {party.model}) is to be sent has a"
                f" character that no header can carry: mend it in"
                f" engines/{party.engine}/engine.json."
            )


class Partial:
    """What has come of an answer: whether anything has, and the text of the first choice."""

    def __init__(self) -> None:
        self.begun = False
        self._text = growing.Text()

    def add(self, piece: str) -> None:
        self.begun = True
        self._text.add(piece)

    @property
    def text(self) -> str:
        return str(self._text)


@contextmanager
def translated(party: Party, partial: Partial, seconds: float | None) -> Iterator[None]:
    """Turn what httpx2 raises into our errors, which name the parties and hold the partial text."""
    import httpx2

    try:
        yield
    except errors.EngineError as error:
        raise _about(error, party, partial)  # noqa: B904  it is the same error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _about(_of_transport(error, party, partial.begun, seconds), party, partial) from error


def unsent(error: errors.EngineError) -> bool:
    """Whether an error says that the server was not reached at all."""
    import httpx2

    return isinstance(error.__cause__, httpx2.ConnectError)


def _about(error: errors.EngineError, party: Party, partial: Partial) -> errors.EngineError:
    error.model = error.model or party.model
    error.engine = error.engine or party.engine
    error.partial = error.partial or partial.text
    error.args = (party.hidden(str(error)),)
    return error


def _of_transport(
    error: Exception, party: Party, begun: bool, seconds: float | None
) -> errors.EngineError:
    """What a failure below HTTP means; the most specific first."""
    import httpx2

    who = f"{party.model} ({party.engine})"
    said = party.hidden(str(error) or type(error).__name__)[:200]
    if isinstance(error, httpx2.ConnectTimeout):
        return errors.ConnectionFailed(
            f"{party.engine} at {_address(error)} did not answer within {CONNECT_SECONDS:.0f} s"
            f" (model {party.model}): is the address right, and the server up?"
        )
    if isinstance(error, httpx2.TimeoutException):
        return silent(party, seconds)
    if isinstance(error, httpx2.ConnectError):
        return errors.ConnectionFailed(
            f"{party.engine} cannot be reached at {_address(error)} (model {party.model}): {said}."
            " Is the address right, and the server running?"
        )
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return errors.BadRequest(
            f"The address of {party.engine} (model {party.model}) is none: set `base_url` in"
            f" engines/{party.engine}/engine.json to one that begins with http:// or https://."
        )
    if begun:
        return errors.StreamBroken(
            f"The answer of {who} was cut off: the connection broke. What had come is kept; run"
            " the cell again for a whole one."
        )
    return errors.ConnectionFailed(
        f"The connection to {party.engine} broke before {party.model} answered ({said}). Run the"
        " cell again."
    )


def silent(party: Party, seconds: float | None) -> errors.TimedOut:
    """The error for a server that has sent nothing for so long."""
    return errors.TimedOut(
        f"{party.model} ({party.engine}) sent nothing for {seconds or 0:g} s; if it needs longer,"
        " to its first byte or between two, set `timeout` (seconds) in the settings of the model"
        f" or of engines/{party.engine}/engine.json.",
        model=party.model,
        engine=party.engine,
    )


def _address(error: httpx2.TransportError) -> str:
    try:
        url = error.request.url
    except RuntimeError:
        return "its address"
    return f"{url.scheme}://{url.netloc.decode().rpartition('@')[2]}"


def without_frames(error: errors.EngineError) -> errors.EngineError:
    """The error without the frames below us and without what caused it: both may hold the key."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
