"""Which lines of `%jan` are commands, which are questions, and which are mistakes."""

from __future__ import annotations

import html
from argparse import Namespace
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.oinspect import getdoc

from jan_jupyter import errors
from jan_jupyter.commands.command import Command, arg, pairs, split
from jan_jupyter.commands.notebook import COMMANDS, GROUPS
from jan_jupyter.commands.notebook.help import help_html, help_text
from jan_jupyter.commands.offering import candidates
from jan_jupyter.magics.core import JanMagics
from jan_jupyter.magics.lines import parse_line


def nothing(magics: Any, arguments: Namespace) -> None:
    """A command that does nothing."""


PULL = Command(
    "pull",
    nothing,
    "fetch a model",
    (
        arg("source", help="where from"),
        arg("extra", nargs="*", help="more", candidates=lambda current: [("more", "word")]),
        arg("-q", "--quant", help="which", candidates=lambda current: [("Q4_K_M", "value")]),
        arg("--force", action="store_true", help="again"),
    ),
    details="It goes on where it was stopped.",
)
KEYS = Command("keys", nothing, "keys", (arg("engine", nargs="?"),), secret=True)


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("models", "models", {"filter": ""}),
        ("models  lla ", "models", {"filter": "lla"}),
        ("use 'a b'", "use", {"model": "a b"}),
        ("engines", "engines", {}),
        ("ps", "ps", {}),
        ("load what?", "load", {"model": "what?"}),
        ("set temperature = 0.2", "set", {"pairs": ["temperature", "=", "0.2"]}),
        ("help models", "help", {"command": "models"}),
        ("list", "models", {"filter": ""}),
        ("list lla", "models", {"filter": "lla"}),
        ("list?", "models", {"help": True}),
        ("install qwen3-0.6b", "pull", {"source": "qwen3-0.6b"}),
        ("delete foo", "rm", {"model": "foo"}),
        ("--help", "help", {"command": None}),
        ("-h", "help", {"command": None}),
    ],
)
def test_commands(line: str, name: str, values: dict[str, Any]) -> None:
    parsed = parse_line(line)
    assert parsed.command is COMMANDS[name]
    assert values.items() <= vars(parsed.arguments).items()


@pytest.mark.parametrize(
    "line",
    [
        "models of the solar system",
        "use of semicolons in JS?",
        "set theory for beginners",
        "engines of war",
        "load don't ask",
        "model this as a graph",
        "modles?",
        "list three good books",
        "delete the first line",
        "hello",
        "key facts about rome",
        "what is this?",
        "-- modles",
        "-- models",
    ],
)
def test_questions(line: str) -> None:
    parsed = parse_line(line)
    assert parsed.command is None
    assert parsed.prompt == line.removeprefix("-- ")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("modles", "models"),
        ("Models", "models"),
        ("modles qwen", "models"),
        ("modles -v", "models"),
        ("serch --most 5 qwen", "search"),
        ("laod x", "load"),
        ("instal qwen3-0.6b", "pull"),
        ("--hepl", "help"),
    ],
)
def test_what_is_nearly_a_command_is_not_sent(line: str, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert str(caught.value) == f"Did you mean `%jan {name}`? To ask it: `%jan -- {line}`."


@pytest.mark.parametrize("line", ["kesy set openai sk-secret", "key sk-secret", "keyss sk-secret"])
def test_what_may_hold_a_key_is_not_repeated(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert str(caught.value) == "Did you mean `%jan keys`?"


@pytest.mark.parametrize(
    "line", ["-t nan hi", "-t inf hi", "-p x=NaN hi", "-p x=[-Infinity] hi", "-p x=1e999 hi"]
)
def test_no_number_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match="invalid") as caught:
        parse_line(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["-s it's bad", "--system 'it is bad", '-s a"b c', "-p stop='a b"])
def test_a_quote_that_nothing_closes_is_told(line: str) -> None:
    with pytest.raises(UsageError, match="is not closed"):
        parse_line(line)


def test_a_slip_in_an_option_of_a_command_is_no_question() -> None:
    with pytest.raises(UsageError, match="arguments: --modle x; did you mean --model"):
        parse_line("chat --modle x")


@pytest.mark.parametrize("line", ["models -x", "models --hepl", "load a --fast"])
def test_mistakes_are_one_line(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    word = line.split()[0]
    assert f"See %jan {word}?" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_command_with_options() -> None:
    parsed = PULL.parse("hf:a/b --quant Q4 c --force -- -d")
    assert parsed is not None
    assert (parsed.source, parsed.extra) == ("hf:a/b", ["c", "-d"])
    assert (parsed.quant, parsed.force) == ("Q4", True)
    with pytest.raises(errors.UsageError, match=r"%jan pull: .*SOURCE.* See %jan pull\?"):
        PULL.parse("")
    with pytest.raises(errors.UsageError, match="did you mean --force"):
        PULL.parse("x --forec")
    for line in ("openai sk-secret please", "openai sk-secret", "openai --key=sk-secret"):
        with pytest.raises(errors.UsageError) as raised:
            KEYS.parse(line)  # never a question: it may hold a key
        assert "sk-" not in str(raised.value)


def test_words_keep_quotes_together_and_backslashes() -> None:
    assert split(r'C:\Users\me "a b" c="d e" it' "s '{\"a\": 1}'") is not None
    assert split(r"C:\Users\me 'a b' k='{\"a\": 1}'")[0] == r"C:\Users\me"
    assert split("""k='{"a": 1}' don't""") == ['k={"a": 1}', "don't"]


def test_pairs() -> None:
    assert pairs(["a=1", "b", "=", "2", "c=", "3", "d=", "e=4"]) == [
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
        ("d", ""),
        ("e", "4"),
    ]
    assert pairs(["a", "1"]) == [("a", "1")]
    assert pairs(["stop=a b=c"]) == [("stop", "a b=c")]


def test_help() -> None:
    assert parse_line("models?").arguments.help
    assert parse_line("models --help").arguments.help
    assert parse_line("models -h").arguments.help
    said = " ".join(help_text(GROUPS).split())
    assert all(f"%jan {command.usage}" in said for command in COMMANDS.values())
    assert all(html.escape(command.help) in help_html(GROUPS) for command in COMMANDS.values())
    assert "[-h]" not in help_text(GROUPS)
    assert getdoc(JanMagics.jan) == help_text(GROUPS).strip()  # `%jan?`
    for word in ("%jan pull", "SOURCE", "where from", "--quant", "It goes on", "Fetch a model."):
        assert word in PULL.page


def test_completion_of_arguments() -> None:
    def offered(before: list[str], current: str) -> list[str]:
        return [text for text, _ in PULL.candidates(before, current)]

    assert offered([], "--") == ["--quant", "--force", "--help"]
    assert offered(["--quant"], "") == ["Q4_K_M"]
    assert offered(["x"], "") == offered(["x", "y"], "") == ["more"]
    assert offered([], "") == []
    assert ("models", "command") in list(candidates(False, ["help"], ""))
    assert list(candidates(False, ["models", "x"], "")) == []
