"""Whatever is wrong is one clear line, or a row's: waited for and awaited; the rest goes on."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.compare.keeping import writer
from support.disk import full_disk
from support.jan import add_remote
from support.server import StreamingServer, tokens

Compare = Callable[..., jan.Comparison]
FIVE = "".join(tokens(5))


@pytest.fixture(autouse=True)
def models(isolated: Path, server: StreamingServer) -> Iterator[None]:
    add_remote(isolated / "jan", server, echo="echo", five="n=5")
    yield
    bridge.wait(jan.router.close())


def awaited(prompts: Any, models: Any, **options: Any) -> jan.Comparison:
    return asyncio.run(jan.acompare(prompts, models, **options))


def waited(prompts: Any, models: Any, **options: Any) -> jan.Comparison:
    return jan.compare(prompts, models, **options)


@pytest.fixture(params=[waited, awaited], ids=["waited", "awaited"])
def compare(request: pytest.FixtureRequest) -> Compare:
    found: Compare = request.param
    return found


MANY = [*range(1001)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prompts": []}, "nothing to ask"),
        ({"prompts": pd.Series([], dtype=str)}, "nothing to ask"),
        ({"prompts": pd.Series(["a", None])}, "Prompt 2: .* not None"),
        ({"prompts": "  "}, "Prompt 1 is empty"),
        ({"models": []}, "no model to ask"),
        ({"models": [("x", "echo"), (" x ", "five")]}, "x is there twice"),
        ({"models": [("x", "echo"), ("x", "echo", {"seed": 1})]}, "x is there twice"),
        (
            {"prompts": "{b}", "variables": [{"a": 1}]},
            r"names \{b\}, which is no column: there is a",
        ),
        ({"prompts": "{a}", "variables": [{"a": 1}, {"b": 1}]}, r"names \{a\}, .*there is b"),
        ({"prompts": "{a}", "variables": pd.DataFrame({"a": []})}, "`variables` has no row"),
        ({"prompts": "{a}", "variables": pd.DataFrame()}, "`variables` has no row"),
        ({"prompts": "{a}", "variables": pl.DataFrame({"a": []})}, "`variables` has no row"),
        ({"prompts": "{a}", "variables": []}, "`variables` has no row"),
        ({"prompts": "{a}", "variables": 3}, "not 3"),
        ({"prompts": "{a}{b}", "variables": {"a": MANY, "b": MANY}}, "1,002,001 calls"),
        ({"parameters": {"temperature": [0.5] * 1001, "top_k": MANY}}, "1,002,001 calls"),
        ({"repeats": 10**9}, "1,000,000,000 calls"),
        ({"prompts": [*map(str, MANY)], "repeats": 1000}, "1,001,000 calls"),
        ({"parameters": {"temperature": [0, "hot"]}}, "temperature cannot be 'hot'"),
        ({"parameters": {"temperature": []}}, "no value to compare"),
        ({"repeats": 0}, "`repeats` is a whole number"),
        ({"scorers": ["exakt"]}, "Did you mean exact"),
        ({"name": 3}, "name is text"),
        ({"client": "tcp://scheduler:8786"}, "is a dask.distributed.Client"),
    ],
)
def test_what_nobody_can_ask_is_one_line(
    server: StreamingServer, compare: Compare, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(errors.UsageError, match=says) as caught:
        compare(**{"prompts": "a", "models": "echo", **options})
    assert "\n" not in str(caught.value)
    assert server.journal() == []


@pytest.mark.parametrize(
    "budget",
    [0, -1, 0.5, "5", True, {}, [], {"euro": 1}, {"calls": 0}, {"calls": 2.5}, {"calls": True},
     {"calls": "2"}, {"money": 0}, {"money": float("nan")}, {"money": "1"}, {"money": True}],
)  # fmt: skip
def test_a_budget_that_nobody_can_keep_is_one_line(
    server: StreamingServer, compare: Compare, budget: Any
) -> None:
    with pytest.raises(errors.UsageError, match=r"A budget .*, not ") as caught:
        compare(["a", "b"], "echo", budget=budget)
    assert "\n" not in str(caught.value)
    assert server.journal() == []


def test_numbers_of_frames_are_budgets_too(compare: Compare) -> None:
    series = pd.Series([1])
    assert len(compare(["a", "b"], "echo", budget=series.iloc[0])) == 1
    assert len(compare(["a", "b"], "five", budget={"money": float("inf"), "calls": None})) == 2


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([None, "x"]),
        pd.Series([float("nan"), 1.5]),
        pd.Series([pd.NaT, pd.Timestamp("2026-11-29")]),
        pd.array([None, 7], dtype="Int64"),
        pd.Categorical([None, "x"]),
    ],
    ids=lambda column: str(column.dtype),
)
def test_a_value_that_is_missing_is_nothing(compare: Compare, column: Any) -> None:
    frame = pd.DataFrame({"a": column, "wants": column}).set_axis(["first", "second"])
    made = compare(
        "<{a}>", "echo", variables=frame, expected="wants", scorers={"has": lambda text: True}
    )
    assert made["first", "echo"].text == '"<>"'
    assert made.grid.cases[0].expected is None
    assert len(made["second", "echo"].text) > len('"<>"')


def test_a_prompt_of_a_missing_value_alone_is_a_row(compare: Compare) -> None:
    made = compare("{a}", "echo", variables=pd.DataFrame({"a": [None, "x"]}))
    assert [row.ok for row in made] == [False, True]
    assert "empty" in made[0, "echo"].error


def test_a_model_that_is_not_there_is_a_row(compare: Compare) -> None:
    made = compare("Red", ["nobody", "echo", "no-engine:nobody"])
    assert [row.ok for row in made] == [False, True, False]
    assert all("\n" not in row.error for row in made)
    assert "nobody" in made["Red", "nobody"].error


def test_a_scorer_that_raises_is_a_note(compare: Compare) -> None:
    def bad(text: str) -> float:
        raise ZeroDivisionError("twice\nover")

    made = compare("Red", ["echo", "five"], scorers=[bad, "exact"], expected='"Red"')
    for row in made:
        assert row.scores["bad"].value is None
        assert row.scores["bad"].note == "bad failed: ZeroDivisionError: twice over"
    assert [row.scores["exact"].value for row in made] == [True, False]
    assert "bad failed" in repr(made)


@pytest.mark.parametrize("then", ["error=invalid_api_key", "cut=2", "error=model_not_found"])
def test_a_model_that_fails_half_way_takes_nobody_along(
    server: StreamingServer, compare: Compare, then: str
) -> None:
    server.behave("five", f"n=5,after=8,{then}")
    made = compare([f"p{n}" for n in range(40)], ["five", "echo"], name="half")
    assert len(made) == 80
    assert all(row.ok for row in made["echo"])
    assert [row.ok for row in made["five"]].count(True) == 8
    assert all("\n" not in row.error for row in made)
    server.clear()
    server.behave("five", "n=5")
    made.retry()
    assert all(row.text == FIVE for row in made["five"])
    assert len(server.journal()) == 32


def test_a_store_of_a_newer_version_is_not_touched(
    isolated: Path, server: StreamingServer, compare: Compare
) -> None:
    made = compare("Red", "echo", name="before")
    path = isolated / "jan" / "runs" / "runs.sqlite"
    with sqlite3.connect(path) as newer:  # while it is open here, too
        newer.execute(f"PRAGMA user_version={writer.VERSION + 1}")
    newer.close()
    for ask in (
        lambda: compare("Blue", "echo"),
        lambda: compare("Red", "echo", name="before"),
        made.retry,
        lambda: made.vote("Red", "echo", "echo"),
        lambda: [*jan.runs],
        lambda: jan.runs["before"],
    ):
        with pytest.raises(errors.JanError) as caught:
            ask()
        assert "\n" not in str(caught.value)
        if not isinstance(caught.value, errors.UsageError):
            assert "newer version" in str(caught.value)
    assert len(server.journal()) == 1
    with sqlite3.connect(path) as looked:
        assert looked.execute("SELECT count(*) FROM rows").fetchone() == (1,)
    looked.close()


def test_two_kernels_at_one_run(isolated: Path, server: StreamingServer) -> None:
    """Both have all of it, and the run has each call once."""
    server.behave("echo", "echo,first=0.02")
    code = (
        "import jan_jupyter as jan\n"
        "made = jan.compare([f'p{n}' for n in range(40)], 'echo', name='both',"
        " scorers=['exact'], expected='x')\n"
        "print(len(made), sum(row.ok for row in made), made.name)"
    )
    kernels = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for kernel in kernels:
        told = kernel.communicate(timeout=60)[0]
        assert kernel.returncode == 0
        assert told.splitlines()[-1] == "40 40 both"
    assert [*jan.runs] == ["both"]
    kept = jan.runs["both"]
    assert [row.text for row in kept] == [f'"p{n}"' for n in range(40)]
    assert all(row.scores["exact"].value is False for row in kept)
    assert 40 <= len(server.journal()) <= 80


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_full_disk_ends_it_and_loses_nothing(
    isolated: Path, server: StreamingServer, compare: Compare
) -> None:
    long = "x" * 4_000
    kept = compare([f"{n} {long}" for n in range(3)], "echo", name="long")
    assert len(kept) == 3
    more = [f"{n} {long}" for n in range(30)]
    folder = isolated / "jan" / "runs"
    size = max(file.stat().st_size for file in folder.iterdir())
    with full_disk(size + 40_000):
        with pytest.raises(errors.RunNotKept, match="disk is full") as caught:
            compare(more, "echo", name="long")
        assert "\n" not in str(caught.value)
        before = jan.runs["long"]
        assert 3 <= len(before) < 30
        assert all(row.ok for row in before)
    asked = len(server.journal())
    made = compare(more, "echo", name="long")
    assert [row.text for row in made] == [f'"{text}"' for text in more]
    assert len(server.journal()) - asked == 30 - len(before)


@pytest.mark.skipif(sys.platform != "linux", reason="rights of Linux")
def test_a_data_folder_that_is_read_only_is_one_line(isolated: Path) -> None:
    """In a process that gives up root's right to write everywhere; what is kept can be read."""
    waited("Red", "echo", name="kept")
    code = (
        "import asyncio, jan_jupyter as jan\n"
        "print([*jan.runs], jan.runs['kept']['Red', 'echo'].text)\n"
        "for ask in (lambda: jan.compare('Blue', 'echo'),"
        " lambda: asyncio.run(jan.acompare('Blue', 'echo'))):\n"
        "    try: ask()\n"
        "    except jan.JanError as error: print(type(error).__name__, error)\n"
    )
    less = (  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE: from the next program on
        "import ctypes, os, sys\nctypes.CDLL(None).prctl(24, 1, 0, 0, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])\n"
    )
    jan.runs.store.close()
    folder = isolated / "jan" / "runs"
    (folder / "runs.sqlite").chmod(0o400)
    folder.chmod(0o500)
    done = subprocess.run(
        [sys.executable, "-c", less, code], capture_output=True, text=True, check=False
    )
    folder.chmod(0o700)
    assert done.stderr == ""
    read, *refused = [x for x in done.stdout.splitlines() if not x.startswith("Look")]
    assert read == "['kept'] \"Red\""
    assert len(refused) == 2
    for line in refused:
        assert line.startswith("RunNotKept ")
        assert f"{os.sep}runs.sqlite cannot be " in line
