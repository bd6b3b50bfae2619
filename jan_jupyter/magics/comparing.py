"""A comparison that a cell or a line asks for: one output, first its progress, then what came."""

from __future__ import annotations

import html
import re
from argparse import Namespace
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from IPython.core.error import UsageError
from IPython.display import display

from ..commands.command import Caller, Steps, Work
from ..commands.options import parameters_of
from ..commands.shared import see_comparisons, workspace
from ..commands.tables import show
from ..console import TerminalCounting, printable
from ..interpolate import fill
from .named import named, variable
from .output import captured

if TYPE_CHECKING:
    from ..compare.comparison import Comparison
    from ..compare.ladder import Climb, Ladder
    from ..compare.running.plan import Plan
    from ..compare.session import Session
    from ..compare.shown import Shown
    from ..compare.steps import Counted, Counting, Step
    from ..types import Reply

NOT_COMPARED = {
    "go_on": "-c",
    "thread": "--thread",
    "schema": "--schema",
    "tools": "--tool",
}
"""Options of a question that a comparison does not take, as they are written."""


def question(caller: Caller, options: Namespace, text: str, attach: list[Any]) -> Steps | Work:
    """What `%%jan -m A -m B` asks for. Raises `UsageError`."""
    for name, written in NOT_COMPARED.items():
        if getattr(options, name):
            raise UsageError(f"%jan: {written} is not for a comparison, which keeps its own runs.")
    if options.repeat is not None and options.repeat < 1:
        raise UsageError(f"%jan: --repeat {options.repeat}: once is the least.")
    from ..ask import messages_of

    given = {
        "models": options.models or [workspace().router.model(None)[0].reference],
        "system": options.system,
        "parameters": {**caller.parameters, **parameters_of(options), **dict(options.sweeps)},
        "repeats": options.repeat or 1,
        "name": options.as_name,
    }
    prompt = messages_of(text, attach=attach) if attach else text
    return steps(caller, [prompt], given, options)


def command(caller: Caller, options: Namespace) -> Steps | Work:
    """What `%jan compare` asks for. Raises `UsageError`."""
    if options.prompt[:1] == ["with"] and not options.models:
        return with_others(caller, options)
    if not options.models:
        raise UsageError("%jan compare -m MODEL -m MODEL … QUESTION. See %jan compare?.")
    text = " ".join(options.prompt)
    if bool(text) == bool(options.prompts):
        raise UsageError("%jan compare takes one question, or --prompts NAME for several.")
    names = caller.shell.user_ns
    frame = named("--over", options.over, names) if options.over else None
    expected = options.expected
    if expected is not None and (frame is None or expected not in columns(frame)):
        expected = named("--expected", expected, names)
    given = {
        "models": options.models,
        "system": options.system,
        "parameters": {
            **caller.parameters,
            **dict(options.parameter),
            **dict(options.sweeps),
        },
        "repeats": 1 if options.repeat is None else options.repeat,
        "variables": frame,
        "expected": expected,
        "seed": options.seed,
        "scorers": [names.get(name, name) for name in options.scorers],
        "name": options.as_name,
        "budget": options.budget,
        "prices": named("--prices", options.prices, names) if options.prices else None,
        "fresh": options.fresh,
    }
    asked = named("--prompts", options.prompts, names) if options.prompts else text
    if isinstance(asked, str) and frame is None:
        asked = fill(asked, names).text
    return steps(caller, asked, given, options)


def _answer(caller: Caller, name: str) -> Reply:
    """An answer by its variable, or by the name that its output has. Raises `UsageError`."""
    from ..output_forms import name as name_of
    from ..types import Reply

    names = caller.shell.user_ns
    if re.fullmatch(r"[0-9a-f]{8}", name) and name not in names:
        here = [*(reply for reply, _ in caller.answered), *names.values()]
        for one in here:
            if isinstance(one, Reply) and name_of(one) == name:
                return one
        raise UsageError(
            f"%jan: the answer {name} is not of this session, or long ago: run its cell again,"
            " then compare."
        )
    reply = named("--of", name, names)
    if not isinstance(reply, Reply):
        raise UsageError(f"%jan: {name} is no answer: it is a {type(reply).__name__}.")
    return reply


def with_others(caller: Caller, options: Namespace) -> Steps | Work:
    """What `%jan compare with B` asks for: others, beside an answer that is there."""
    from ..compare.beside import session

    if not (models := options.prompt[1:]):
        raise UsageError("%jan compare with MODEL …: name a model at least.")
    if options.of:
        reply = _answer(caller, options.of)
    elif caller.answered:
        reply = caller.answered[-1][0]
    else:
        raise UsageError("%jan compare with: nothing has been answered here yet; ask with %%jan.")
    given = next((given for one, given in caller.answered if one is reply), caller.parameters)
    scorers = [caller.shell.user_ns.get(name, name) for name in options.scorers]
    variable(options.as_name)
    asked = session(
        reply,
        models,
        {**given, **dict(options.parameter)},
        name=options.as_name,
        scorers=scorers,
        repeats=1 if options.repeat is None else options.repeat,
        budget=options.budget,
        yes=options.yes,
    )
    return under_way(caller, asked, options)


