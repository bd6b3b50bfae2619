"""Which parameters a server is sent, and under which names: rules that are data.

Rows of engines have lists of rules (`data/engines.json`): `{"models"?: pattern, "format"?: pattern,
"rename"?: {name: name}, "drop"?: [name], "completions"?: path}`; all that fit a model and its
setting `format` hold. `completions` is where the server writes between two texts. In the settings
of an engine or a model may stand `rename`, which adds to them, and `drop`, `allow` and
`completions`, which replace what stands below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..engine_options.options import EngineOptions
from ..models.model import Model
from ..types import EMPTY


@dataclass(frozen=True, slots=True)
class Rules:
    """What is renamed, what is left out, and (unless `None`) what alone is let through."""

    rename: Mapping[str, str] = EMPTY
    drop: frozenset[str] = frozenset()
    allow: frozenset[str] | None = None
    completions: str = ""

    @classmethod
    def of(cls, options: EngineOptions, model: Model, remote_name: str) -> Self:
        """The rules for a model: built-in ones for its engine's own address, then the user's."""
        row = options.row
        base = model.settings.get("base_url") or options.address
        written: list[Mapping[str, Any]] = []
        if row is not None and row.base_url in ("", base):
            form = model.settings.get("format", options.settings.get("format", ""))
            written = [r for r in row.rules if _fits(r, remote_name, str(form))]
        rename: dict[str, str] = {}
        drop: Iterable[str] = {name for rule in written for name in rule.get("drop", ())}
        allow: Iterable[str] | None = None
        for rule in (*written, options.settings, model.settings):
            rename |= _object(rule.get("rename"))
        for settings in (options.settings, model.settings):
            drop = _names(settings.get("drop"), drop)
            allow = _names(settings.get("allow"), allow)
        allowed = None if allow is None else frozenset(allow)
        between = [str(rule["completions"]) for rule in written if "completions" in rule]
        return cls(rename, frozenset(drop), allowed, *between[:1])

    def apply(self, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The parameters as they are sent, and the names of those that are left out."""
        sent: dict[str, Any] = {}
        left_out: list[str] = []
        for name, value in parameters.items():
            if name == "stream" or (name == "seed" and value == -1):
                continue  # ours to say, and "any seed"
            if name == "n" and value == 1:
                continue  # one answer comes anyway, also from a server that does not know the name
            if name in self.drop or (self.allow is not None and name not in self.allow):
                left_out.append(name)
            else:
                sent[self.rename.get(name, name)] = value
        return sent, left_out


def _fits(rule: Mapping[str, Any], remote_name: str, form: str) -> bool:
    formats, models = rule.get("format", ""), rule.get("models", "")
    return bool(re.search(models, remote_name)) and (
        not formats or bool(re.fullmatch(formats, form))
    )


def _object(written: Any) -> Mapping[str, str]:
    return {str(k): str(v) for k, v in written.items()} if isinstance(written, Mapping) else {}


def _names(written: Any, below: Any) -> Any:
    """A list of names, a single name, or (absent) what stands below."""
    if isinstance(written, str):
        return [written]
    return [str(name) for name in written] if isinstance(written, list | tuple) else below
