"""What is asked of whom: prompts, variables, models and parameters in every form -> a `Grid`."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...ask import messages_of
from ...errors import UsageError
from ...threads.thread import Thread
from ...types import EMPTY, Message
from ..values import Case, Grid, Turns, instructed
from . import contestants as whom
from .frames import Line, is_missing, lines, place_name, series
from .size import check_size
from .templates import labelled, message_filled


def grid(
    prompts: Any,
    models: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    repeats: int = 1,
    variables: Any = None,
    system: str | None = None,
    seed: int | None = None,
    expected: Any = None,
) -> Grid:
    """Everything that is asked: each prompt, of each model, so many times.

    `prompts`: a text, a `Message`, a list of messages (one conversation), a thread (each of its
    questions is asked again), a column of a data frame, or a list of any of these. With
    `variables` (a data frame, a list of mappings, or a mapping of lists: all combinations) they
    are templates: `{column}` is filled in as `{name}` in a cell, a missing value as nothing, a
    picture or the `Path` of a file as what is attached there. The index of the frame becomes that
    of the cases.
    `models`: ids, `engine:id`, Models, tuples (NICKNAME, ID, PARAMETERS, SETTINGS), or mappings of
    `model`, `name`, `parameters`, `settings`, `system`.
    `parameters` hold for all; one with a list of values (temperature=[0, 0.7]) makes a contestant
    of each. `system` takes the place of other instructions; among parameters it is a contestant's
    own. `seed` is that of the order in which
    it is asked. `expected`: a list, the name of a column, one text for all, or what gives it of
    the variables (without any: of the text) of a case. Raises `UsageError`.
    """
    _check_numbers(repeats, seed)
    found = _prompts(prompts)
    rows = lines(variables) if variables is not None else None
    if not found:
        raise UsageError("There is nothing to ask: give a prompt, or several.")
    who = whom.contestants(models, parameters)
    check_size(len(found), 1 if rows is None else len(rows), len(who), repeats)
    cases = _cases(found, rows, system)
    shared = whom.shared(parameters)
    who = [whom.with_shared(one, shared) for one in who]
    cases = _with_expected(with_names(cases), expected, rows)
    return Grid(tuple(cases), tuple(who), repeats, shared.parameters or EMPTY, seed or 0)


def _check_numbers(repeats: Any, seed: Any) -> None:
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise UsageError(f"`repeats` is a whole number from 1 on, not {reprlib.repr(repeats)}.")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise UsageError(f"`seed` is a whole number, not {reprlib.repr(seed)}.")


# Prompts ------------------------------------------------------------------------------------------


class _Prompt(NamedTuple):
    """A prompt before variables are filled in."""

    turns: Turns
    name: str = ""
    index: Any = None
    index_names: tuple[Any, ...] = ()


def _prompts(given: Any) -> list[_Prompt]:
    if isinstance(given, str | Message | Thread):
        return [_prompt(given, 1)]
    if isinstance(given, Mapping):
        if "role" in given:
            return [_prompt([given], 1)]
        named = enumerate(given.items(), 1)
        return [_prompt(one, n)._replace(name=str(name)) for n, (name, one) in named]
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise UsageError(
            "Prompts are texts, lists of messages or threads, in a list if there are several, not"
            f" {reprlib.repr(given)}."
        )
    if hasattr(given, "columns"):
        raise UsageError(
            'A data frame goes into `variables`, with a prompt like "… {column} …"; one of its'
            " columns may be the prompts."
        )
    several, index = series(given)
    if several and all(_is_message(one) for one in several):
        return [_prompt(several, 1)]
    found = [_prompt(one, number) for number, one in enumerate(several, 1)]
    if index is None:
        return found
    pairs = zip(found, index.places, strict=True)
    return [
        one._replace(index=place, name=place_name(place), index_names=index.names)
        for one, place in pairs
    ]


def _is_message(value: Any) -> bool:
    return isinstance(value, Message) or (isinstance(value, Mapping) and "role" in value)


def _prompt(given: Any, number: int) -> _Prompt:
    if isinstance(given, Thread):
        return _Prompt(_replayed(given), given.title)
    if isinstance(given, str) and not given.strip():
        raise UsageError(f"Prompt {number} is empty.")
    if isinstance(given, Mapping):
        given = [given]
    try:
        messages = messages_of(given)
    except UsageError as error:
        raise UsageError(f"Prompt {number}: {error}") from None
    if not any(message.role != "system" for message in messages):
        raise UsageError(f"Prompt {number} asks nothing: it has no message of a user.")
    return _Prompt((tuple(messages),))


def _replayed(thread: Thread) -> Turns:
    """The questions of a thread, each with the instructions or results that stand before it.

    Its answers are left out: each contestant gives its own.
    """
    turns: list[tuple[Message, ...]] = []
    turn: list[Message] = []
    for message in thread.conversation():
        if message.role == "assistant":
            if any(one.role == "user" for one in turn):
                turns.append(tuple(turn))
                turn = []
        elif message.role != "tool":
            turn.append(message)
    if any(one.role == "user" for one in turn):
        turns.append(tuple(turn))
    if not turns:
        raise UsageError(f"Thread {thread.title} has no question to ask again.")
    return tuple(turns)


# Cases --------------------------------------------------------------------------------------------


def _cases(
    prompts: Sequence[_Prompt], rows: Sequence[Line] | None, system: str | None
) -> list[Case]:
    if system is not None and not isinstance(system, str):
        raise UsageError(f"`system` is text, not {reprlib.repr(system)}.")
    if rows is None:
        return [
            Case(
                prompt.name,
                instructed(prompt.turns, system or ""),
                prompt.index,
                index_names=prompt.index_names,
            )
            for prompt in prompts
        ]
    found = []
    for prompt in prompts:
        turns = instructed(prompt.turns, system or "")
        start = [prompt.name or _beginning(prompt.turns)] if len(prompts) > 1 else []
        filled_in = [_filled(turns, row.values) for row in rows]
        if all(one == turns for one in filled_in):
            raise UsageError(
                f"Prompt {_beginning(prompt.turns)!r} has no {{column}} to fill in: there is"
                f" {', '.join(rows[0].values)}."
            )
        for row, asked in zip(rows, filled_in, strict=True):
            name = " · ".join([*start, row.name])
            values = labelled(row.values)
            found.append(Case(name, asked, row.index, values, index_names=row.index_names))
    return found


def _filled(turns: Turns, values: Mapping[str, Any]) -> Turns:
    return tuple(tuple(message_filled(message, values) for message in turn) for turn in turns)


def _beginning(turns: Turns) -> str:
    """The first words of the last question."""
    text = " ".join(turns[-1][-1].text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def with_names(cases: Sequence[Case]) -> list[Case]:
    """Each with a name of its own."""
    seen: Counter[str] = Counter()
    found = []
    for case in cases:
        name = case.name or _beginning(case.turns) or "prompt"
        seen[name] += 1
        found.append(replace(case, name=name if seen[name] == 1 else f"{name} ({seen[name]})"))
    return found


# What is expected ---------------------------------------------------------------------------------


def _with_expected(cases: Sequence[Case], expected: Any, rows: Sequence[Line] | None) -> list[Case]:
    if expected is None:
        return [*cases]
    if callable(expected):
        return [replace(case, expected=_asked(expected, case)) for case in cases]
    if isinstance(expected, str):
        return [replace(case, expected=_named(expected, case, rows)) for case in cases]
    if isinstance(expected, bytes | Mapping) or not isinstance(expected, Iterable):
        raise UsageError(
            "`expected` is a list with a value for each prompt, the name of a column, or a"
            f" function, not {reprlib.repr(expected)}."
        )
    values, _ = series(expected)
    # A value for each row goes with each of several templates.
    if rows is not None and len(values) == len(rows):
        values = values * (len(cases) // len(rows))
    if len(values) != len(cases):
        raise UsageError(f"`expected` has {len(values)} values for {len(cases)} prompts.")
    pairs = zip(cases, values, strict=True)
    return [replace(case, expected=_known(value)) for case, value in pairs]


def _known(value: Any) -> Any:
    return None if is_missing(value) else value


def _named(name: str, case: Case, rows: Sequence[Line] | None) -> Any:
    if rows is None:
        return name
    if name not in case.variables:
        raise UsageError(
            f"`expected` names {name}, which is no column: {', '.join(case.variables)}."
        )
    return case.variables[name]


def _asked(function: Callable[[Any], Any], case: Case) -> Any:
    try:
        return function(case.variables or case.text)
    except Exception as error:  # the user's code
        raise UsageError(
            f"`expected` failed on prompt {case.name}: {type(error).__name__}: {error}."
        ) from error
