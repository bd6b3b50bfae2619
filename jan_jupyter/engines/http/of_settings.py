"""What the settings of a model and of its engine say, for engines behind HTTP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import errors
from ...models.model import Model
from ..base import Engine
from ..rules import Rules


class OfSettings(Engine):
    """An engine that reads what is set for a model, else for itself."""

    def setting(self, model: Model, name: str, default: Any = None) -> Any:
        """A setting of the model, else of the engine."""
        return model.settings.get(name, self.options.settings.get(name, default))

    def one_of(self, model: Model, name: str, allowed: Sequence[str]) -> str:
        """A setting that is one of some words, the first if nobody says. Raises `BadRequest`."""
        value = str(self.setting(model, name, allowed[0]))
        if value not in allowed:
            raise errors.BadRequest(
                f"Engine {self.options.name} (model {model.id}) has no {name} {value!r}: it is"
                f" {' or '.join(allowed)}.",
                model=model.id,
                engine=self.options.name,
            )
        return value

    def seconds(self, model: Model, name: str, default: float) -> float:
        """A setting that is a time. Raises `BadRequest` if it is none."""
        value = self.setting(model, name)
        try:
            number = default if value is None else float(value)
        except (TypeError, ValueError, OverflowError):
            number = -1.0
        if not 0 <= number < math.inf:
            raise errors.BadRequest(
                f"{name}: {value!r} of {model.id} ({self.options.name}) is no number of seconds:"
                " mend it in the settings of the model or of"
                f" engines/{self.options.name}/engine.json.",
                model=model.id,
                engine=self.options.name,
            )
        return number

    def remote_name(self, model: Model) -> str:
        """The name under which the other end knows the model."""
        return str(model.settings.get("model") or self.options.model or model.id)

    def rules(self, model: Model) -> Rules:
        """Which parameters it is sent, and under which names."""
        return Rules.of(self.options, model, self.remote_name(model))
