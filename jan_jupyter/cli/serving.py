"""`jan-jupyter serve`."""

from __future__ import annotations

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--port", type=_port, default=1338, help="default: 1338; 0: any that is free")
    add("--host", default="127.0.0.1", help="address to listen at; default: this machine alone")
    add(
        "--hosts",
        type=_names,
        default=(),
        metavar="NAME,…",
        help="names by which others call this machine; needed for any other --host",
    )
    add(
        "--key-file",
        default="",
        metavar="FILE",
        help="a line for each key: NAME KEY [requests=N] [tokens=N] [owner], or a key alone;"
        " without it: JAN_SERVE_KEY, else a key that is made and shown once",
    )
    add("--models", type=_names, default=(), metavar="ID,…", help="only these; default: all")
    add("--tls-cert", default="", metavar="FILE", help="certificate, for https")
    add("--tls-key", default="", metavar="FILE", help="its key, if it is in a file of its own")
    add("--metrics", action="store_true", help="offer /metrics, as Prometheus reads it")


def run(found: argparse.Namespace) -> int:
    from ..server.alone import Options, serve

    given = {name: value for name, value in vars(found).items() if name != "command"}
    return serve(Options(**given))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**16:
        raise ValueError
    return number
