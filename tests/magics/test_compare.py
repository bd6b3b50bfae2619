"""`%%jan -m A -m B`, `%jan compare` and `%jan runs` in a real kernel."""

from __future__ import annotations

import sqlite3

import pytest
from IPython.core.error import UsageError

from jan_jupyter.commands.options import compares
from jan_jupyter.magics.lines import parse_line
from jan_jupyter.magics.options import parse_cell
from support.kernel import Kernel, Received, hearing, only_output
from support.server import StreamingServer, tokens

BEHAVIOURS = {"echo": "echo", "five": "n=5", "stalling": "n=5,stall=2"}
FIVE = "".join(tokens(5))
DOCUMENT = "application/vnd.jan.comparison+json"
KINDS = {"text/plain", "text/html", "text/markdown", DOCUMENT}


@pytest.fixture
def ask(ask: Kernel) -> Kernel:
    ask.execute("import jan_jupyter as jan")
    return ask


def test_a_cell_with_several_models_is_one_output_in_all_forms(
    ask: Kernel, server: StreamingServer
) -> None:
    output = only_output(ask.execute("colour = 'red'\n%jan models\n"))
    output = only_output(ask.execute("%%jan -m echo -m five --repeat 2 --as c\nIs it {colour}?"))
    assert set(output["data"]) == KINDS
    assert "Is it red?" in output["data"]["text/plain"]
    assert len(server.journal()) == 4
    code = "print(type(c).__name__, len(c), c.name, _ is c, c['five'][1].text)"
    assert ask.execute(code).text == f"Comparison 4 c True {FIVE}\n"
    assert ask.execute("print(len(jan.runs['c']))").text == "4\n"


def test_values_of_a_parameter_are_compared(ask: Kernel, server: StreamingServer) -> None:
    only_output(ask.execute("%%jan five --set temperature=0,0.7 -s 'Be brief.' -p top_k=3\nhi"))
    assert {e.body["temperature"] for e in server.journal()} == {0, 0.7}
    assert {e.body["top_k"] for e in server.journal()} == {3}
    assert {e.body["messages"][0]["content"] for e in server.journal()} == {"Be brief."}
    names = "print([one.name for one in _.grid.contestants])"
    assert ask.execute(names).text == "['five · temperature 0', 'five · temperature 0.7']\n"


def test_a_line_compares_too_and_waits_in_a_function(ask: Kernel) -> None:
    only_output(ask.execute("%jan -m echo -m five hello"))
    assert ask.execute("print([row.text for row in _])").text == f"['\"hello\"', '{FIVE}']\n"
    only_output(
        ask.execute("def f():\n    c = %jan -m echo -m five hey\n    return len(c)\nn = f()")
    )
    assert ask.execute("print(n)").text == "2\n"


def test_a_command_takes_frames_scorers_and_what_is_expected(ask: Kernel) -> None:
    ask.execute("cities = [{'city': 'Rome', 'wants': 'Rome?'}, {'city': 'Bern', 'wants': 'x'}]")
    ask.execute("def has(text, expected): return expected in text")
    line = "%jan compare -m echo -m five --over cities --expected wants --scorer has {city}?"
    only_output(ask.execute(line))
    code = (
        "print([row.scores['has'].value for row in _['echo']], _.grid.cases[0].variables['city'])"
    )
    assert ask.execute(code).text == "[True, False] Rome\n"
    ask.execute("some = ['a', 'b']")
    only_output(ask.execute("%jan compare -m echo --prompts some --seed 3"))
    assert ask.execute("print(len(_), _.grid.seed)").text == "2 3\n"


def test_a_ladder_is_one_output_and_a_value(ask: Kernel) -> None:
    ask.execute("few = ['Who are you?']")
    line = "%jan ladder jan-mini --prompts few --set cache_type_k=q8_0 --scorer contains:mini"
    output = only_output(ask.execute(f"{line} --as rungs"))
    assert set(output["data"]) == KINDS - {DOCUMENT}
    assert "Q8_0 · cache_type_k q8_0" in output["data"]["text/plain"]
    code = "print(type(rungs).__name__, rungs.name, _ is rungs, rungs.table()[1]['positions'] > 9)"
    assert ask.execute(code).text == "Ladder rungs True True\n"
    ask.execute("%jan unload jan-mini")


