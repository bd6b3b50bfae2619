"""The locked door: from the tests' process nothing reaches further than this machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest


class OpenNetworkError(OSError):
    """A test tried to reach the open network."""


class Door:
    """Refuses all but loopback and Unix sockets, and keeps what was tried in `attempts`.

    The refusal is an `OSError`, which code under test may well swallow: so look at `attempts`.
    Names under `.invalid` are told not to exist, as the standard (RFC 2606) promises.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def lock(self, patch: pytest.MonkeyPatch) -> None:
        look_up, connect = socket.getaddrinfo, socket.socket.connect
        connect_ex, send_to = socket.socket.connect_ex, socket.socket.sendto

        def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if name is not None and name.rstrip(".").endswith(".invalid"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            self._pass(name)
            return look_up(host, *rest, **options)

        def guarded(method: Any) -> Any:
            def call(wire: socket.socket, *arguments: Any) -> Any:
                if wire.family in (socket.AF_INET, socket.AF_INET6):
                    self._pass(arguments[-1][0])
                return method(wire, *arguments)

            return call

        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        patch.setattr(socket.socket, "sendto", guarded(send_to))

    def _pass(self, host: str | None) -> None:
        if not _is_here(host):
            self.attempts.append(str(host))
            raise OpenNetworkError(f"tests must not reach the open network: {host}")


def _is_here(host: str | None) -> bool:
    if not host or host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
