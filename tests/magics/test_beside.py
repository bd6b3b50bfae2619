"""`%jan compare with …` and `%jan replay …` in a real kernel."""

from __future__ import annotations

from jan_jupyter.commands.notebook.compare import asks_model
from jan_jupyter.magics.lines import parse_line
from jan_jupyter.output_forms import REPLY
from support.kernel import Kernel, Result, only_output
from support.server import StreamingServer, tokens

BEHAVIOURS = {"echo": "echo", "five": "n=5", "four": "n=4"}
FIVE, FOUR = "".join(tokens(5)), "".join(tokens(4))


def sent(server: StreamingServer) -> list[tuple[str, list[str]]]:
    return [(e.body["model"], [m["content"] for m in e.body["messages"]]) for e in server.journal()]


def wrong(result: Result) -> str:
    assert result.error is not None
    return result.error.evalue


def test_others_answer_beside_the_last_answer(ask: Kernel, server: StreamingServer) -> None:
    """The answer that is there is not asked for again, and is in the store from then on."""
    ask.execute("name = 'Rome'")
    ask.execute("%%jan five -s 'Be brief.' -p temperature=0.5\nWhere is {name}?")
    only_output(ask.execute("%jan compare with four echo --as c"))
    asked = ["Be brief.", "Where is Rome?"]
    assert sorted(sent(server)) == [(name, asked) for name in ("echo", "five", "four")]
    assert {e.body["temperature"] for e in server.journal()} == {0.5}
    code = "print([(one.name, c[0, one.name].text) for one in c.grid.contestants])"
    shown = [("five", FIVE), ("four", FOUR), ("echo", '"Where is Rome?"')]
    assert ask.execute(code).text == f"{shown}\n"
    ask.execute("%%jan -m five -m four -s 'Be brief.' -p temperature=0.5\nWhere is {name}?")
    assert len(server.journal()) == 3


def test_a_conversation_goes_along_and_an_answer_may_be_named(
    ask: Kernel, server: StreamingServer
) -> None:
    ask.execute("%%jan five\none")
    ask.execute("%%jan five -c --as second\ntwo")
    ask.execute("%%jan four\nsomething else")
    only_output(ask.execute("%jan compare with four --of second"))
    assert sent(server)[-1] == ("four", ["one", FIVE, "two"])
    assert len(server.journal()) == 4
    assert "no answer" in wrong(ask.execute("x = 1\n%jan compare with four --of x"))
    assert "dry" not in ask.execute("%jan compare with four --of second --dry-run").text
    assert len(server.journal()) == 4


def test_an_answer_may_be_named_as_its_output_names_it(
    ask: Kernel, server: StreamingServer
) -> None:
    name = only_output(ask.execute("%%jan five\nred"))["data"][REPLY]["name"]
    ask.execute("%%jan five\nblue")
    only_output(ask.execute(f"%jan compare with four --of {name}"))
    assert sent(server)[-1] == ("four", ["red"])
    code = "import jan_jupyter as jan\nkept = jan.chat('green', 'five')\nkept"
    name = only_output(ask.execute(code))["data"][REPLY]["name"]
    only_output(ask.execute(f"%jan compare with four --of {name}"))
    assert sent(server)[-1] == ("four", ["green"])
    assert "run its cell again" in wrong(ask.execute("%jan compare with four --of 0123abcd"))


def test_there_is_nothing_to_compare_with(ask: Kernel) -> None:
    assert "nothing has been answered" in wrong(ask.execute("%jan compare with five"))


def test_what_is_a_question_all_the_same(ask: Kernel, server: StreamingServer) -> None:
    ask.execute("%jan use five")
    ask.execute("%jan compare with great care: cats and dogs")
    assert server.journal()[-1].body["messages"][-1]["content"].startswith("compare with great")
    assert asks_model(["Rome", "and", "Bern"])
    assert not asks_model(["with", "anything"])
    assert parse_line("replay the last game").command is None
    assert parse_line("replay trip -m five").command is not None


def test_a_thread_is_replayed_in_one_output(ask: Kernel, server: StreamingServer) -> None:
    for question in ("one", "two"):
        ask.execute(f"%%jan five --thread 'trip to Rome'\n{question}")
    output = only_output(ask.execute("%jan replay 'trip to Rome' -m four -m echo --as again"))
    assert set(output["data"]) >= {"text/plain", "text/html", "text/markdown"}
    assert "as it was" in output["data"]["text/plain"]
    assert sorted(sent(server)[2:]) == sorted(
        [
            ("four", ["one"]),
            ("four", ["one", FOUR, "two"]),
            ("echo", ["one"]),
            ("echo", ["one", '"one"', "two"]),
        ]
    )
    assert ask.execute("print(len(again), again[1, 'as it was'].text)").text == f"6 {FIVE}\n"
    assert "no thread" in wrong(ask.execute("%jan replay nowhere -m four"))
    assert "a thread" in wrong(ask.execute("%jan replay 'trip to Rome' --fresh"))
