"""How often models are loaded, on a machine that has memory for one of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import jan_jupyter as jan
from jan_jupyter import bridge
from jan_jupyter.compare.comparison import session
from jan_jupyter.compare.running import facts
from jan_jupyter.compare.running.progress import Progress
from jan_jupyter.compare.scoring.judge import Judge
from jan_jupyter.compare.session import Session
from jan_jupyter.engines.local.registry import Registry
from jan_jupyter.engines.local.worker import Launch, Worker, WorkerSpec
from jan_jupyter.models.machine import Machine, probe
from support.jan import add_model

NAMES = ["one", "two", "three"]
Loads = Callable[[], Sequence[str]]


@pytest.fixture(autouse=True)
def memory_for_one(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three models and two judges, each a copy of the bundled file; each has one slot."""
    mini = jan.models.default()
    assert mini.file is not None
    for name in (*NAMES, "first judge", "second judge"):
        settings = {"llama_model_path": "model.gguf", "ctx_len": 512}
        path = add_model(isolated / "jan", name, engine=mini.engine, settings=settings)
        shutil.copy(mini.file, path.with_name("model.gguf"))
    fit = jan.router.store.fit(jan.models.get("one"), probe())
    assert fit is not None
    tight = Machine(int(1.5 * fit.needed), int(1.5 * fit.needed))
    monkeypatch.setattr(facts, "probe", lambda: tight)


@pytest.fixture
def loads(memory_for_one: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loads]:
    """Which models were loaded since it was last asked, in their order."""
    started: list[str] = []
    start = Registry.start

    def counted(registry: Registry, spec: WorkerSpec, launch: Launch) -> Worker:
        started.append(spec.model)
        return start(registry, spec, launch)

    def loaded() -> Sequence[str]:
        found = [*started]
        started.clear()
        return found

    monkeypatch.setattr(Registry, "start", counted)
    yield loaded
    for each in bridge.wait(jan.router.running()):
        bridge.wait(jan.router.unload(each.model))
    bridge.wait(jan.router.close())


def running() -> set[str]:
    return {each.model for each in bridge.wait(jan.router.running())}


GRID: dict[str, Any] = {
    "prompts": ["{a} or {b}?", "Not {a}?"],
    "models": NAMES,
    "variables": {"a": ["red", "blue"], "b": [1]},
    "parameters": {"temperature": [0.0, 1.0], "stop": ["e"], "max_tokens": 40},
    "repeats": 2,
}
"""Prompts, variables, repeats and parameters: 48 calls of three models."""


def test_three_models_are_loaded_three_times_whatever_the_grid(loads: Loads) -> None:
    assert session(**GRID).plan().loads == 3
    made = jan.compare(**GRID, name="grid")
    assert len(made) == 48
    assert all(row.ok for row in made)
    assert loads() == NAMES
    assert running() == {"three"}
    assert sum(row.cold for row in made) == 3
    more = made.more("And green?")
    assert len(more) == 60
    assert loads() == ["one", "two"]  # the third was there still
    assert len(more.more(repeats=1)) == 90
    assert loads() == ["one", "two"]


def test_judges_beside_them_are_loaded_once(loads: Loads) -> None:
    judges = {name: Judge(name, max_tokens=3) for name in ("first judge", "second judge")}
    order: list[str] = []
    unwatch = jan.router.watch(lambda event: order.append(event.model))
    made = jan.compare(["a", "b"], NAMES, parameters={"max_tokens": 3}, scorers=judges)
    unwatch()
    assert all(row.scores.keys() == judges.keys() for row in made)
    assert loads() == [*NAMES, *judges]
    asked = [name for name in order if name in judges]
    assert asked == sorted(asked)  # one after the other: neither makes the other one go


def test_a_judge_who_decides_loads_nothing_again(loads: Loads) -> None:
    """With memory for one model each look would load the judge, and then who is asked."""
    judge = Judge("first judge", max_tokens=3)
    options: dict[str, Any] = {"scorers": {"by": judge}, "decide": "by"}
    prompts = [f"What is {n} + 1?" for n in range(12)]
    asked = session(prompts, NAMES[:2], parameters={"max_tokens": 3}, **options)
    plan = asked.plan()
    assert plan.loads == 3
    assert "it has no room beside them, so it ends nothing early" in str(plan)
    made = jan.compare(prompts, NAMES[:2], parameters={"max_tokens": 3}, **options)
    assert len(made) == 24
    assert all("by" in row.scores for row in made)
    assert loads() == [*NAMES[:2], "first judge"]


def test_a_judge_who_is_asked_himself_decides(loads: Loads) -> None:
    judge = Judge("one", max_tokens=3)
    asked = session(["a", "b"], ["one"], scorers={"by": judge}, parameters={"max_tokens": 3})
    assert asked.plan().loads == 1
    made = jan.compare(["a", "b"], "one", scorers={"by": judge}, parameters={"max_tokens": 3})
    assert all("by" in row.scores for row in made)
    assert loads() == ["one"]


def test_what_is_asked_again_loads_only_that(isolated: Path, loads: Loads, tmp_path: Path) -> None:
    mini = jan.models.default()
    assert mini.file is not None
    late = tmp_path / "late.gguf"
    late.write_bytes(mini.file.read_bytes()[:100_000])
    settings = {"llama_model_path": str(late), "ctx_len": 512}
    add_model(isolated / "jan", "late", engine=mini.engine, settings=settings)
    made = jan.compare(["a", "b", "c"], ["one", "late"], parameters={"max_tokens": 3})
    assert [row.ok for row in made] == [True, False] * 3
    loads()
    late.write_bytes(mini.file.read_bytes())
    made.retry()
    assert all(row.ok for row in made)
    assert loads() == ["late"]


def test_two_settings_of_a_model_take_turns_once(loads: Loads) -> None:
    models = [("short", "one", {}, {"ctx_len": 256}), ("long", "one"), "two"]
    made = jan.compare(["a", "b"], models, repeats=2, parameters={"max_tokens": 2})
    assert all(row.ok for row in made)
    assert loads() == ["one", "one", "two"]


def test_a_model_that_dies_half_way_is_loaded_again(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    class Killing:
        def step(self, counted: Any) -> None:
            if isinstance(counted, Progress) and counted.done >= 3 and not killed:
                (there,) = bridge.wait(jan.router.running())
                killed.append(there.pid)
                psutil.Process(there.pid).kill()

        def end(self, line: str = "") -> None:
            pass

    assert callable(jan.compare)  # at its first use what shows it is chosen
    monkeypatch.setattr(Session, "shows", Killing)
    prompts = [f"What is {n} + 1?" for n in range(30)]
    made = jan.compare(prompts, "one", parameters={"max_tokens": 40})
    assert len(made) == 30
    assert killed
    assert sum(not row.ok for row in made) <= 1  # what was under way
    assert all("\n" not in row.error for row in made)
    assert loads() == ["one", "one"]
    monkeypatch.undo()
    assert all(row.ok for row in made.retry())
