"""`jan-jupyter compare`: how far it is on standard error, what came on standard output."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import FrameType
from typing import Any

from .. import errors
from ..ask import messages_of
from ..commands.options import parameters_of
from ..compare.comparison import Comparison, session
from ..compare.records import as_objects
from ..compare.running.plan import Plan
from ..compare.saving import ending_of
from ..compare.session import Session
from ..console import TerminalCounting
from .answering import Paper, ReaderGone
from .codes import FAILED, OK, PIPE_CLOSED
from .given import question, texts, values
from .shapes import write


class Counting(TerminalCounting):
    """How far it is; what came is not mixed with that."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)


def run(options: Namespace) -> int:
    """Compare; the exit code: 1 if a call has failed. Raises `JanError`."""
    paper = Paper(sys.stdout)
    for name in options.save:
        ending_of(name)  # told before anything is asked
    asked = session(_asked(options), **_given(options), yes=options.yes)
    asked.retry = True  # the same line again asks what has failed
    try:
        if options.dry_run:
            plan = asked.plan()
            _show(paper, options, _planned(plan), str(plan))
            return 0
        stopped = _wait(asked)
        if stopped and not asked.rows:
            return 128 + stopped
        made = Comparison(asked)
        saved = [made.save(name) for name in options.save]
        _show(paper, options, _told(made), repr(made))
    except ReaderGone:
        return PIPE_CLOSED
    for path in saved:
        _say(f"Saved as {path}.")
    failed = sum(not row.ok for row in made)
    if stopped:
        return 128 + stopped
    if failed:
        _say(f"{failed:,} of {len(made):,} calls failed; the same line asks them again.")
    return FAILED if failed else OK


def _asked(options: Namespace) -> Any:
    """The prompts. Raises `UsageError`."""
    if not options.models:
        raise errors.UsageError("jan-jupyter compare -m MODEL -m MODEL … QUESTION: name models.")
    if options.repeat is not None and options.repeat < 1:
        raise errors.UsageError(f"--repeat {options.repeat}: once is the least.")
    if options.prompts:
        if options.words or options.attach:
            raise errors.UsageError("Either a question, or --prompts FILE for several.")
        return texts("--prompts", options.prompts)
    text, attached = question(options.words)
    attached += options.attach
    if not text.strip():
        raise errors.UsageError("There is no question: give one, or --prompts FILE for several.")
    return messages_of(text, attach=attached) if attached else text


def _given(options: Namespace) -> dict[str, Any]:
    """What else `compare` takes. Raises `UsageError`."""
    frame = values("--over", options.over) if options.over else None
    expected = options.expected
    if expected is not None and not (isinstance(frame, list) and expected in _columns(frame)):
        expected = texts("--expected", expected)
    return {
        "models": options.models,
        "system": options.system,
        "parameters": {**parameters_of(options), **dict(options.sweeps)},
        "repeats": 1 if options.repeat is None else options.repeat,
        "variables": frame,
        "expected": expected,
        "seed": options.seed,
        "scorers": options.scorers,
        "name": options.as_name,
        "budget": options.budget,
        "prices": values("--prices", options.prices) if options.prices else None,
        "fresh": options.fresh,
    }


def _columns(frame: list[Any]) -> set[str]:
    return {str(name) for row in frame if isinstance(row, Mapping) for name in row}


def _wait(asked: Session) -> int:
    """Ask all of it, as far as it goes; the number of the signal that stopped it, or 0."""
    numbers: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        numbers.append(number)
        raise KeyboardInterrupt

    with _seen_on_stderr(), _told_to_end(stop):
        whole = asked.wait(asked.steps(), asks=True)
    return 0 if whole else (numbers or [signal.SIGINT])[0]


@contextlib.contextmanager
def _seen_on_stderr() -> Iterator[None]:
    before = Session.shows
    Session.shows = Counting
    try:
        if sys.stdout.isatty():
            yield
        else:  # so does a question whether it may cost money
            with contextlib.redirect_stdout(sys.stderr):
                yield
    finally:
        Session.shows = before


@contextlib.contextmanager
def _told_to_end(stop: Any) -> Iterator[None]:
    """Whoever is told to end keeps what has come, as at Ctrl-C."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [one for one in numbers if signal.getsignal(one) is signal.SIG_DFL]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _told(made: Comparison) -> dict[str, Any]:
    """All of it as JSON: the figures of each contestant, and the rows."""
    summaries = made.summary().board.summaries
    rows = as_objects(made.result)
    return {"name": made.name, "summary": [*map(_plain, summaries)], "rows": rows}


def _planned(plan: Plan) -> dict[str, Any]:
    told = {"calls": plan.calls, "stored": plan.reused, "paid": plan.paid, "cost": plan.cost}
    return {**told, "plan": str(plan)}


def _plain(value: Any) -> Any:
    """As JSON has it: numbers that are none are nothing."""
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(paper: Paper, options: Namespace, value: Any, text: str) -> None:
    if options.as_json:
        write(value)
    else:
        paper.write(f"{text}\n")


def _say(line: str) -> None:
    Paper(sys.stderr).quiet(line)
