"""A grid that is asked: of the scripted server, and of the bundled model."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from jan_jupyter import bridge, errors
from jan_jupyter.compare.running.budget import Budget
from jan_jupyter.compare.running.facts import look
from jan_jupyter.compare.running.plan import Facts, Plan, plan
from jan_jupyter.compare.running.prices import Price
from jan_jupyter.compare.running.progress import Progress
from jan_jupyter.compare.running.run import run
from jan_jupyter.compare.running.watching import Brake
from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Row
from jan_jupyter.types import Delta, Event, Message
from jan_jupyter.workspace import Workspace
from support.jan import add_model, add_remote
from support.loop import watched_loop
from support.server import Entry, StreamingServer, tokens


class Memory:
    """Keeps rows as a store does."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.looked_for = 0

    def find(self, keys: Iterable[str], /) -> Mapping[str, Row]:
        wanted = [*keys]
        self.looked_for += len(wanted)
        return {key: self.rows[key] for key in wanted if key in self.rows}

    async def append(self, row: Row, /) -> None:
        await asyncio.sleep(0)
        self.rows[row.key] = row


class Watched:
    """What a run tells whoever watches."""

    def __init__(self) -> None:
        self.begun: list[Call] = []
        self.texts: dict[Call, str] = {}
        self._came = threading.Condition()

    def begins(self, calls: Sequence[Call]) -> None:
        self.begun += calls
        self.texts |= dict.fromkeys(calls, "")

    def came(self, call: Call, delta: Delta) -> None:
        with self._came:
            self.texts[call] += delta.text
            self._came.notify_all()

    def wait(self, text: str) -> None:
        """Until an answer has come that far."""
        with self._came:
            assert self._came.wait_for(lambda: text in self.texts.values(), 60)


def case(*turns: str) -> Case:
    return Case(turns[0], tuple((Message("user", turn),) for turn in turns))


def grid(cases: int, *names: str, repeats: int = 1, **parameters: Any) -> Grid:
    return Grid(
        tuple(case(f"question {n}") for n in range(cases)),
        tuple(Contestant(name, name) for name in names),
        repeats,
        parameters,
        seed=4,
    )


@pytest.fixture
def folder(isolated: Path) -> Path:
    return isolated / "jan"


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    made = Workspace()
    yield made
    bridge.wait(made.close())


def planned(asked: Grid, workspace: Workspace, kept: Memory | None = None, **more: Any) -> Plan:
    return plan(asked, bridge.wait(look(asked, workspace, kept, **more)))


def rows_of(made: Plan, workspace: Workspace, **more: Any) -> list[Row]:
    return [*bridge.iterate(run(made, workspace, **more))]


def ask(
    asked: Grid, workspace: Workspace, kept: Memory | None = None, **more: Any
) -> dict[Call, Row]:
    return {row.call: row for row in rows_of(planned(asked, workspace, kept), workspace,
                                             kept=kept, **more)}  # fmt: skip


def most_at_once(entries: Sequence[Entry]) -> int:
    """How many requests were under way at the same time."""
    edges = [(e.received, 1) for e in entries] + [(e.last or e.received, -1) for e in entries]
    under_way = most = 0
    for _, step in sorted(edges):
        under_way += step
        most = max(most, under_way)
    return most


def models_asked(server: StreamingServer) -> Counter[str]:
    return Counter(entry.body["model"] for entry in server.journal())


def test_each_call_is_a_row(folder: Path, workspace: Workspace, server: StreamingServer) -> None:
    add_remote(folder, server, echo="echo", words="n=3")
    kept = Memory()
    asked = grid(3, "echo", "words", repeats=2, temperature=0.5)
    with watched_loop():
        found = ask(asked, workspace, kept)
    assert set(found) == set(asked.calls())
    assert all(row.ok and not row.reused and not row.cold and row.at for row in found.values())
    assert found[Call(2, 0, 1)].text == '"question 2"'
    assert all(r.reply and r.reply.request.priority == "grid" for r in found.values())  # type: ignore[union-attr]
    assert [row for row in found.values() if kept.rows[row.key] is not row] == []
    assert len(kept.rows) == 12
    bodies = [entry.body for entry in server.journal()]
    assert len(bodies) == 12
    assert all(body["temperature"] == 0.5 and "n" not in body for body in bodies)


