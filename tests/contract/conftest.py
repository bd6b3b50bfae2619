"""A house full of peers for the session, and a user with a data folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge
from jan_jupyter.ask import Stream
from support.jan import write_json

from .house import House
from .pairs import Case, Pair

TESTED = "tested"
"""The model's id in every data folder: no peer knows it, so it must go by its own name."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as house:
        yield house


class User:
    """Somebody with nothing but a `model.json` and an engine file."""

    def __init__(self, data_folder: Path, house: House) -> None:
        self.data_folder, self.house = data_folder, house

    def has(self, pair: Pair, case: Case | None = None, *, model: str = "", peer: str = "") -> None:
        """Write the files for a pair; those of a case over them."""
        write_files(self.data_folder, self.house, pair, case, model=model, peer=peer)

    def asks(self, prompt: Any, **options: Any) -> Stream:
        return jan.stream(prompt, TESTED, **{"temperature": 0, **options})


def write_files(
    data_folder: Path,
    house: House,
    pair: Pair,
    case: Case | None = None,
    *,
    model: str = "",
    peer: str = "",
    name: str = TESTED,
    engine: str = "",
) -> None:
    """`name` is the model's id; `engine` a free name for the engine file, if it must have one."""
    known = model or (case.model if case else "") or pair.model
    settings = {**pair.settings(house, known), **(case.settings if case else {})}
    written = {**pair.files(house[peer or pair.peer]), **(case.engine if case else {})}
    if engine:
        written["engine"] = pair.engine
    engine = engine or pair.engine
    write_json(data_folder / "engines" / engine / "engine.json", written)
    fields = {"id": name, "engine": engine, "settings": settings}
    write_json(data_folder / "models" / name / "model.json", fields)


@pytest.fixture
def user(isolated: Path, house: House) -> Iterator[User]:
    yield User(isolated / "jan", house)
    for running in bridge.wait(jan.router.running()):
        bridge.wait(jan.router.unload(running.model))
    bridge.wait(jan.router.close())
