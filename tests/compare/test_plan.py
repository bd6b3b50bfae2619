"""How a grid will be asked: decided from facts alone."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from jan_jupyter.compare.deciding import in_drawn_order
from jan_jupyter.compare.running.plan import Ask, Fact, Facts, Plan, Scoring, plan
from jan_jupyter.compare.running.prices import Price, described, listed
from jan_jupyter.compare.values import Call, Case, Contestant, Grid
from jan_jupyter.types import Message, Usage

GB = 10**9


def case(text: str, *more: str) -> Case:
    return Case(text, tuple((Message("user", turn),) for turn in (text, *more)))


def grid(cases: int, *names: str, repeats: int = 1, seed: int = 0) -> Grid:
    return Grid(
        tuple(case(f"question {n}") for n in range(cases)),
        tuple(Contestant(name, name) for name in names),
        repeats,
        seed=seed,
    )


def local(name: str, memory: int | None, room: int | None = 8 * GB, **more: Any) -> Fact:
    known = {"engine": "e", "place": "this machine", "model": name, "load": name, "slots": 1}
    return Fact(**{**known, "loads": True, "memory": memory, "room": room, **more})


def remote(place: str, **more: Any) -> Fact:
    return Fact(**{"engine": place, "place": place, **more})


def groups(made: Plan) -> dict[str, list[tuple[int, ...]]]:
    return {lane.place: [stage.contestants for stage in lane.stages] for lane in made.lanes}


def test_servers_answer_beside_each_other_and_this_machine() -> None:
    facts = [remote("one"), local("a", GB), remote("two"), remote("one")]
    made = plan(grid(2, "r1", "a", "r2", "r3"), Facts(facts))
    assert groups(made) == {"one": [(0, 3)], "this machine": [(1,)], "two": [(2,)]}
    assert (made.calls, made.loads, made.memory) == (8, 1, GB)


def scored(fact: Fact, calls: int = 8, decides: bool = True) -> list[Scoring]:
    return [Scoring("judge j", fact, calls, decides)]


def test_who_scores_is_in_the_plan() -> None:
    facts = [local("a", 2 * GB), remote("s", paid=True, cost=0.5, seconds=1.0)]
    grid_ = grid(4, "a", "s")
    made = plan(grid_, Facts(facts, scoring=scored(local("j", 5 * GB))))
    assert (made.calls, made.loads, made.memory, made.paid) == (8, 2, 5 * GB, 4)
    assert "then judge j scores 8 answers (1 load, 5.0 GB)" in str(made)
    assert "2 loads · memory 5.0 GB" in str(made)
    assert plan(grid_, Facts(facts, scoring=scored(local("a", 2 * GB)))).loads == 1
    assert plan(grid_, Facts(facts, scoring=scored(local("j", 5 * GB), 0))).loads == 1
    dear = remote("t", paid=True, cost=0.25)
    made = plan(grid_, Facts(facts, scoring=scored(dear)))
    assert (made.loads, made.paid, made.paid_scores, made.cost) == (1, 12, 8, 4.0)
    unknown = remote("t", paid=True)
    assert plan(grid_, Facts(facts, scoring=scored(unknown))).cost is None
    gone = Fact(error="No model j.")
    assert "judge j cannot score: No model j." in str(
        plan(grid_, Facts(facts, scoring=scored(gone)))
    )


def test_who_decides_has_room_beside_the_others_or_waits() -> None:
    """Else each look would load it, and then again whom it is to judge."""
    small, large = local("j", GB), local("j", 7 * GB)
    together = [local("a", 2 * GB), local("b", 2 * GB)]
    apart = [local("a", 5 * GB), local("b", 5 * GB)]
    for facts, judge, keeps in (
        (together, small, True),
        (together, large, False),
        (apart, small, True),
        (apart, large, False),
        (apart, local("j", None), False),
        (apart, remote("s"), True),
        ([remote("s"), remote("t")], large, True),
        ([local("a", 5 * GB), remote("s")], local("a", 5 * GB), True),
    ):
        made = plan(grid(2, "a", "b"), Facts(facts, scoring=scored(judge)))
        assert made.keeps_loaded("judge j") == keeps
        assert ("it ends nothing early" in str(made)) != keeps
        assert made.keeps_loaded("exact")


def test_prompts_go_in_the_order_that_was_drawn() -> None:
    drawn = in_drawn_order(grid(20, "a", "b", seed=4))
    facts = Facts([local("a", GB), local("b", GB)])
    made = plan(drawn, facts)
    cases = [ask.case for ask in made.order(next(iter(made.stages)))][::2]
    assert cases == [*drawn.order]
    assert cases != sorted(cases)
    assert sorted(cases) == [*range(20)]
    assert in_drawn_order(grid(20, "a", "b", seed=4)) == drawn
    assert in_drawn_order(grid(20, "a", "b", seed=5)).order != drawn.order
    longer = in_drawn_order(grid(40, "a", "b", seed=4), drawn.order)
    assert longer.order[:20] == drawn.order
    assert sorted(longer.order[20:]) == [*range(20, 40)]
    assert [*longer.order[20:]] != [*range(20, 40)]


@pytest.mark.parametrize("cases", [1, 7])
@pytest.mark.parametrize("repeats", [1, 3])
def test_with_memory_for_one_each_model_is_loaded_once(cases: int, repeats: int) -> None:
    facts = [local(name, 5 * GB) for name in "abc"]
    made = plan(grid(cases, *"abc", repeats=repeats), Facts(facts))
    assert groups(made) == {"this machine": [(0,), (1,), (2,)]}
    assert (made.loads, made.memory) == (3, 5 * GB)


def test_local_models_stand_beside_each_other_where_they_fit() -> None:
    facts = [local("a", 5 * GB), local("b", 4 * GB), local("c", 3 * GB), local("d", 4 * GB)]
    made = plan(grid(1, *"abcd"), Facts(facts))
    assert groups(made) == {"this machine": [(0, 2), (1, 3)]}
    assert (made.loads, made.memory) == (4, 8 * GB)


def test_what_nobody_knows_the_memory_of_is_alone() -> None:
    facts = [local("a", GB), local("b", None), local("c", GB), local("d", GB, room=None)]
    made = plan(grid(1, *"abcd"), Facts(facts))
    assert groups(made) == {"this machine": [(0, 2), (1,), (3,)]}
    assert made.memory is None


def test_settings_of_one_model_take_turns_and_parameters_share_it() -> None:
    facts = [
        local("m", GB, load="m, ctx 1"),
        local("m", GB, load="m, ctx 2"),
        local("m", GB, load="m, ctx 1"),
    ]
    made = plan(grid(4, "a", "b", "c"), Facts(facts))
    assert groups(made) == {"this machine": [(0, 2), (1,)]}
    assert (made.loads, made.memory) == (2, GB)


def test_each_prompt_has_an_order_of_its_own_and_the_seed_makes_it() -> None:
    facts = Facts([remote("s") for _ in "abcd"])

    def order(seed: int) -> list[Ask]:
        made = plan(grid(30, *"abcd", seed=seed), facts)
        return [ask for stage in made.stages for ask in made.order(stage)]

    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == [Ask(n, i, (0,)) for n in range(30) for i in range(4)]
    assert [ask.case for ask in order(1)] == sorted(ask.case for ask in order(1))
    first = {order(1)[4 * n].contestant for n in range(30)}
    assert first == {0, 1, 2, 3}  # nobody is always the first


def test_the_order_is_the_same_in_every_process() -> None:
    code = "from jan_jupyter.compare.running.plan import shuffled; print(shuffled(range(6), 7, 3))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_repeats_are_asked_for_together_where_the_engine_has_a_slot_for_each() -> None:
    facts = [
        local("a", GB, slots=2, shares=True),
        local("b", GB, slots=4, shares=True),
        local("c", GB, slots=4),
        remote("s", shares=True),
    ]
    made = plan(grid(1, *"abcd", repeats=3), Facts(facts))
    asked = {i: [a.repeats for s in made.stages for a in made.order(s) if a.contestant == i]
             for i in range(4)}  # fmt: skip
    alone = [(0,), (1,), (2,)]
    assert asked == {0: [(0, 1), (2,)], 1: [(0, 1, 2)], 2: alone, 3: alone}
    assert made.calls == 12


def test_a_conversation_goes_its_own_way_in_each_repeat() -> None:
    asked = Grid((case("one", "two"),), (Contestant("a", "a"),), 2)
    made = plan(asked, Facts([local("a", GB, slots=4, shares=True)]))
    assert [ask.repeats for s in made.stages for ask in made.order(s)] == [(0,), (1,)]


def test_what_is_stored_is_not_asked_and_loads_nothing() -> None:
    stored = {Call(n, 0): f"key {n}" for n in range(3)} | {Call(1, 1): "another"}
    facts = [local("a", 6 * GB), local("b", 6 * GB), local("c", 6 * GB)]
    made = plan(grid(3, *"abc"), Facts(facts, stored))
    assert (made.calls, made.reused, made.loads) == (5, 4, 2)
    assert groups(made) == {"this machine": [(0, 1), (2,)]}


def test_costs_and_times_are_those_of_earlier_calls_or_unknown() -> None:
    price = Price(1, 2)
    facts = [
        remote("s", paid=True, price=price, cost=0.5, seconds=8.0),
        local("a", GB, seconds=2.0, loading=10.0, cost=0.0),
    ]
    made = plan(grid(10, "r", "a"), Facts(facts))
    assert (made.cost, made.paid) == (5.0, 10)
    assert made.seconds == 30.0  # the machine: a load and ten calls; the server four at once
    for missing in ({"cost": None}, {"seconds": None}):
        some = plan(grid(1, "r"), Facts([remote("s", paid=True, **{"cost": 1.0, "seconds": 1.0,
                                                                   **missing})]))  # fmt: skip
        assert (some.cost is None) == ("cost" in missing)
        assert (some.seconds is None) == ("seconds" in missing)
    never_loaded = plan(grid(1, "a"), Facts([local("a", GB, seconds=2.0)]))
    assert never_loaded.seconds is None


def test_a_price_counts_cached_tokens_once() -> None:
    usage = Usage(prompt=1_000_000, completion=500_000, cached=400_000)
    assert Price(2.0, 8.0).of(usage) == pytest.approx(6.0)
    assert Price(2.0, 8.0, cached=0.5).of(usage) == pytest.approx(1.2 + 0.2 + 4.0)


def test_a_listed_price_says_where_it_is_from_and_an_unknown_one_is_none() -> None:
    price = listed("gpt-4o-mini", "https://api.openai.com/v1")
    assert price is not None
    assert price.source.startswith("genai-prices ")
    assert price.of(Usage(prompt=10**6, completion=10**6)) == pytest.approx(
        price.prompt + price.completion
    )
    assert price.of(Usage(prompt=10**6, cached=10**6)) == pytest.approx(price.cached)
    assert listed("gpt-4o-mini", "https://example.org/v1") is None
    assert listed("nobody-knows-it", "https://api.openai.com/v1") is None


def test_a_description_may_have_a_price() -> None:
    written = {"prompt": 2.5, "completion": 10, "date": "2026-11-01", "currency": "EUR"}
    price = described({"price": written}, "mine")
    assert price == Price(2.5, 10.0, None, "EUR", "mine", "2026-11-01")
    for wrong in (None, 3, {}, {"prompt": 1}, {"prompt": "1", "completion": 2},
                  {"prompt": -1, "completion": 2}, {"prompt": True, "completion": 2}):  # fmt: skip
        assert described({"price": wrong}, "mine") is None


def test_the_plan_reads() -> None:
    facts = [
        remote("cloud", paid=True),
        local("a", 3 * GB),
        local("b", 6 * GB),
        Fact(place="this machine", error="No model is called c."),
    ]
    stored = {Call(0, 1): "key"}
    made = plan(grid(2, "r", "a", "b", "c"), Facts(facts, stored))
    assert made.text().splitlines() == [
        "8 calls: 2 prompts × 4 models × 1 repeat; 1 stored, 7 to ask",
        "cloud: r",
        "this machine: a and c in turn (1 load, 3.0 GB), then b (1 load, 6.0 GB)",
        "c cannot be asked: No model is called c.",
        "2 paid calls · 2 loads · memory 6.0 GB of 8.0 GB that are free · cost unknown"
        " · time unknown",
    ]
    assert made._repr_markdown_().count("\n- ") == 4
    free = plan(grid(1, "a"), Facts([local("a", GB, seconds=1.0, loading=2.0)]))
    last = "1 load · memory 1.0 GB of 8.0 GB that are free · cost nothing · time about 3 s"
    assert free.text().splitlines()[-1] == last
    large = plan(grid(1, "a"), Facts([local("a", 9 * GB)]))
    assert "memory 9.0 GB of 8.0 GB that are free: it may be slow" in large.text()
