"""A grid as the Python, or the cell, that asks for it again."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import date, datetime, time
from typing import Any

from ...errors import UsageError
from ...types import Message
from ..values import Case, Contestant, Grid
from ..widening import gridded
from .contestants import SYSTEM, contestants


def python(
    grid: Grid,
    name: str = "",
    scorers: Sequence[Any] | Mapping[str, Any] = (),
    decide: str | None = None,
) -> str:
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
    if written := _scorers(scorers):
        arguments.append(f"scorers={written}")
    if decide is not None:
        arguments.append(f"decide={decide!r}")
    if name:
        arguments.append(f"name={name!r}")
    needs = [] if plain else ["from jan_jupyter.compare.values import Case", _MESSAGE]
    if any(model.startswith("Contestant(") for model in models):
        needs.append("from jan_jupyter.compare.values import Contestant")
    body = "".join(f"    {argument},\n" for argument in arguments)
    imports = [*_imports(body), "import jan_jupyter as jan", *needs]
    return "\n".join([*imports, "", f"jan.compare(\n{body})", ""])


_MESSAGE = "from jan_jupyter.types import Message"


def cell(grid: Grid, name: str = "") -> str:
    """The `%%jan` cell that gives the same grid. Raises `UsageError` if none can."""
    cases = grid.cases
    if len(cases) != 1 or len(cases[0].turns) != 1:
        raise UsageError("A cell asks one prompt; `.code()` gives Python that asks these.")
    system = [message for message in cases[0].turns[0] if message.role == "system"]
    asked = [message for message in cases[0].turns[0] if message.role != "system"]
    said = [*system, *asked]
    if len(asked) != 1 or len(system) > 1 or not all(isinstance(m.content, str) for m in said):
        raise UsageError("A cell asks one text; `.code()` gives Python that asks this.")
    words = ["%%jan", "--raw", *_asked_of(grid)]
    if system:
        words += ["-s", shlex.quote(system[0].text)]
    for key, value in grid.parameters.items():
        words += ["-p", shlex.quote(f"{key}={_json(value)}")]
    if name.isidentifier():
        words += ["--as", name]
    line = " ".join(words)
    if "\n" in line:
        raise UsageError("The line of a cell has no line breaks; `.code()` gives Python.")
    return f"{line}\n{asked[0].text}"


def _asked_of(grid: Grid) -> list[str]:
    """The words of a line that name the contestants of a grid, and how often each is asked."""
    models = [*dict.fromkeys(one.model for one in grid.contestants)]
    axes: dict[str, list[Any]] = {}
    for one in grid.contestants:
        own = {SYSTEM: one.system} if one.system else {}
        for axis, value in {**one.parameters, **one.settings, **own}.items():
            values = axes.setdefault(axis, [])
            values += [value] if value not in values else []
    first = grid.contestants[0].name  # it has the axes in the order in which they were given
    axes = {axis: axes[axis] for axis in sorted(axes, key=lambda one: first.find(f" · {one} "))}
    if contestants(models, axes) != [*grid.contestants]:
        raise UsageError("A cell has no names and settings of models; `.code()` gives Python.")
    words = []
    for model in models:
        words += ["-m", shlex.quote(model)]
    for name, values in axes.items():
        words += ["--set", shlex.quote(f"{name}={_values(values)}")]
    alone = len(models) == 1 and not axes  # then only that says that it compares
    return [*words, "--repeat", str(grid.repeats)] if alone or grid.repeats != 1 else words


def _values(values: Sequence[Any]) -> str:
    """Values as `--set` takes them: `0,0.7`, or a list of JSON where they have commas."""
    written = [*map(_json, values)]
    return _json(values) if any("," in one for one in written) else ",".join(written)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


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
        if value is not None and value not in ({}, ()):
            parts.append(f"{field.name}={literal(value)}")
    return f"Case({', '.join(parts)})"


def literal(value: Any) -> str:
    """A value as Python writes it; what has no such form (an object) as its text."""
    if isinstance(value, Message):
        extra = f", {literal(value.extra)}" if value.extra else ""
        return f"Message({value.role!r}, {literal(value.content)}{extra})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, date | time) and value == value:  # of pandas one may be no time
        kind = datetime if isinstance(value, datetime) else type(value)
        return f"{kind.__name__}.fromisoformat({value.isoformat()!r}){_zone(value)}"
    if callable(plain := getattr(value, "tolist", None)):  # NumPy's numbers and arrays
        return literal(plain())
    try:
        if ast.literal_eval(repr(value)) == value:
            return repr(value)
    except (ValueError, SyntaxError):
        pass
    return repr(str(value))


def _zone(value: date | time) -> str:
    name = getattr(getattr(value, "tzinfo", None), "key", "")
    return f".astimezone(ZoneInfo({name!r}))" if name and isinstance(value, datetime) else ""


def _imports(body: str) -> list[str]:
    """What the code needs for times."""
    times = [name for name in ("date", "datetime", "time") if f"{name}.fromisoformat(" in body]
    needs = [f"from datetime import {', '.join(times)}"] if times else []
    return needs + (["from zoneinfo import ZoneInfo"] if "ZoneInfo(" in body else [])


def _scorers(given: Sequence[Any] | Mapping[str, Any]) -> str:
    if not isinstance(given, Mapping):
        known = [text for one in given if (text := _scorer(one))]
        return f"[{', '.join(known)}]" if known else ""
    named = [f"{name!r}: {text}" for name, one in given.items() if (text := _scorer(one))]
    return f"{{{', '.join(named)}}}" if named else ""


def _scorer(scorer: Any) -> str:
    """How a scorer is written; empty if only the session that made it knows."""
    if isinstance(scorer, str | Mapping):
        return literal(scorer)
    name = getattr(scorer, "__name__", "")
    return name if name.isidentifier() else ""
