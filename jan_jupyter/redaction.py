"""What must not be seen: keys, and the secrets in addresses, in reprs, errors and logs."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    import logging


class Secret(str):
    """A text whose `repr` hides it: that is what verbose tracebacks show of variables.

    It is not pickled: who unpickles has keys of their own, or none.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"

    def __reduce__(self) -> tuple[type[Secret], tuple[()]]:
        return Secret, ()

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


_SECRET_NAME = re.compile(
    r"(?i)key|token(?!s|iz)|secret|passw|auth|credential|\bsig\b|\bcode\b|cookie"
)


def is_secret_name(name: str) -> bool:
    """Whether what bears such a name may be a key: `api_key`, `X-Auth-Token` …"""
    return _SECRET_NAME.search(name) is not None


def without_secrets(address: str) -> str:
    """An address as it may be shown: without user and password, and without keys in its query."""
    address = re.sub(r"^(\s*[\w+.-]*:?//)?[^/?#]*@", r"\1", address)
    head, mark, query = address.partition("?")
    parts = [part.partition("=") for part in query.split("&")]
    shown = (f"{name}=…" if is_secret_name(name) else name + eq + v for name, eq, v in parts)
    return head + mark + "&".join(shown)


def secrets_in(address: str) -> list[str]:
    """What `without_secrets` leaves out, in every form in which a server may repeat it."""
    around = re.match(r"(?:\s*[\w+.-]*:?//)?([^/?#]*)@", address)
    user, _, password = around[1].partition(":") if around else ("", "", "")
    found = [password or user, b64encode(unquote(f"{user}:{password}").encode()).decode()]
    query = address.partition("?")[2].partition("#")[0]
    parts = [part.partition("=") for part in query.split("&")]
    found = [*(found if around else ()), *(v for name, _, v in parts if is_secret_name(name))]
    return [form for one in found if one for form in dict.fromkeys([one, unquote(one)])]


class Address(str):
    """An address whose `repr` hides the secrets in it: tracebacks show that of variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(without_secrets(self))


def quiet_log() -> None:
    """Keep secrets out of the line that httpx2 logs for each request."""
    import logging

    logging.getLogger("httpx2").addFilter(_without_secrets_logged)


def _without_secrets_logged(record: logging.LogRecord) -> bool:
    """Its addresses without secrets, and no words of a server, which may repeat some."""
    if isinstance(record.args, tuple):
        *given, last = (
            without_secrets(str(arg)) if type(arg).__name__ == "URL" else arg
            for arg in record.args or ("",)
        )
        is_reason = record.msg.endswith('%d %s"')
        record.args = (*given, "" if is_reason else last) if record.args else ()
    return True
