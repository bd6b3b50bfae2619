"""`%jan engines`, `%jan hub`: what can run models, and packages that add to it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import errors
from .command import Caller, Command, Told, Work, arg
from .screen import say, screen
from .shared import models, workspace

if TYPE_CHECKING:
    from ..engines.install.listing import Listed
    from ..engines.install.packages import Offer, Plan


def engines(magics: Caller, arguments: Namespace) -> Any:
    if arguments.name in _ACTIONS:
        if not arguments.what:
            raise errors.UsageError(f"%jan engines {arguments.name} what? %jan hub lists packages.")
        return _ACTIONS[arguments.name](arguments)
    if arguments.name:
        return _one(arguments)
    return _all()


def _all() -> Work:
    async def look() -> tuple[list[Listed], set[str]]:
        import asyncio

        from ..engines.install.listing import listing

        rows = await asyncio.to_thread(listing, workspace().models)
        ready = [row.address for row in rows if row.state == "ready"]
        return rows, await workspace().servers.listening(ready)

    return Work(look(), _listed)


NOT_RUNNING = "not running"


def _listed(found: tuple[list[Listed], set[str]]) -> list[str]:
    """What can be used or is used, the first ones first; of all others one line."""
    from ..addresses import is_this_machine
    from ..engines.listening import nobody
    from .tables import Cell, Tone, table

    rows, listening = found
    tones: dict[str, Tone] = {"ready": "good", "broken": "bad", NOT_RUNNING: "quiet"}
    told: list[tuple[tuple[bool, bool], list[str | Cell]]] = []
    others: dict[str, list[str]] = {}
    for row in rows:
        state, remark = row.state, row.remark
        if state == "ready" and is_this_machine(row.address) and row.address not in listening:
            state, remark = NOT_RUNNING, nobody(row.address)
        ours = row.kind in ("local", "remote")
        missing = ours or state == "not installed"  # what the user added is told in any state
        if missing and not row.models and state not in ("ready", "broken"):
            others.setdefault(state, []).append(row.name)
            continue
        cells: list[str | Cell] = [
            row.name,
            _where(row.kind, row.address),
            Cell(state, tones.get(state, "warning")),
            str(row.models or ""),
            row.package if not ours else "",
            "" if state == "ready" and "://" in remark else remark,
        ]
        told.append(((state != "ready", not row.models), cells))
    told.sort(key=lambda one: one[0])
    words = {
        "needs key": "with a key (`%jan keys set NAME`)",
        "needs base_url": "with an address",
        NOT_RUNNING: "when their server runs here",
        "not installed": "to install (`%jan engines install NAME`)",
    }
    parts = [f"{words.get(state, state)}: {', '.join(names)}" for state, names in others.items()]
    below = f"Others, {'; '.join(parts)}. `%jan engines NAME` tells more of one." if parts else ""
    headings = ("engine", "where", "state", "models", "package", "remark")
    table(headings, [cells for _, cells in told], right={3}, below=below, remarks=True)
    return [row.name for row in rows]


def _where(kind: str, address: str) -> str:
    from ..addresses import host_of, is_this_machine

    if not address:
        return "this machine" if kind == "local" else ""
    host = host_of(address)
    return f"this machine, {host}" if is_this_machine(address) else host


def _one(arguments: Namespace) -> Any:
    from ..engines.install.listing import described, offered, places
    from ..redaction import without_secrets
    from .tables import table

    found = described(workspace().models, arguments.name)
    heading, *rows = [(name, value) for name, value in found.items() if value]
    if not arguments.models:

        def told(found: Mapping[str, str]) -> Mapping[str, str]:
            table(heading, rows)
            return found

        return Told(found, told)

    router = workspace().router
    engine = router.registry.engine(arguments.name, router.notify)

    def show(found: dict[str, list[str] | errors.JanError]) -> list[str]:
        for address, there in found.items():
            at = f" at {without_secrets(address)}" if len(found) > 1 else ""
            named = str(there) if isinstance(there, errors.JanError) else ", ".join(there)
            rows.append((f"offers{at}", named or "it does not tell"))
        table(heading, rows)
        return [name for there in found.values() if isinstance(there, list) for name in there]

    return Work(offered(engine, places(router.store, arguments.name)), show)


def _install(arguments: Namespace) -> Work | None:
    from ..engines.install import packages

    plan = packages.plan(arguments.what)
    screen().tell(screen().worded(plan.what))
    agreed = arguments.yes or screen().agreed("Go on?")
    if not agreed:
        line = f"Nothing is installed. To do it: %jan engines install {arguments.what} --yes"
        if agreed is None:
            raise errors.UsageError(line)
        say(line)
        return None
    installing = packages.install(plan, workspace().models, _tell)
    return Work(installing, lambda names: _installed(plan, names))


def _installed(plan: Plan, names: Sequence[str]) -> list[str]:
    from ..engines.install.listing import listing

    rows = {row.name: row for row in listing(workspace().models) if row.name in names}
    for row in rows.values():
        state = f"broken: {row.remark}" if row.state == "broken" else f"{row.state} to be used"
        say(f"Engine {row.name} is {state}; no restart is needed.")
    if not rows:
        say(f"{plan.name} is installed.")
    return [*rows]


def _remove(arguments: Namespace) -> Work:
    from ..engines.install import packages

    removing = packages.remove(arguments.what, _tell)
    return Work(removing, lambda name: say(f"{name} is removed."))


def _tell(line: str) -> None:
    screen().tell(screen().worded(line))


_ACTIONS = {"install": _install, "remove": _remove}


def hub(caller: Caller, arguments: Namespace) -> Told:
    from ..engines.install import packages

    return Told(packages.hub(arguments.words), _offered)


def _offered(offers: Sequence[Offer]) -> list[str]:
    from .tables import table

    table(
        ("package", "kind", "state", "what it adds"),
        [(o.name, o.kind, o.state, f"{o.about}; {o.size}") for o in offers],
        "`%jan engines install NAME` installs one." if offers else "The hub has nothing like that.",
        remarks=True,
    )
    return [offer.name for offer in offers]


# Tab --------------------------------------------------------------------------------------------


def engine_names(current: str) -> Iterable[tuple[str, str]]:
    from ..engines.install.listing import names

    return [(name, "engine") for name in names(models())]


def _first(current: str) -> Iterable[tuple[str, str]]:
    return [*((name, "command") for name in _ACTIONS), *engine_names(current)]


def _packages(current: str) -> Iterable[tuple[str, str]]:
    from ..engines.install import packages
    from .candidates import paths

    offered = [(offer.name, "package") for offer in packages.hub()]
    return [*offered, *(paths(current) if current[:1] in (".", "/", "~") else ())]


def _sentence(words: Sequence[str]) -> bool:
    return len(words) > 2 or (len(words) == 2 and words[0] not in _ACTIONS)


COMMANDS = (
    Command(
        "engines",
        engines,
        "list the engines, show one, install or remove one",
        (
            arg("name", nargs="?", metavar="NAME|install|remove", candidates=_first),
            arg(
                "what",
                nargs="?",
                metavar="PACKAGE",
                candidates=_packages,
                help="a name of %%jan hub, of a package, or the path of a wheel or folder",
            ),
            arg("--models", action="store_true", help="ask that engine which models it offers"),
            arg("-y", "--yes", action="store_true", help="install without asking"),
        ),
        is_question=_sentence,
    ),
    Command(
        "hub",
        hub,
        "list packages that add engines",
        (arg("words", nargs="*", help="words that they must have"),),
        is_question=lambda words: len(words) > 2,
    ),
)
