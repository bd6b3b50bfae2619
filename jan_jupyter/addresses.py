"""Addresses: which host one means, and whether that is this machine or the local network. Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

_remembered = lru_cache(1024)  # asked many times for each request, of the same few addresses


@_remembered
def host_of(address: str) -> str:
    """The host of an address, or of a bare one, as keys know it; empty if there is none.

    With its port, unless that is the one of https: what is open to all on its way is another place.
    """
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    host = f"[{host}]" if ":" in host else host
    plain = parts.scheme == "http"
    port = port or (80 if plain else None)
    return f"{host}:{port}" if host and port and (plain or port != 443) else host


def is_same_host(address: str, other: str) -> bool:
    """Whether what may be told to the one may be told to the other."""
    return bool(host_of(address)) and host_of(address) == host_of(other)


def hosts_of(address: str) -> list[str]:
    """The names that stand for the host of an address: with its port, and bare for every port.

    The bare one only if nobody can listen on the way: with encryption, or near.
    """
    host = host_of(address)
    safe = address.lower().startswith(("https:", "grpcs:")) or is_own_server(address)
    names = [host, re.sub(r":\d+$", "", host)] if safe else [host]
    return [name for name in dict.fromkeys(names) if name]


@_remembered
def is_own_server(address: str) -> bool:
    """Whether an address is on this machine or in the local network."""
    host = _name(address)
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".localhost", ".local", ".lan")))
    return number.is_private or number.is_loopback or number.is_unspecified


@_remembered
def is_this_machine(address: str) -> bool:
    """Whether what is sent to an address stays on this machine, whoever resolves names."""
    if address.lower().startswith("unix:"):
        return True
    host = _name(address if "//" in address else f"//{address}")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