def replay(caller: Caller, options: Namespace) -> Steps | Work:
    """What `%jan replay` asks for. Raises `UsageError`."""
    from ..compare.replaying import session

    if not options.models or len(options.words) != 1:
        raise UsageError("%jan replay THREAD -m MODEL …: a thread, and who is asked again.")
    variable(options.as_name)
    asked = session(
        options.words[0],
        options.models,
        parameters={**caller.parameters, **dict(options.parameter)},
        scorers=[caller.shell.user_ns.get(name, name) for name in options.scorers],
        name=options.as_name,
        fresh=options.fresh,
        yes=options.yes,
    )
    return under_way(caller, asked, options)


def columns(frame: Any) -> list[str]:
    """The names of what a frame, or a list of mappings, has."""
    if hasattr(frame, "columns"):
        return [*map(str, frame.columns)]
    if isinstance(frame, Mapping):
        return [*map(str, frame)]
    return [str(name) for row in frame if isinstance(row, Mapping) for name in row]


def steps(
    caller: Caller, prompts: Any, given: Mapping[str, Any], options: Namespace
) -> Steps | Work:
    """A comparison on its way, or its plan if only that was asked for."""
    from ..compare.comparison import session

    variable(options.as_name)
    return under_way(caller, session(prompts, **given, yes=options.yes), options)


def under_way(caller: Caller, asked: Session, options: Namespace) -> Steps | Work:
    """It, shown while it comes; or its plan if only that was asked for."""
    if options.dry_run:
        return Work(asked.planned(), show_plan)
    return Steps(asked.steps(), Output(caller, asked, options.as_name))


def ladder(caller: Caller, options: Namespace) -> Steps:
    """What `%jan ladder` asks for. Raises `UsageError`."""
    from ..compare.ladder import climb

    variable(options.as_name)
    names = caller.shell.user_ns
    made = climb(
        options.model,
        named("--prompts", options.prompts, names) if options.prompts else None,
        settings=[{name: value} for name, several in options.settings for value in several],
        parameters=caller.parameters,
        expected=named("--expected", options.expected, names) if options.expected else None,
        scorers=[names.get(name, name) for name in options.scorers],
        repeats=1 if options.repeat is None else options.repeat,
        name=options.as_name,
        fresh=options.fresh,
    )
    return Steps(made.steps(), Output(caller, made.session, options.as_name, made))


def show_plan(plan: Plan) -> None:
    text = printable(str(plan))
    show({"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"})


_WIDE = "width:min(100%,32em)"


class NotebookCounting:
    """How far it is, as one output that is updated; what follows may take its place."""

    def __init__(self) -> None:
        self._handle: str | None = None
        self._captured = captured()
        self._now = ""
        self._last = -1e9

    def step(self, counted: Counted) -> None:
        """Called for each call that ends; shows only so many as people can read."""
        self._now = str(counted)
        if not self._captured and monotonic() - self._last >= 0.2:
            self._last = monotonic()
            far = f'value="{counted.done}" max="{counted.total}"'
            bar = f'<progress aria-label="calls" {far} style="{_WIDE}">'
            told = f"{bar}</progress><div>{html.escape(self._now)}</div>"
            self.show({"text/html": told, "text/plain": self._now})

    def end(self, line: str = "") -> None:
        """Nothing comes any more; `line` takes the place of what was shown, else the last stays."""
        if line or self._now:
            self.show({"text/plain": line or self._now})

    def show(self, data: Mapping[str, Any]) -> None:
        """Show a bundle in its place."""
        again = self._handle is not None
        self._handle = self._handle or uuid4().hex  # before it is shown: a stop may come with it
        display(  # type: ignore[no-untyped-call]
            dict(data), raw=True, display_id=self._handle, update=again
        )


def seen(asked: Session) -> Counting:
    """The comparison itself as it goes on, where that can be; else how far it is."""
    see_comparisons()
    displays = type(asked).displays
    return (displays(asked) if displays else None) or NotebookCounting()


class Output:
    """Where a comparison is shown: what a saved cell holds is the comparison alone.

    It is the value of the line, and of a variable if a name is given, also of one that was stopped.
    """

    def __init__(
        self, caller: Caller, asked: Session, name: str | None, climb: Climb | None = None
    ) -> None:
        self._caller = caller
        self._asked = asked
        self._name = name
        self._climb = climb
        """Of a ladder, which is shown and given instead."""
        self._counting: Counting = TerminalCounting()
        if hasattr(caller.shell, "kernel"):
            self._counting = seen(asked) if climb is None else NotebookCounting()

    def step(self, step: Step) -> None:
        from ..compare.steps import take

        take(step, self._counting)

    def end(self, error: BaseException | None) -> Comparison | Ladder | None:
        if error is not None:
            self._asked.catch_up()
        if error is not None and not self._asked.rows:
            self._counting.end()
            return None
        made, shown = self._made()
        if isinstance(self._counting, NotebookCounting):
            self._counting.show(shown.bundle())
        else:
            self._counting.end()
        if isinstance(self._counting, TerminalCounting):
            print(printable(repr(made)))
        if self._name:
            self._caller.shell.user_ns[self._name] = made
        return made

    def _made(self) -> tuple[Comparison | Ladder, Shown | Ladder]:
        """Its value, and what is shown of that."""
        if self._climb is not None:
            from ..compare.ladder import Ladder

            ladder = Ladder(self._climb)
            return ladder, ladder
        from ..compare.comparison import Comparison

        made = Comparison(self._asked)
        return made, made.show()
