"""Those models of a store that somebody may use, who sees no others."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import ModelNotFound
from .model import Model
from .store import ModelStore


class ChosenModels(ModelStore):
    """A store, of which only the models with these ids are there."""

    def __init__(self, store: ModelStore, ids: Collection[str]) -> None:
        self.__dict__.update(store.__dict__)  # what has been read once serves both
        self._ids = frozenset(ids)

    def list(self) -> list[Model]:
        return [model for model in super().list() if self._has(model)]

    def default(self) -> Model:
        """Where the usual one is not among them: the first that is ready."""
        try:
            return super().default()
        except ModelNotFound:
            for model in self.list():
                if model.state == "ready":
                    return model
            raise

    def _at_its_name(self, name: str) -> Model | None:
        found = super()._at_its_name(name)
        return found if found is not None and self._has(found) else None

    def _has(self, model: Model) -> bool:
        return bool({model.id, model.reference, f"{model.engine}:{model.id}"} & self._ids)
