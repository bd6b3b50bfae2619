"""`%jan keys`: where keys come from, to set one and to remove one. No key is ever shown."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, Namespace
from typing import TYPE_CHECKING

from ... import errors
from .command import Command, arg
from .engines import engine_names

if TYPE_CHECKING:
    from ..core import JanMagics


def keys(magics: JanMagics, arguments: Namespace) -> list[str] | None:
    if arguments.rest:
        raise errors.UsageError(
            "A key does not belong on a line: lines are kept in the history and in the notebook."
            " Delete it there, and better have it replaced. `%jan keys set ENGINE` asks for it."
        )
    if arguments.action is None:
        return _list()
    if arguments.action not in _ACTIONS or arguments.engine is None:
        raise errors.UsageError(
            "To list where keys come from: %jan keys. To set or remove one: %jan keys set ENGINE,"
            " %jan keys rm ENGINE."
        )
    return _ACTIONS[arguments.action](_key_name(arguments.engine))


def _list() -> list[str]:
    from ...engines.listing import key_places
    from ...router import shared
    from ..tables import table

    places = key_places(shared().store)
    table(
        ("engine", "key from", "remark"),
        [(p.engine, p.source or "none", p.hint) for p in places],
    )
    return [place.engine for place in places if place.source]


def _set(name: str) -> None:
    from ...keys import store_key

    # The key stands in no variable: a traceback would show it.
    print(f"The key of {name} is kept in {store_key(name, _asked(name))}.{_before(name)}")


def _asked(name: str) -> str:
    """What the user types, unseen. Raises `UsageError` where nobody can be asked."""
    from getpass import getpass

    from IPython.core.error import StdinNotImplementedError
    from IPython.core.getipython import get_ipython

    try:
        if not hasattr(get_ipython(), "kernel") and not sys.stdin.isatty():
            raise EOFError
        return getpass(f"Key of {name} (it is not shown): ")
    except (StdinNotImplementedError, EOFError):
        raise errors.UsageError(
            f"Nobody can be asked for the key of {name} here: run this in a notebook or in IPython,"
            " or set the key in the environment."
        ) from None


def _before(name: str) -> str:
    """What wins over the key that was just kept, if anything does."""
    from ...router import shared

    options = shared().store.engine_options(name)
    found = options.found_key()
    wins = (f"environment ({options.key_variable})", str(options.api_key_file))
    return f" But the one from {found.source} wins." if found and found.source in wins else ""


def _rm(name: str) -> None:
    from ...keys import remove_key
    from ...router import shared

    places = remove_key(name)
    said = f"removed from {' and '.join(places)}" if places else "not kept by us"
    left = shared().store.engine_options(name).found_key()
    also = f" There is still one from {left.source}." if left else ""
    print(f"The key of {name} is {said}.{also}")


def _key_name(written: str) -> str:
    """The name under which the key of an engine is kept."""
    from ...engines.listing import names
    from ...router import shared

    store = shared().store
    options = store.engine_options(written)
    if options.row is None and options.name not in names(store):
        # The word is not repeated: perhaps it is the key.
        raise errors.UsageError("That is no engine here; `%jan engines` lists them.")
    return options.key_name


_ACTIONS = {"set": _set, "rm": _rm}


COMMANDS = (
    Command(
        "keys",
        keys,
        "list where keys come from, set or remove one",
        (
            arg(
                "action",
                nargs="?",
                metavar="set|rm",
                candidates=lambda current: [(name, "command") for name in _ACTIONS],
                help="`set` asks for the key without showing it",
            ),
            arg("engine", nargs="?", candidates=engine_names, help="whose key"),
            arg("rest", nargs="*", help=SUPPRESS),
        ),
        "A key is looked for in the environment, the keyring, our keys.json (which only you can"
        " read) and the engine's file. It is never shown.",
        secret=True,
    ),
)