def test_python_shows_it_in_one_output(ask: Kernel) -> None:
    code = "made = jan.compare(['p', 'q'], ['echo', 'five'])"
    output = only_output(ask.execute(code))
    assert set(output["data"]) == KINDS
    assert only_output(ask.execute("made"))["data"] == output["data"]
    assert only_output(ask.execute(f"{code}\nmade"))["data"].keys() == KINDS
    assert only_output(ask.execute("made.score('contains:p')"))["data"].keys() == KINDS


def test_without_the_front_end_it_is_told_how_far_it_is(ask: Kernel) -> None:
    """As in a checkout in which that was not built."""
    ask.execute("from jan_jupyter import assets\nkept = assets.FOLDER")
    ask.execute("assets.FOLDER = type(kept)('nowhere')")
    try:
        output = only_output(ask.execute("jan.compare(['r', 's'], ['echo']);"))
        assert output["data"] == {"text/plain": "2 of 2"}
        output = only_output(ask.execute("%%jan -m echo -m five\nr"))
        assert set(output["data"]) == KINDS - {DOCUMENT}
    finally:
        ask.execute("assets.FOLDER = kept")


def wait_rows(ask: Kernel, sent: str, count: int, subshell: str | None = None) -> None:
    """Until so many calls of a comparison have ended, as a renderer hears it."""
    shown = ask.wait_for(sent, lambda m: m.type == "display_data")
    model = shown.content["data"][DOCUMENT]["live"]["id"]
    ask.custom(model, {"type": "hello", "host": "lab"}, subshell=subshell)
    ended: set[tuple[int, ...]] = set()

    def enough(message: Received) -> bool:
        if message.type == "comm_msg" and message.content["comm_id"] == model:
            event = message.content["data"].get("content") or {}
            rows = event.get("rows") or event.get("comparison", {}).get("rows", ())
            ended.update(tuple(row["call"]) for row in rows)
        return len(ended) >= count

    ask.wait_for(None, enough)


def test_a_winner_answers_the_cells_that_name_nobody(ask: Kernel, server: StreamingServer) -> None:
    ask.execute("made = jan.compare('p', [('kind', 'five', {'system': 'Be kind.', 'top_p': 0.5})])")
    ask.execute("made.use('kind')")
    try:
        assert ask.execute("%jan use").text.endswith(", as kind was compared.\n")
        ask.execute("%%jan\nhi")
        body = server.journal()[-1].body
        assert (body["messages"][0]["content"], body["top_p"]) == ("Be kind.", 0.5)
        ask.execute("%%jan -c\ngo on")
        assert [m["role"] for m in server.journal()[-1].body["messages"]].count("system") == 1
        ask.execute("%%jan five\nhi")
        assert [m["content"] for m in server.journal()[-1].body["messages"]] == ["hi"]
        assert "compared" not in ask.execute("%jan use five").text
        ask.execute("%%jan\nhi")
        assert "top_p" not in server.journal()[-1].body
    finally:
        ask.execute("%config Jan.model = ''")


def test_prices_are_a_mapping_of_the_notebook(ask: Kernel) -> None:
    ask.execute("costs = {'five': {'prompt': 2, 'completion': 10, 'source': 'the contract'}}")
    only_output(ask.execute("%jan compare -m echo -m five --prices costs dear"))
    assert ask.execute("print([row.cost is None for row in _])").text == "[True, False]\n"


