"""`%jan keys`: where keys come from, to set one and to remove one. No key is ever shown."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from typing import TYPE_CHECKING

from .. import errors
from ..addresses import host_of
from .command import Caller, Command, Told, arg
from .engines import engine_names
from .screen import say, screen
from .shared import workspace

if TYPE_CHECKING:
    from ..engines.install.listing import KeyPlace


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
            return _said(named, _set(_kept_name(named, arguments.host)))
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


def _set(name: str) -> str:
    from ..engine_options.keys import store_key

    # The key stands in no variable: a traceback would show it.
    return f"The key of {_shown(name)} is kept in {store_key(name, _asked(name))}.{_before(name)}"


def _shown(name: str) -> str:
    return name.replace("@", " for ")


def _allow(variable: str, host: str) -> str:
    from ..engine_options.keys import allow

    allow(variable, host)
    return (
        f"Files that are not yours may send {variable} to {host} now. `%jan keys rm {variable}"
        f" --for {host}` takes it back."
    )


def _asked(name: str) -> str:
    """What the user types, unseen. Raises `UsageError` where nobody can be asked."""
    found = screen().secret(f"Key of {_shown(name)} (it is not shown): ")
    if found is None:
        raise errors.UsageError(
            f"Nobody can be asked for the key of {name} here: run this in a notebook or a terminal,"
            " or set the key in the environment."
        )
    return found


def _before(name: str) -> str:
    """What wins over the key that was just kept, if anything does."""
    from ..engine_options.keys import key_file

    if "@" in name:
        return ""
    options = workspace().models.engine_options(name)
    if not options.is_at_home:
        host = host_of(options.address)
        return f" It does not go to {host}: `%jan keys set {name} --for {host}` keeps one for that."
    found = options.found_key()
    if found is None or (found.name == name and found.source in ("keyring", str(key_file()))):
        return ""
    return f" But the one from {found.source} wins."


def _rm(named: str, host: str | None) -> str:
    from ..engine_options.keys import disallow, remove_key

    if host and disallow(named, host):
        return f"Files that are not yours may send {named} to {host} no longer."
    name = _kept_name(named, host)
    places = remove_key(name)
    said = f"removed from {' and '.join(places)}" if places else "not kept by us"
    left = None if host else workspace().models.engine_options(name).found_key()
    also = f" There is still one from {left.source}." if left else ""
    return f"The key of {_shown(name)} is {said}.{also}"


def _kept_name(written: str, host: str | None) -> str:
    """The name under which the key of an engine is kept, for all or for one host."""
    from ..engine_options.keys import name_for

    name = _key_name(written)
    return name_for(name, host) if host else name


def _key_name(written: str) -> str:
    """The name under which the key of an engine is kept."""
    from ..engines.install.listing import names

    store = workspace().models
    options = store.engine_options(written)
    if options.row is None and options.name not in names(store):
        # The word is not repeated: perhaps it is the key.
        raise errors.UsageError("That is no engine here; `%jan engines` lists them.")
    return options.key_name


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
