"""Those models of a store that somebody may use, who sees no others."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import ModelNotFound
from .model import Model
from .store import ModelStore


def is_among(model: Model, ids: Collection[str]) -> bool:
    """Whether one of these means the model: its id, its reference, or `engine:id`."""
    return any(name in ids for name in (model.id, model.reference, f"{model.engine}:{model.id}"))


class ChosenModels(ModelStore):
    """A store, of which only the models with these ids are there."""

    def __init__(self, store: ModelStore, ids: Collection[str]) -> None:
        self.__dict__.update(store.__dict__)  # what has been read once serves both
        self._ids = frozenset(ids)

    def list(self) -> list[Model]:
        return [model for model in super().list() if is_among(model, self._ids)]

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
        return found if found is not None and is_among(found, self._ids) else None
