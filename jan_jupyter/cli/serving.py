"""`jan-jupyter serve`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import fields

from ..commands.candidates import paths, ready_models
from ..commands.command import Caller, Command, arg


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**16:
        raise ValueError
    return number


def run(caller: Caller, arguments: Namespace) -> int:
    from ..server.alone import Options, serve

    names = [field.name for field in fields(Options)]
    return serve(Options(**{name: getattr(arguments, name) for name in names}))


COMMAND = Command(
    "serve",
    run,
    "serve models and threads to other programs, by OpenAI's API",
    (
        arg("--port", type=port, default=1338, help="default: 1338; 0: any that is free"),
        arg(
            "--host",
            default="127.0.0.1",
            help="address to listen at; default: this machine alone",
        ),
        arg(
            "--hosts",
            type=_names,
            default=(),
            metavar="NAME,…",
            help="names by which others call this machine; needed for any other --host",
        ),
        arg(
            "--key-file",
            default="",
            metavar="FILE",
            candidates=paths,
            help="a line for each key: NAME KEY [requests=N] [tokens=N] [owner], or a key alone;"
            " without it: JAN_SERVE_KEY, else a key that is made and shown once",
        ),
        arg(
            "--models",
            type=_names,
            default=(),
            metavar="ID,…",
            candidates=ready_models,
            help="only these; default: all",
        ),
        arg(
            "--tls-cert",
            default="",
            metavar="FILE",
            candidates=paths,
            help="certificate, for https",
        ),
        arg(
            "--tls-key",
            default="",
            metavar="FILE",
            candidates=paths,
            help="its key, if it is in a file of its own",
        ),
        arg("--metrics", action="store_true", help="offer /metrics, as Prometheus reads it"),
    ),
)