def test_a_dry_run_shows_the_plan_and_asks_nothing(ask: Kernel, server: StreamingServer) -> None:
    output = only_output(ask.execute("%%jan -m echo -m five --repeat 3 --dry-run\nplanned"))
    assert "6 calls: 1 prompt × 2 models × 3 repeats" in output["data"]["text/plain"]
    only_output(ask.execute("%jan compare -m echo -m five --dry-run planned"))
    assert server.journal() == []


LOOKING = """
import asyncio, threading
from jan_jupyter.compare.running import facts

def slow(probe=facts.probe, loop=asyncio.get_running_loop()):
    turned = threading.Event()
    loop.call_soon_threadsafe(turned.set)
    turns.append(turned.wait(10))
    return probe()

turns, facts.probe = [], slow
"""
"""The plan waits for the kernel's loop: one that is blocked by it lets it wait in vain."""


@pytest.mark.parametrize(
    "code",
    [
        "%%jan -m echo -m five\nslow",
        "%jan -m echo -m five slower",
        "%%jan -m echo -m five --dry-run\nslow",
        "await jan.acompare('slow', ['echo', 'five'])",
    ],
)
def test_a_kernel_goes_on_while_a_plan_is_made(ask: Kernel, code: str) -> None:
    ask.execute("from jan_jupyter.compare.running import facts; real = facts.probe")
    assert ask.execute(LOOKING).status == "ok"
    assert ask.execute(code).status == "ok"
    assert ask.execute("print(turns); facts.probe = real").text == "[True]\n"


def test_a_plan_is_stopped(ask: Kernel, server: StreamingServer) -> None:
    ask.execute(
        "from jan_jupyter.compare.keeping.store import Store; import threading\n"
        "real, gate = Store.find, threading.Event()\n"
        "Store.find = lambda store, keys: gate.wait(30) and real(store, keys)"
    )
    sent = ask.send("%%jan -m echo -m five --as planned\nnever asked")
    ask.wait_for(sent, lambda message: message.type == "display_data")
    ask.interrupt()
    assert ask.result(sent).status == "error"
    ask.execute("gate.set(); Store.find = real")
    assert server.journal() == []
    only_output(ask.execute("%%jan -m echo -m five --as planned\nnever asked"))
    assert ask.execute("print(len(planned))").text == "2\n"


def test_many_paid_calls_are_asked_about_in_the_cell(ask: Kernel, server: StreamingServer) -> None:
    ask.execute(
        "from jan_jupyter.compare.running import facts; real = facts.is_own_server\n"
        "facts.is_own_server = lambda address: False\nmany = [f'p{n}' for n in range(101)]"
    )
    line = "%jan compare -m echo --prompts many"
    sent = ask.send(line, allow_stdin=True)
    assert ask.answer("n")["prompt"].startswith("This asks for 101 calls that cost money")
    error = ask.result(sent).error
    assert error is not None
    assert error.evalue == "Nothing was asked."
    assert server.journal() == []
    sent = ask.send(line, allow_stdin=True)
    ask.answer("y")
    assert ask.result(sent).status == "ok"
    error = ask.execute("%jan compare -m five --prompts many").error
    assert error is not None
    assert "nobody can be asked here" in error.evalue
    only_output(ask.execute("%jan compare -m five --prompts many --yes"))
    ask.execute("facts.is_own_server = real")
    assert len(server.journal()) == 202


@hearing
def test_a_stop_shows_and_keeps_what_has_come(ask: Kernel, server: StreamingServer) -> None:
    sent = ask.send("%%jan -m echo -m stalling --as part\nstop me")
    wait_rows(ask, sent, 1)
    ask.interrupt()
    result = ask.result(sent)
    assert result.status == "error"
    texts = "print([row.text for row in {} if row.ok])"
    assert ask.execute(texts.format("part")).text == "['\"stop me\"']\n"
    server.behave("stalling", "n=5")
    only_output(ask.execute("%%jan -m echo -m stalling --as part\nstop me"))
    assert ask.execute("print(len(part))").text == "2\n"
    assert len([e for e in server.journal() if e.body["model"] == "echo"]) == 1


