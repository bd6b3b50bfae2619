"""`%jan compare`, `%jan ladder`, `%jan vote`, `%jan runs`: many questions to several models."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ... import errors
from ..candidates import Offer, names, paths, ready_models, scorers, threads
from ..candidates import runs as run_names
from ..command import Caller, Command, Notebook, arg
from ..comparing import (
    BUDGET,
    DRY_RUN,
    FRESH,
    MODELS,
    PARAMETERS,
    REPEAT,
    SEED,
    SWEEPS,
    SYSTEM,
    YES,
)
from ..options import sweep

if TYPE_CHECKING:
    from ...compare.comparison import Comparison
    from ...compare.keeping.runs import Runs, RunTable


def compare(caller: Caller, arguments: Namespace) -> Any:
    return cast(Notebook, caller).compare(arguments)


def ladder(caller: Caller, arguments: Namespace) -> Any:
    return cast(Notebook, caller).ladder(arguments)


def replay(caller: Caller, arguments: Namespace) -> Any:
    return cast(Notebook, caller).replay(arguments)


def asks_model(words: Sequence[str]) -> bool:
    """Whether a line of `%jan compare` without options is a question: not `with A B`."""
    if words[:1] != ["with"] or len(words) < 2:
        return bool(words)
    return len(words) > 2 and not all(map(_is_model, words[1:]))


def _is_model(name: str) -> bool:
    from ..shared import workspace

    try:
        return bool(workspace().router.model(name))
    except errors.JanError:
        return False


def runs(caller: Caller, arguments: Namespace) -> Any:
    verb, *rest = arguments.words or ["list"]
    act = _ACTIONS.get(verb)
    if act is None:
        return listing(verb)
    if len(rest) < act[1] or (len(rest) > act[1] and verb not in ("list", "join")):
        names = "one name" if act[1] == 1 else f"{act[1]} names"
        raise errors.UsageError(f"%jan runs {verb} takes {names}, not {len(rest)}.")
    return act[0](*rest, to=arguments.to) if verb in ("export", "join") else act[0](*rest)


def vote(caller: Caller, arguments: Namespace) -> None:
    from ...compare.comparison import Comparison
    from ..shared import see_comparisons

    see_comparisons()
    named = caller.shell.user_ns.get(arguments.name)
    found = named if isinstance(named, Comparison) else _kept()[arguments.name]
    found.vote(by=arguments.by or "you", seed=arguments.seed or 0)


def _kept() -> Runs:
    from ...compare.comparison import runs
    from ..shared import see_comparisons, workspace

    see_comparisons()
    return runs(workspace())


def listing(pattern: str = "") -> RunTable:
    found = _kept().list(pattern)
    if pattern and not found:
        from ..tables import table

        table((), (), f"No run's name, and none of its models, contains {pattern!r}.")
        return found
    _shown(found)
    return found


def _shown(value: Any) -> None:
    """Show it in all its forms."""
    from ...console import printable
    from ..tables import show

    forms = {"text/html": value._repr_html_(), "text/markdown": value._repr_markdown_()}
    forms |= getattr(value, "_repr_mimebundle_", dict)()
    show({**forms, "text/plain": printable(repr(value))})


def show(name: str) -> Comparison:
    found: Comparison = _kept()[name]
    _shown(found)
    return found


def rm(name: str) -> None:
    _kept().delete(name)
    print(f"{name} is deleted.")


def rename(name: str, new: str) -> None:
    _kept().rename(name, new)
    print(f"{name} is now {new}.")


def join(*several: str, to: str | None = None) -> Comparison:
    made: Comparison = _kept().join(*several, name=to or "")
    _shown(made)
    return made


def export(name: str, to: str | None = None) -> Path:
    if not to:
        raise errors.UsageError("%jan runs export NAME --to FILE")
    path = _kept().export(name, to)
    print(f"Exported to {path}.")
    return path


def import_(file: str) -> Comparison:
    made: Comparison = _kept().import_(file)
    print(f"Imported as {made.name}: {len(made):,} calls.")
    return made


_ACTIONS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "list": (listing, 0),
    "show": (show, 1),
    "rename": (rename, 2),
    "join": (join, 2),
    "export": (export, 1),
    "import": (import_, 1),
    "rm": (rm, 1),
}
"""Each word that may follow, what it does, and how many more words it takes."""


def is_question(words: Sequence[str]) -> bool:
    if not words or words[0] not in _ACTIONS:
        return len(words) > 1
    return len(words) > 2 and len(words) - 1 != _ACTIONS[words[0]][1]


def named_scorers(current: str) -> Offer:
    """What scores answers by its name, then what the user has made."""
    return [*scorers(current), *names(current)]


def compared(current: str) -> Offer:
    return [*names(current), *run_names(current)]


def candidates(current: str) -> Offer:
    return [*((verb, "command") for verb in _ACTIONS), *run_names(current)]


_PROMPTS = arg(
    "--prompts", metavar="NAME", candidates=names, help="questions: a list of the notebook"
)
_SCORERS = arg(
    "--scorer",
    dest="scorers",
    action="append",
    default=[],
    metavar="NAME",
    candidates=named_scorers,
    help="what scores an answer: its name, or a function of the notebook",
)
_AS = arg(
    "--as",
    dest="as_name",
    metavar="NAME",
    help="keep it in this variable, and the run under this name",
)
_COMPARE = (
    arg("prompt", nargs="*", help="the question; `--prompts` for more than one"),
    MODELS,
    _PROMPTS,
    arg(
        "--over",
        metavar="NAME",
        candidates=names,
        help="a data frame: its columns fill `{column}` in the question, a row each",
    ),
    REPEAT,
    SWEEPS,
    PARAMETERS,
    SYSTEM,
    _SCORERS,
    arg(
        "--expected",
        metavar="NAME",
        candidates=names,
        help="a list, or a column of the frame, with what is expected",
    ),
    SEED,
    _AS,
    arg(
        "--of",
        metavar="NAME",
        candidates=names,
        help="`with`: the answer in this variable, or of this name",
    ),
    BUDGET,
    arg(
        "--prices",
        metavar="NAME",
        candidates=names,
        help="what models cost: a mapping of the notebook, money for a million tokens",
    ),
    FRESH,
    YES,
    DRY_RUN,
)

_LADDER = (
    arg(
        "model",
        candidates=ready_models,
        help="the model; other quantisations of it are told by their headers",
    ),
    _PROMPTS,
    REPEAT,
    arg(
        "--set",
        dest="settings",
        action="append",
        default=[],
        type=sweep,
        metavar="KEY=VALUE,…",
        help="also load the model so: cache_type_k=q8_0,q4_0",
    ),
    _SCORERS,
    arg(
        "--expected",
        metavar="NAME",
        candidates=names,
        help="a list with what is expected",
    ),
    _AS,
    FRESH,
)

_REPLAY = (
    arg("words", nargs="*", metavar="THREAD", candidates=threads, help="title or id of the thread"),
    MODELS,
    PARAMETERS,
    _SCORERS,
    _AS,
    FRESH,
    YES,
    DRY_RUN,
)

COMMANDS = (
    Command(
        "compare",
        compare,
        "ask several models, and see what differs",
        _COMPARE,
        details="""\
  %jan compare -m A -m B --repeat 3 Name a colour.
  %jan compare -m A -m B --over cities --expected capital What is the capital of {country}?

