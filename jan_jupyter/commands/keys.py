"""`%jan keys`: where keys come from, to set one and to remove one. No key is ever shown."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from typing import TYPE_CHECKING

from .. import errors
from .command import Caller, Command, Told, arg
from .engines import engine_names
from .screen import say, screen
from .shared import workspace

if TYPE_CHECKING:
    from ..engines.install.listing import KeyPlace
    from ..engines.keeping import Kept


def keys(caller: Caller, arguments: Namespace) -> Told:
    action, named, rest = arguments.action, arguments.name, arguments.rest
    if rest and (action != "allow" or len(rest) > 1):
        raise errors.UsageError(
            "A key does not belong on a line: lines are kept in the history and in the notebook."
            " Delete it there, and better have it replaced. `%jan keys set ENGINE` asks for it."
        )
    match action, named, rest:
        case (None, _, _):
            return _list()
        case ("set", str(), _):
            return _said(named, _set(_kept(named, arguments.host)))
        case ("rm", str(), _):
            return _said(named, _rm(named, arguments.host))
        case ("allow", str(), [host]):
            return _said(named, _allow(named, host))
        case _:
            raise errors.UsageError(
                "To list where keys come from: %jan keys. To set or remove one: %jan keys set"
                " ENGINE, %jan keys rm ENGINE, for one host: --for HOST. To let a file from"
                " elsewhere use one: %jan keys allow VARIABLE HOST."
            )


def _said(name: str, line: str) -> Told:
    def shown(_name: str) -> None:
        say(line)

    return Told(name, shown)


def _list() -> Told:
    from ..engines.install.listing import key_places

    return Told(key_places(workspace().models), _listed)


def _listed(places: list[KeyPlace]) -> list[str]:
    from ..engine_options.keys import allowed
    from .tables import table

    used = {model.engine for model in workspace().models.list()}
    told = [p for p in places if p.source or p.host or p.engine in used]
    rows = [(p.engine, p.host, p.source or "none", p.hint) for p in told]
    others = ", ".join(place.engine for place in places if place not in told)
    below = (
        f"No key, and no model: {others}. `%jan keys set ENGINE` asks for one." if others else ""
    )
    also = "allowed", "to files that are not yours"
    rows += [(variable, host, *also) for variable, host in sorted(allowed())]
    nothing = "" if rows else "No key is here, and no model needs one."
    table(("engine", "for", "key from", "remark"), rows, nothing, below=below, remarks=True)
    return list(dict.fromkeys(place.engine for place in places if place.source))


def _set(name: Kept) -> str:
    # The key stands in no variable: a traceback would show it.
    said = f"The key of {name.shown} is kept in {name.keep(_asked(name))}."
    return f"{said} {name.wins()}".strip()


def _allow(variable: str, host: str) -> str:
    from ..engine_options.keys import allow

    allow(variable, host)
    return (
        f"Files that are not yours may send {variable} to {host} now. `%jan keys rm {variable}"
        f" --for {host}` takes it back."
    )


def _asked(name: Kept) -> str:
    """What the user types, unseen. Raises `UsageError` where nobody can be asked."""
    found = screen().secret(f"Key of {name.shown} (it is not shown): ")
    if found is None:
        raise errors.UsageError(
            f"Nobody can be asked for the key of {name.name} here: run this in a notebook or a"
            " terminal, or set the key in the environment."
        )
    return found


def _rm(named: str, host: str | None) -> str:
    from ..engine_options.keys import disallow

    if host and disallow(named, host):
        return f"Files that are not yours may send {named} to {host} no longer."
    name = _kept(named, host)
    places = name.forget()
    said = f"removed from {' and '.join(places)}" if places else "not kept by us"
    also = f" There is still one from {left}." if (left := name.left()) else ""
    return f"The key of {name.shown} is {said}.{also}"


def _kept(written: str, host: str | None) -> Kept:
    from ..engines.keeping import kept

    return kept(workspace().models, written, host)


_ACTIONS = ("set", "rm", "allow")


COMMANDS = (
    Command(
        "keys",
        keys,
        "list where keys come from, set or remove one, or say where one may go",
        (
            arg(
                "action",
                nargs="?",
                metavar="set|rm|allow",
                candidates=lambda current: [(name, "command") for name in _ACTIONS],
                help="`set` asks for the key without showing it",
            ),
            arg(
                "name",
                nargs="?",
                metavar="ENGINE",
                candidates=engine_names,
                help="whose key; with `allow` the variable",
            ),
            arg("--for", dest="host", metavar="HOST", help="the key of that host alone"),
            arg("rest", nargs="*", help=SUPPRESS),
        ),
        "A key is looked for in the environment, the keyring, our keys.json (which only you can"
        " read) and the engine's file, and goes to the engine's own host alone. `--for HOST` keeps"
        " one for another host; `allow VARIABLE HOST` lets files that are not yours send what a"
        " variable holds there. A key is never shown.",
        secret=True,
    ),
)
