"""Whatever is given to a public function in the place of what belongs there: one line says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import errors
from support.jan import add_model


@pytest.fixture(autouse=True)
def _a_model_and_a_thread(isolated: Path) -> None:
    add_model(isolated / "jan", "mine", engine="openai")
    jan.threads.create("talk")


Asked = Callable[[Any], object]

NAMES: dict[str, Asked] = {
    "models.get": lambda name: jan.models.get(name),
    "models.fit": lambda name: jan.models.fit(name),
    "models.header": lambda name: jan.models.header(name),
    "models.remove": lambda name: jan.models.remove(name),
    "models.update": lambda name: jan.models.update(name, {}),
    "models.pull": lambda name: jan.models.pull(name),
    "models.import_": lambda name: jan.models.import_(name),
    "models.import_ how": lambda how: jan.models.import_("jan-mini", how=how),
    "models.add_files": lambda folder: jan.models.add_files(jan.models.get("mine"), folder),
    "threads.get": lambda name: jan.threads.get(name),
    "threads.open": lambda name: jan.threads.open(name),
    "threads.delete": lambda name: jan.threads.delete(name),
    "assistants.get": lambda name: jan.threads.assistants.get(name),
    "assistants.create": lambda name: jan.threads.assistants.create(name),
    "thread.message": lambda id: jan.threads.get("talk").message(id),
    "thread.switch": lambda id: jan.threads.get("talk").switch(id),
    "thread.fork": lambda id: jan.threads.get("talk").fork(id),
    "thread.delete": lambda id: jan.threads.get("talk").delete(id),
    "thread.rename": lambda title: jan.threads.get("talk").rename(title),
    "thread.append": lambda turn: jan.threads.get("talk").append(turn),
    "thread.export": lambda format: jan.threads.get("talk").export(format),
    "Chat.answer": lambda id: jan.Chat("mine", thread="talk").answer(id),
}
MAPPINGS: dict[str, Asked] = {
    "models.create": lambda values: jan.models.create(values),
    "models.update values": lambda values: jan.models.update("mine", values),
    "router.values": lambda values: jan.router.values("mine", parameters=values),
}
TEXTS: dict[str, Asked] = {
    "models.engine_options": lambda name: jan.models.engine_options(name),
    "threads.create": lambda title: jan.threads.create(title),
    "threads.list": lambda pattern: jan.threads.list(pattern),
    "threads.search": lambda text: jan.threads.search(text),
    "threads.import_ title": lambda title: jan.threads.import_("nowhere", title),
    "set_token_provider": lambda name: jan.set_token_provider(name, str),
}
OPTIONAL: dict[str, Asked] = {
    "ModelStore": lambda folder: jan.ModelStore(folder),
    "ThreadStore": lambda folder: jan.ThreadStore(folder),
    "models.create files_from": lambda f: jan.models.create({"id": "x"}, files_from=f),
    "models.pull id": lambda id: jan.models.pull("mine", id=id),
    "threads.create model": lambda name: jan.threads.create("t", model=name),
    "threads.create engine": lambda name: jan.threads.create("t", model="m", engine=name),
    "threads.create instructions": lambda text: jan.threads.create("t", instructions=text),
    "thread.configure": lambda values: jan.threads.get("talk").configure(parameters=values),
    "assistants.create model": lambda name: jan.threads.assistants.create("x", model=name),
    "assistants.create settings": lambda v: jan.threads.assistants.create("x", settings=v),
    "stream engine": lambda name: jan.stream("hi", "mine", engine=name),
    "set_token_provider provider": lambda given: jan.set_token_provider("x", given),
}
"""What may be left out."""


def cases(asked: dict[str, Asked], *given: Any) -> Iterator[Any]:
    for name, ask in asked.items():
        for one in given:
            yield pytest.param(ask, one, id=f"{name}({one!r})")


@pytest.mark.parametrize(
    ("ask", "given"),
    [
        *cases(NAMES, None, 5, b"x", [], ""),
        *cases(MAPPINGS, None, 5, b"x", ""),
        *cases(TEXTS, None, 5, b"x", []),
        *cases(OPTIONAL, 5, b"x"),
    ],
)
def test_what_is_no_name_is_one_line(ask: Asked, given: Any) -> None:
    with pytest.raises(errors.JanError) as caught:
        ask(given)
    assert isinstance(caught.value, errors.UsageError) or given == ""
    assert "\n" not in str(caught.value)
    assert repr(given) in str(caught.value) or given == ""


def test_nothing_is_no_path() -> None:
    """It is not the folder that somebody works in."""
    with pytest.raises(errors.UsageError, match="has no name"):
        jan.models.import_("")


def test_a_model_is_meant_by_its_name_too() -> None:
    mini = jan.models.get("jan-mini")
    assert jan.models.header("jan-mini") is jan.models.header(mini)
    assert jan.models.fit("jan-mini") is not None