def test_four_models_are_asked_at_once_and_times_are_the_scripts(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    names = [f"m{n}" for n in range(4)]
    add_remote(folder, server, **dict.fromkeys(names, "n=4,first=0.2,delay=0.1"))
    found = ask(grid(1, *names), workspace)
    assert most_at_once(server.journal()) == 4
    for row in found.values():
        assert row.reply is not None
        times = row.reply.timings
        assert times.first_token == pytest.approx(0.2, abs=0.1)
        assert times.total == pytest.approx(0.5, abs=0.15)
        assert times.tokens_per_second == pytest.approx(10, rel=0.3)


def test_a_slow_model_takes_no_place_of_the_others(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, slow="stall=0", quick="n=1")
    made = planned(grid(20, "slow", "quick"), workspace)
    rows = run(made, workspace)

    async def quick_ones() -> list[Row]:
        async with aclosing(rows):
            return [await anext(rows) for _ in range(20)]

    found = bridge.wait(quick_ones())
    assert {row.call.contestant for row in found} == {1}
    assert 1 <= models_asked(server)["slow"] < 20


def test_stored_answers_come_first_and_are_not_asked(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, a="n=1", b="n=1")
    kept = Memory()
    first = ask(grid(3, "a"), workspace, kept)
    server.clear()
    add_remote(folder, server, a="n=1", b="n=1")
    asked = grid(4, "b", "a")
    made = planned(asked, workspace, kept)
    assert (made.calls, made.reused) == (5, 3)
    assert made.facts.contestants[1].seconds is not None  # as the earlier ones have shown
    found = rows_of(made, workspace, kept=kept)
    assert [row.reused for row in found] == [True] * 3 + [False] * 5
    assert {(row.call, row.text) for row in found[:3]} == {
        (Call(call.case, 1), row.text) for call, row in first.items()
    }
    assert models_asked(server) == {"a": 1, "b": 4}
    assert all(row.reused for row in ask(asked, workspace, kept).values())


def test_an_error_is_a_row_and_only_retry_asks_again(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, good="n=2", bad="error=invalid_request", cut="n=9,cut=4")
    kept = Memory()
    asked = grid(2, "good", "bad", "cut", "nobody")
    found = ask(asked, workspace, kept)
    assert [found[Call(0, i)].ok for i in range(4)] == [True, False, False, False]
    assert found[Call(1, 1)].error.startswith("BadRequest: ")
    assert "\n" not in found[Call(1, 1)].error
    assert found[Call(1, 1)].reply is None
    cut = found[Call(0, 2)]
    assert cut.error.startswith("StreamBroken: ")
    assert cut.reply is not None
    assert len(cut.text.split()) == 4
    assert found[Call(1, 3)].error.startswith("ModelNotFound: ")
    server.clear()
    add_remote(folder, server, good="n=2", bad="n=1", cut="n=9")
    again = ask(asked, workspace, kept)
    assert server.journal() == [] or models_asked(server).keys() == {"nobody"}
    assert [again[Call(0, i)].error for i in (1, 2)] == [found[Call(0, i)].error for i in (1, 2)]
    made = planned(asked, workspace, kept, retry=True)
    mended = {row.call: row for row in rows_of(made, workspace, kept=kept, retry=True)}
    assert [mended[Call(0, i)].ok for i in range(4)] == [True, True, True, False]
    assert models_asked(server) == {"bad": 2, "cut": 2}


def test_a_model_that_nobody_can_ask_is_asked_once(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, locked="error=invalid_api_key", good="n=1")
    found = ask(grid(30, "locked", "good"), workspace)
    assert Counter(row.ok for row in found.values()) == {True: 30, False: 30}
    assert {row.error.split(":")[0] for row in found.values() if not row.ok} == {
        "AuthenticationFailed"
    }
    assert models_asked(server)["locked"] <= 8  # those that were under way when the first failed


@pytest.mark.slow  # each connection is tried three times
def test_a_server_that_is_not_there_is_not_asked_for_ever(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, here="n=1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        add_model(folder, "gone", engine="openai", settings={"base_url": address})
        found = ask(grid(100, "gone", "here"), workspace)
    assert {row.error.split(":")[0] for row in found.values() if not row.ok} == {"ConnectionFailed"}
    assert Counter(row.ok for row in found.values()) == {True: 100, False: 100}


def test_a_refusal_is_waited_out_and_slows_down(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    refused = "error=rate_limit_exceeded,retry_after=0.05,times=5,n=1"
    add_remote(folder, server, busy=refused)
    found = ask(grid(12, "busy"), workspace)
    assert all(row.ok for row in found.values())
    entries = server.journal()
    assert Counter(entry.status for entry in entries) == {200: 12, 429: 5}
    waited = [row.reply for row in found.values() if row.reply and row.reply.notes]
    assert waited  # what was asked again has no times that are not its own
    assert all(r.timings.first_token is None and r.timings.total is None for r in waited)


def test_what_is_refused_again_and_again_is_asked_again_by_the_run(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    # An engine itself asks three times, so this one fails twice before it is answered.
    add_remote(folder, server, busy="error=server_is_overloaded,retry_after=0.01,times=7,n=1")
    found = ask(grid(1, "busy"), workspace)
    assert found[Call(0, 0)].ok
    assert [entry.status for entry in server.journal()] == [503] * 7 + [200]


def test_a_wait_that_is_too_long_is_an_error(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, busy="error=rate_limit_exceeded,retry_after=86400")
    found = ask(grid(1, "busy"), workspace)
    assert found[Call(0, 0)].error.startswith("RateLimited: ")
    assert len(server.journal()) == 1


def test_turns_are_asked_after_the_contestants_own_answers(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, echo="echo", words="n=2")
    threads = Grid((case("one", "two", "three"), case("one")), (
        Contestant("E", "echo"), Contestant("W", "words"),
    ))  # fmt: skip
    kept = Memory()
    found = ask(threads, workspace, kept)
    assert found[Call(0, 0)].text == '"three"'
    assert len({row.key for row in found.values()}) == 4  # a thread is not its first question
    said = [
        [message["content"] for message in entry.body["messages"]]
        for entry in server.journal()
        if entry.body["model"] == "echo" and len(entry.body["messages"]) == 5
    ]
    assert said == [["one", '"one"', "two", '"two"', "three"]]
    reply = found[Call(0, 1)].reply
    assert reply is not None
    assert reply.usage.completion == 6  # of all three


def test_a_turn_that_fails_is_the_rows_error(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, late="n=2")
    found = ask(Grid((case("one", " "),), (Contestant("late", "late"),)), workspace)
    assert found[Call(0, 0)].ok  # a turn may be blank where the conversation is not
    add_remote(folder, server, late="n=4,cut=2")
    found = ask(Grid((case("one", "two"),), (Contestant("late", "late"),)), workspace)
    assert found[Call(0, 0)].error.startswith("StreamBroken: ")
    assert {len(entry.body["messages"]) for entry in server.journal()[2:]} == {1}


def test_contestants_have_parameters_and_settings_of_their_own(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, a="n=1", other="echo")
    asked = Grid(
        (case("hi"),),
        (
            Contestant("cold", "a", {"temperature": 0}),
            Contestant("warm", "openai:a", {"top_p": 0.5}, {"model": "other"}),
        ),
        parameters={"temperature": 1.0, "max_tokens": 5},
    )
    found = ask(asked, workspace)
    sent = {e.body["model"]: e.body for e in server.journal()}
    assert (sent["a"]["temperature"], sent["other"]["temperature"]) == (0, 1.0)
    assert sent["other"]["top_p"] == 0.5
    assert found[Call(0, 1)].text == '"hi"'


def test_a_budget_of_calls_ends_in_order(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, a="n=1", b="n=1")
    kept, told = Memory(), list[Progress]()
    made = planned(grid(20, "a", "b"), workspace, kept)
    found = rows_of(made, workspace, kept=kept, budget=Budget(calls=7), tell=told.append)
    assert len(found) == 7 == len(server.journal()) == len(kept.rows)
    assert all(row.ok for row in found)
    assert told[-1].ended == "the budget of 7 calls is spent"
    assert [*map(str, told[-1].states)] == ["stopped", "stopped"]
    rest = ask(grid(20, "a", "b"), workspace, kept)
    assert len(rest) == 40 == len(server.journal())


def test_a_budget_of_money_ends_what_costs_some(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, dear="n=10", free="n=1")
    made = planned(grid(20, "dear", "free"), workspace)
    dear = replace(made.facts.contestants[0], paid=True, price=Price(0, 100_000))
    made = plan(made.grid, Facts((dear, made.facts.contestants[1])))
    found = rows_of(made, workspace, budget=Budget(money=5.0))
    costs = [row.cost for row in found if row.call.contestant == 0]
    assert costs == pytest.approx([1.0] * 5)
    assert sum(row.call.contestant == 1 for row in found) == 20
    unknown = plan(made.grid, Facts((replace(dear, price=None), made.facts.contestants[1])))
    with pytest.raises(errors.UsageError, match="price of dear is not known"):
        rows_of(unknown, workspace, budget=Budget(money=5.0))
    for wrong in (Budget(calls=0), Budget(money=-1.0)):
        with pytest.raises(errors.UsageError, match="more than 0"):
            rows_of(made, workspace, budget=wrong)


def test_what_an_answer_costs_is_its_rows(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, priced="n=10,cached=0", free="n=1")
    price = {"price": {"prompt": 0, "completion": 100_000}}
    add_model(folder, "priced", engine="openai", metadata=price)
    found = ask(grid(1, "priced", "free"), workspace)
    assert found[Call(0, 0)].cost == pytest.approx(1.0)
    assert found[Call(0, 1)].cost is None  # nobody knows


def test_a_stop_keeps_what_has_ended_and_closes_the_rest(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, quick="n=1", hangs="n=5,stall=2")
    kept = Memory()
    made = planned(grid(6, "quick", "hangs"), workspace, kept)
    seen = Watched()
    rows = bridge.iterate(run(made, workspace, kept=kept, watcher=seen))
    found = [next(rows) for _ in range(6)]
    seen.wait("".join(tokens(2)))
    rows.close()
    gone = [e for e in server.wait("closed") if e.body["model"] == "hangs" and e.first]
    assert all(entry.closed for entry in gone)
    cut = [row for row in kept.rows.values() if not row.ok]
    assert {row.key for row in (*found, *cut)} == set(kept.rows)
    assert {row.error for row in cut} == {"stopped"}
    assert max((row.text for row in cut), key=len) == "".join(tokens(2))
    assert all("".join(tokens(2)).startswith(row.text) for row in cut)
    server.behave("hangs", "n=5")
    asked = len(server.journal())
    assert len(ask(made.grid, workspace, kept, retry=True)) == 12
    assert len(server.journal()) == asked + 6


def test_whoever_watches_sees_each_piece(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, echo="echo", words="n=30")
    asked = replace(grid(2, "echo", "words"), cases=(case("one"), case("two", "three")))
    seen = Watched()
    found = {row.call: row for row in rows_of(planned(asked, workspace), workspace, watcher=seen)}
    assert seen.texts == {call: row.text for call, row in found.items()}
    assert Counter(seen.begun) == {(0, 0, 0): 1, (0, 1, 0): 1, (1, 0, 0): 2, (1, 1, 0): 2}


def test_one_contestant_is_stopped_and_the_rest_goes_on(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, quick="n=1", hangs="n=5,stall=2")
    kept, brake, told = Memory(), Brake(), list[Progress]()
    made = planned(grid(6, "quick", "hangs"), workspace, kept)
    seen = Watched()
    rows = run(made, workspace, kept=kept, brake=brake, watcher=seen, tell=told.append)
    found = []
    for row in bridge.iterate(rows):
        found.append(row)
        if len(found) == 6:  # the others hang
            seen.wait("".join(tokens(2)))
            bridge.loop().call_soon_threadsafe(brake.pull, 1)
    whole = [row for row in found if row.ok]
    assert {row.call.contestant for row in whole} == {0}
    assert len(whole) == 6
    cut = [row for row in found if not row.ok]
    assert {(row.call.contestant, row.error) for row in cut} == {(1, "stopped")}
    assert max((row.text for row in cut), key=len) == "".join(tokens(2))
    assert [*map(str, told[-1].states)] == ["done", "stopped"]
    assert told[-1].ended == ""
    assert [one.done for one in told[-1].states] == [6, len(cut)]


def test_what_is_stopped_before_it_begins_asks_nothing(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, a="n=1", b="n=1")
    brake, told = Brake(), list[Progress]()
    brake.pull()
    made = planned(grid(6, "a", "b"), workspace)
    assert rows_of(made, workspace, brake=brake, tell=told.append) == []
    assert server.journal() == []
    assert told[-1].ended == "stopped"


def test_what_cannot_be_kept_ends_the_run(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    class Full(Memory):
        async def append(self, row: Row, /) -> None:
            if len(self.rows) >= 3:
                raise errors.CannotWrite("The disk is full.")
            await super().append(row)

    add_remote(folder, server, a="n=1")
    kept = Full()
    made = planned(grid(30, "a"), workspace, kept)
    found: list[Row] = []
    with pytest.raises(errors.CannotWrite, match="full"):
        found.extend(bridge.iterate(run(made, workspace, kept=kept)))
    assert len(found) >= 3
    assert {row.key for row in found} == kept.rows.keys()


def test_what_is_left_grows_while_nothing_ends() -> None:
    told = Progress(8, 0, 0, 16, 5.0, 2.0, (), at=monotonic() - 10)
    assert told.later().left == pytest.approx(6.0, rel=0.01)
    assert told.later().later().left == pytest.approx(6.0, rel=0.01)
    assert replace(told, left=None).later().left is None


def test_progress_tells_all_the_way(
    folder: Path, workspace: Workspace, server: StreamingServer
) -> None:
    add_remote(folder, server, a="n=1", bad="error=invalid_request")
    told: list[Progress] = []
    made = planned(grid(5, "a", "bad"), workspace)
    rows_of(made, workspace, tell=told.append)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert (told[0].done, told[0].left) == (0, None)
    assert [*map(str, told[0].states)] == ["waiting", "waiting"]
    last = told[-1]
    assert (last.done, last.failed, last.reused, last.total) == (10, 5, 0, 10)
    assert last.left == 0
    assert [*map(str, last.states)] == ["done", "done"]
    assert str(last) == "10 of 10 · 5 failed"

    def broken(progress: Progress) -> None:
        raise ValueError

    assert len(rows_of(made, workspace, tell=broken)) == 10


# A model on this machine --------------------------------------------------------------------------


@pytest.fixture
def loads(workspace: Workspace) -> Iterator[Callable[[], Sequence[str]]]:
    """Which models were loaded, in their order; whatever runs is unloaded at the end."""
    states: list[tuple[str, str]] = []

    def see(event: Event) -> None:
        if event.state in ("loading", "answering", "unloaded"):
            states.append((event.model, event.state))

    unwatch = workspace.router.watch(see)
    yield lambda: [m for i, (m, s) in enumerate(states)
                   if s == "loading" and (m, s) not in states[i - 1 : i]]  # fmt: skip
    unwatch()
    for each in bridge.wait(workspace.router.running()):
        bridge.wait(workspace.router.unload(each.model))


def test_two_settings_of_a_local_model_are_loaded_as_planned(
    workspace: Workspace, loads: Callable[[], Sequence[str]]
) -> None:
    mini = workspace.models.default().id
    asked = Grid(
        tuple(case(f"What is 1 + {n}?") for n in range(3)),
        (
            Contestant("a", mini, {"max_tokens": 4}),
            Contestant("b", mini, {"max_tokens": 4}, {"ctx_len": 1024}),
            Contestant("c", mini, {"max_tokens": 3}),
        ),
        repeats=2,
        parameters={"temperature": 0.0},
    )
    made = planned(asked, workspace)
    assert made.loads == 2
    assert [stage.contestants for stage in made.stages] == [(0, 2), (1,)]
    found = {row.call: row for row in rows_of(made, workspace)}
    assert len(found) == 18
    assert all(row.ok for row in found.values())
    assert loads() == [mini] * 2
    assert sum(row.cold for row in found.values()) == 2
    for row in found.values():
        assert row.reply is not None
        assert row.reply.timings.load is not None
    assert [each.model for each in bridge.wait(workspace.router.running())] == [mini]


def test_with_memory_for_one_three_models_are_loaded_three_times(
    folder: Path, workspace: Workspace, loads: Callable[[], Sequence[str]]
) -> None:
    file = workspace.models.default().file
    assert file is not None
    names = ["one", "two", "three"]
    for name in names:
        settings = {"llama_model_path": str(file), "ctx_len": 512}
        add_model(folder, name, engine=workspace.models.default().engine, settings=settings)
    asked = grid(4, *names, repeats=2, max_tokens=2)
    facts = planned(asked, workspace).facts
    tight = tuple(replace(f, room=int(1.5 * (f.memory or 0))) for f in facts.contestants)
    made = plan(asked, Facts(tight))
    assert made.loads == 3
    found = rows_of(made, workspace)
    assert len(found) == 24
    assert all(row.ok for row in found)
    assert loads() == names
    assert [row.call.contestant for row in found] == [0] * 8 + [1] * 8 + [2] * 8
    assert [each.model for each in bridge.wait(workspace.router.running())] == ["three"]


def test_models_that_push_each_other_out_are_asked_one_after_the_other(
    folder: Path, workspace: Workspace, loads: Callable[[], Sequence[str]]
) -> None:
    mini = workspace.models.default()
    assert mini.file is not None
    for name in ("one", "two"):
        settings = {"llama_model_path": "model.gguf", "ctx_len": 512}
        path = add_model(folder, name, engine=mini.engine, settings=settings)
        path.with_name("model.gguf").write_bytes(mini.file.read_bytes())
    made = planned(grid(10, "one", "two", max_tokens=2), workspace)
    assert [stage.contestants for stage in made.stages] == [(0, 1)]

    class Tight(Memory):
        async def append(self, row: Row, /) -> None:
            if not any(known.call.contestant == 0 for known in self.rows.values()):
                await workspace.router.unload("one")  # as if the other needed its memory
            await super().append(row)

    found = rows_of(made, workspace, kept=Tight())
    order = [row.call.contestant for row in found]
    again = [i for i, row in enumerate(found) if row.cold and not row.call.contestant][1]
    assert order[again:] == sorted(order[again:])
    assert len(found) == 20
    assert sorted(loads()) == ["one", "one", "two"]


def test_repeats_share_the_prompt_where_there_are_slots(
    workspace: Workspace, loads: Callable[[], Sequence[str]]
) -> None:
    mini = workspace.models.default().id
    asked = Grid(
        (case("Hello"),),
        (Contestant("a", mini, {"temperature": 1.0}, {"n_parallel": 3}),),
        repeats=3,
        parameters={"max_tokens": 5},
    )
    kept = Memory()
    found = ask(asked, workspace, kept)
    assert len(found) == 3
    assert [found[Call(0, 0, n)].ok for n in range(3)] == [True] * 3
    assert len({row.key for row in found.values()}) == 3
    replies = [found[Call(0, 0, n)].reply for n in range(3)]
    assert [r.timings.total is not None for r in replies if r] == [True, False, False]
    assert all(r.request is not None and r.request.choices == 3 for r in replies if r)
    assert all(row.reused for row in ask(asked, workspace, kept).values())


def test_a_model_that_cannot_be_loaded_fails_its_rows_only(
    folder: Path, workspace: Workspace, loads: Callable[[], Sequence[str]]
) -> None:
    mini = workspace.models.default()
    (folder / "models" / "broken").mkdir(parents=True)
    assert mini.file is not None
    (folder / "models" / "broken" / "broken.gguf").write_bytes(mini.file.read_bytes()[:100_000])
    add_model(folder, "broken", engine=mini.engine, settings={"llama_model_path": "broken.gguf"})
    found = ask(grid(3, "broken", mini.id, max_tokens=2), workspace)
    assert [found[Call(n, 0)].ok for n in range(3)] == [False] * 3
    assert [found[Call(n, 1)].ok for n in range(3)] == [True] * 3