`%%jan -m A -m B` in a cell asks the lines below of both. What has been asked in the same way is not
asked again, in another kernel either. `jan.compare(…)` does the same in Python.

  %jan compare with B              ask B what was answered last, beside that answer
  %jan compare with B C --of NAME  the same of an answer in a variable""",
        is_question=asks_model,
    ),
    Command(
        "replay",
        replay,
        "ask another model all questions of a thread again",
        _REPLAY,
        details="""\
  %jan replay "trip to Rome" -m B --scorer judge

Each question is asked after the model's own answers, and stands beside what the thread has; that is
taken from it. `jan.replay(…)` does the same in Python.""",
        is_question=lambda words: len(words) > 1,
    ),
    Command(
        "ladder",
        ladder,
        "compare the quantisations of a model that are here",
        _LADDER,
        details="""\
  %jan ladder MODEL --prompts questions --scorer contains --expected answers
  %jan ladder MODEL --set cache_type_k=q8_0

Quality against speed and memory, and how often another token than the largest's is the most likely
one. `jan.ladder(…)` does the same in Python.""",
        is_question=lambda words: len(words) > 1,
    ),
    Command(
        "vote",
        vote,
        "vote on the answers of a comparison without being told whose they are",
        (
            arg("name", candidates=compared, help="a comparison: a variable, or a run"),
            arg("--by", metavar="WHO", help="who votes, where several do"),
            arg("--seed", type=int, help="of the order of pairs and sides"),
        ),
        details="""\
Keys: 1 the left answer, 2 the right one, = alike, 0 both bad. Votes are kept with the run.""",
    ),
    Command(
        "runs",
        runs,
        "list the comparisons that are kept; show, export, join … one",
        (
            arg(
                "words",
                nargs="*",
                metavar="FILTER",
                candidates=candidates,
                help="a part of the names to list, or an action with the name of a run",
            ),
            arg(
                "--to",
                metavar="FILE",
                candidates=paths,
                help="a file, for export; a name, for join",
            ),
        ),
        details="""\
  %jan runs show NAME
  %jan runs rename NAME NEW
  %jan runs rm NAME
  %jan runs join NAME OTHER
  %jan runs export NAME --to FILE
  %jan runs import FILE""",
        is_question=is_question,
    ),
)