@hearing
def test_python_is_stopped_and_gives_what_has_come(ask: Kernel, server: StreamingServer) -> None:
    subshell = ask.create_subshell()
    sent = ask.send("half = jan.compare('stop it', ['echo', 'stalling'])\nprint('goes on')")
    wait_rows(ask, sent, 1, subshell)
    server.wait("first", count=2)
    ask.interrupt()
    result = ask.result(sent)
    assert result.status == "ok", result.error
    assert result.text == "goes on\n"
    kept = only_output(ask.execute("half"))["data"]
    (output,) = [one["data"] for one in result.outputs if "data" in one]
    assert output == kept
    assert kept[DOCUMENT]["ended"] == "stopped"
    cut = ask.execute("print([(row.text, row.error) for row in half])").text
    assert cut.startswith("[('\"stop it\"', '')")


def test_runs_are_listed_shown_renamed_joined_passed_on_and_deleted(ask: Kernel) -> None:
    ask.execute("%%jan -m echo -m five --as one\nfirst")
    ask.execute("%%jan -m echo -m five --as two\nsecond")
    output = only_output(ask.execute("%jan runs one"))
    assert set(output["data"]) == KINDS - {DOCUMENT}
    assert "one" in output["data"]["text/plain"]
    assert "two" not in output["data"]["text/plain"]
    assert "No run" in ask.execute("%jan runs nosuch").text or ask.execute("print(_)").text
    only_output(ask.execute("%jan runs show one"))
    assert ask.execute("print(_.name)").text == "one\n"
    only_output(ask.execute("%jan runs join one two --to both"))
    assert ask.execute("print(len(_), _.name)").text == "4 both\n"
    assert ask.execute("%jan runs rename two zwei").text == "two is now zwei.\n"
    file = ask.folder / "run.jsonl"
    assert ask.execute(f"%jan runs export zwei --to {file}").text == f"Exported to {file}.\n"
    assert ask.execute("%jan runs rm zwei").text == "zwei is deleted.\n"
    assert ask.execute(f"%jan runs import {file}").text == "Imported as zwei: 2 calls.\n"
    assert ask.execute("%jan runs show nosuch").error is not None


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%%jan -m echo -m five --thread t\nhi", "--thread is not for a comparison"),
        ("%%jan -m echo -m five -c\nhi", "-c is not for a comparison"),
        ("%%jan -m echo --repeat 0\nhi", "--repeat 0"),
        ("%%jan -m echo --repeat x\nhi", "--repeat"),
        ("%%jan -m echo -m five --as 1\nhi", "no name for a variable"),
        ("%%jan -m echo -m echo\nhi", "echo is there twice"),
        ("%%jan -m echo -m five\n ", "empty"),
        ("%jan compare", "%jan compare -m MODEL"),
        ("%jan compare -m echo", "one question, or --prompts"),
        ("%jan compare -m echo --prompts nosuch", "no such name"),
        ("%jan compare -m echo --scorer nosuch hi", "no scorer 'nosuch'"),
        ("%jan ladder echo", "no GGUF file here"),
        ("%jan ladder jan-mini", "in one quantisation only"),
        ("%jan runs export one", "--to FILE"),
        ("%%jan echo --set temperature=hot\nhi", "temperature cannot be 'hot'"),
        ("%%jan echo --set temperature=0,9\nhi", "temperature cannot be 9"),
        ("%%jan echo --set temperature=1,1\nhi", "there twice"),
        ("%%jan echo --set =1\nhi", "--set"),
        ("%%jan echo --set nosuch=1,2\nhi", "nosuch is no known parameter"),
        ("%jan compare -m echo --budget 0 hi", "A budget of calls"),
        ("%jan compare -m echo --budget 1.5 hi", "--budget"),
        ("%jan compare -m echo --over nothing {x}", "`variables` has no row"),
        ("%jan compare -m echo --over rows {x}", "names {x}, which is no column"),
        ("%jan compare -m echo --prompts nothing", "nothing to ask"),
        ("%jan compare -m echo --prompts three", "not 3"),
    ],
)
def test_wrong_use_is_one_line(ask: Kernel, server: StreamingServer, code: str, says: str) -> None:
    ask.execute("nothing, rows, three = [], [{'a': 1}], 3")
    error = ask.execute(code).error
    assert error is not None
    assert says in error.evalue
    assert "\n" not in error.evalue.strip()
    assert server.journal() == []


