"""A grid as the Python, or the cell, that asks for it again."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any

from ...errors import UsageError
from ...types import Message
from ..values import Case, Contestant, Grid
from ..widening import gridded
from .contestants import SYSTEM, contestants


def python(grid: Grid, name: str = "", scorers: Sequence[Any] = ()) -> str:
    """Python that gives the same grid. Functions among the scorers go by their names."""
    plain = _are_plain(grid.cases)
    models = [_model(contestant) for contestant in grid.contestants]
    arguments = [
        _listed([repr(case.text) if plain else _case(case) for case in grid.cases]),
        _listed(models),
    ]
    if grid.parameters:
        arguments.append(f"parameters={literal(grid.parameters)}")
    if grid.repeats != 1:
        arguments.append(f"repeats={grid.repeats}")
    if grid.seed:
        arguments.append(f"seed={grid.seed}")
    if plain and any(case.expected is not None for case in grid.cases):
        arguments.append(f"expected={literal([case.expected for case in grid.cases])}")
    if known := [text for one in scorers if (text := _scorer(one))]:
        arguments.append(f"scorers=[{', '.join(known)}]")
    if name:
        arguments.append(f"name={name!r}")
    needs = [] if plain else ["from jan_jupyter.compare.values import Case", _MESSAGE]
    if any(model.startswith("Contestant(") for model in models):
        needs.append("from jan_jupyter.compare.values import Contestant")
    body = "".join(f"    {argument},\n" for argument in arguments)
    return "\n".join(["import jan_jupyter as jan", *needs, "", f"jan.compare(\n{body})", ""])


_MESSAGE = "from jan_jupyter.types import Message"


def cell(grid: Grid, name: str = "") -> str:
    """The `%%jan` cell that gives the same grid. Raises `UsageError` if none can."""
    contestants, cases = grid.contestants, grid.cases
    if len(cases) != 1 or len(cases[0].turns) != 1:
        raise UsageError("A cell asks one prompt; `.code()` gives Python that asks these.")
    if any(c.settings or c.parameters or c.system or c.name != c.model for c in contestants):
        raise UsageError("A cell has no names and settings of models; `.code()` gives Python.")
    system = [message for message in cases[0].turns[0] if message.role == "system"]
    asked = [message for message in cases[0].turns[0] if message.role != "system"]
    said = [*system, *asked]
    if len(asked) != 1 or len(system) > 1 or not all(isinstance(m.content, str) for m in said):
        raise UsageError("A cell asks one text; `.code()` gives Python that asks this.")
    words = ["%%jan", "--raw"]
    for contestant in contestants:
        words += ["-m", shlex.quote(contestant.model)]
    if len(contestants) == 1:
        raise UsageError("A cell compares several models; `.code()` gives Python.")
    if system:
        words += ["-s", shlex.quote(system[0].text)]
    if grid.repeats != 1:
        words += ["--repeat", str(grid.repeats)]
    for key, value in grid.parameters.items():
        written = json.dumps(value, ensure_ascii=False)
        words += ["-p", shlex.quote(f"{key}={written}")]
    if name.isidentifier():
        words += ["--as", name]
    line = " ".join(words)
    if "\n" in line:
        raise UsageError("The line of a cell has no line breaks; `.code()` gives Python.")
    return f"{line}\n{asked[0].text}"


def _are_plain(cases: Sequence[Case]) -> bool:
    """Whether their texts, and what is expected, make the same cases anew."""
    try:
        made = gridded([case.text for case in cases], "?", expected=[c.expected for c in cases])
    except UsageError:
        return False
    return made.cases == tuple(cases)


def _listed(items: Sequence[str]) -> str:
    if len(items) == 1:
        return f"[{items[0]}]"
    return "[\n" + "".join(f"        {item},\n" for item in items) + "    ]"


def _model(one: Contestant) -> str:
    """A contestant as people write it, where that makes the same one anew."""
    system = {SYSTEM: one.system} if one.system else {}
    named = (one.name, one.model, {**one.parameters, **system}, dict(one.settings))
    for form in (one.model, named[:3], named):
        with suppress(UsageError):
            if contestants([form], {}) == [one]:
                return literal(form)
    whole = (*named[:2], one.parameters, one.settings, *system.values())
    given = ", ".join(map(literal, whole))
    return f"Contestant({given})"


def _case(case: Case) -> str:
    turns = tuple(tuple(turn) for turn in case.turns)
    parts = [literal(case.name), literal(turns)]
    for field in fields(case)[2:]:
        value = getattr(case, field.name)
        if value is not None and value != {}:
            parts.append(f"{field.name}={literal(value)}")
    return f"Case({', '.join(parts)})"


def literal(value: Any) -> str:
    """A value as Python writes it; what has no such form (a date, an array) as its text."""
    if isinstance(value, Message):
        extra = f", {literal(value.extra)}" if value.extra else ""
        return f"Message({value.role!r}, {literal(value.content)}{extra})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if callable(plain := getattr(value, "tolist", None)):  # NumPy's numbers and arrays
        return literal(plain())
    try:
        if ast.literal_eval(repr(value)) == value:
            return repr(value)
    except (ValueError, SyntaxError):
        pass
    return repr(str(value))


def _scorer(scorer: Any) -> str:
    """How a scorer is written; empty if only the session that made it knows."""
    if isinstance(scorer, str | Mapping):
        return literal(scorer)
    name = getattr(scorer, "__name__", "")
    return name if name.isidentifier() else ""