def test_what_fails_on_the_way_is_a_row(ask: Kernel, server: StreamingServer) -> None:
    ask.execute("def bad(text): return 1 / 0")
    line = "%jan compare -m echo -m nobody -m five --scorer bad what fails"
    shown = only_output(ask.execute(line))["data"]["text/plain"]
    assert "ModelNotFound: There is no model 'nobody'" in " ".join(shown.split())
    assert "bad failed: ZeroDivisionError" in shown
    assert ask.execute("print([row.ok for row in _])").text == "[True, False, True]\n"


def test_a_store_of_a_newer_version_is_one_line(ask: Kernel, server: StreamingServer) -> None:
    only_output(ask.execute("%%jan -m echo -m five --as older\nbefore"))
    path = ask.data_folder / "runs" / "runs.sqlite"

    def version(number: int) -> None:
        with sqlite3.connect(path) as newer:
            newer.execute(f"PRAGMA user_version={number}")
        newer.close()

    version(99)
    for code in ("%%jan -m echo -m five\nafter", "%jan -m echo -m five after", "%jan runs"):
        error = ask.execute(code).error
        assert error is not None
        assert "was written by a newer version of jan_jupyter" in error.evalue
        assert len(error.traceback) == 1
    assert len(server.journal()) == 2
    version(1)
    only_output(ask.execute("%%jan -m echo -m five\nafter"))


def test_tab_offers_options_models_and_runs(ask: Kernel) -> None:
    def offered(code: str) -> list[str]:
        return list(ask.complete(code)["matches"])

    ask.execute("%%jan -m echo -m five --as tabbed\nfirst")
    assert {"--set", "--repeat"} <= {*offered("%%jan -m echo --")}
    assert "five" in offered("%jan compare -m f")
    assert "five" in offered("%%jan -m echo -m f")
    for line in ("%%jan -m echo --set te", "%jan -m echo --set te", "%jan compare --set te"):
        assert offered(line) == ["temperature="]
    ask.execute("contented = len")
    assert offered("%jan compare --scorer cont") == ["contains", "contented"]
    assert "tabbed" in offered("%jan runs show t")
    assert "--over" in offered("%jan compare --o")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("compare Rome and Athens", None),
        ("compare -m a -m b Rome and Athens", "compare"),
        ("compare --dry-run -m a hi", "compare"),
        ("ladder jan-mini", "ladder"),
        ("ladder to heaven", None),
        ("runs", "runs"),
        ("runs of luck", None),
        ("runs show x", "runs"),
        ("runs join x y", "runs"),
        ("runs rm", "runs"),
        ("runs show us a way out", None),
    ],
)
def test_what_is_a_command_and_what_a_question(line: str, command: str | None) -> None:
    parsed = parse_line(line)
    assert (parsed.command and parsed.command.name) == command


def test_several_models_or_values_make_a_comparison() -> None:
    assert not compares(parse_cell("echo"))
    assert not compares(parse_cell("-m echo -t 1"))
    for line in ("-m a -m b", "a --repeat 1", "--set top_k=1", "-m a --set stop='[\"x\"]'"):
        assert compares(parse_cell(line))
    assert parse_cell("a --set temperature=0,0.7").sweeps == [("temperature", [0, 0.7])]
    assert parse_cell("a --set 'x=[1, [2]]'").sweeps == [("x", [1, [2]])]
    assert parse_cell("a --set name=b,c").sweeps == [("name", ["b", "c"])]
    with pytest.raises(UsageError):
        parse_cell("a --set x")
