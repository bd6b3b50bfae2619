"""What is done from a terminal: answers on stdout, the rest on stderr, exit codes, JSON."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from argparse import SUPPRESS
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jan_jupyter.cli import running
from jan_jupyter.cli.commands import COMMANDS, GROUPS
from jan_jupyter.cli.terminal import worded
from jan_jupyter.commands.notebook import COMMANDS as IN_CELLS
from jan_jupyter.threads import ThreadMessage, ThreadStore
from support.hub import Hub
from support.jan import add_model
from support.terminal import Program

from .conftest import SCRIPT, Jan

ROOT = Path(__file__).parents[2]
MINI = ROOT / "jan_jupyter" / "data" / "models" / "jan-mini" / "jan-mini.gguf"
SECRET = "sk-canary-of-the-command-line"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add("org/Mini-GGUF/Mini-Q8_0.gguf", MINI.read_bytes())
        body = b"GGUF\3\0\0\0" + bytes(16) + random.Random(1).randbytes(12_000_000)
        hub.add("org/Slow-GGUF/Slow-Q4_K_M.gguf", body)
        yield hub


# The frame ----------------------------------------------------------------------------------------


def test_the_page_of_commands_and_those_of_each(
    jan: Jan, here: Jan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    page = jan("--help")
    assert (page.code, page.err) == (0, "")
    assert page.out == here("help").out
    for name, entry in COMMANDS.items():
        assert re.search(rf"^  {name} ", page.out, re.MULTILINE)
        told = here(name, "--help")
        assert (told.code, told.err) == (0, "")
        assert told.out.startswith(f"jan-jupyter {name} ")
        assert "%jan" not in told.out
        assert max(map(len, told.out.splitlines())) <= 70
        for argument in entry.command.arguments:
            if argument.options.get("help") != SUPPRESS:
                assert {argument.names[-1], argument.options.get("metavar")} & {*told.out.split()}
    nothing = here()
    assert (nothing.code, nothing.out, nothing.err) == (2, "", page.out)
    assert here("--version").out.startswith("jan-jupyter 0.")


def test_arguments_are_those_of_cells() -> None:
    for name in {*COMMANDS} & {*IN_CELLS} - {"chat", "compare"}:
        there, here = IN_CELLS[name].arguments, COMMANDS[name].command.arguments
        assert here[: len(there)] == there, name
    for entries in GROUPS.values():
        for entry in entries:
            if entry.declared.name not in ("serve", "completion", "chat", "compare"):
                assert entry.shape, f"{entry.declared.name} has no --json"


@pytest.mark.parametrize(
    ("in_a_cell", "here"),
    [
        ("`%jan models` lists all", "`jan-jupyter models` lists all"),
        ("m is a model now: %%jan m", "m is a model now: jan-jupyter chat -m m"),
        ("`%%jan --thread NAME`", "`jan-jupyter chat --thread NAME`"),
        ("See %jan models?.", "See jan-jupyter models --help."),
        ("set `%config Jan.local_only = False`", "set `JAN_LOCAL_ONLY=False`"),
        ("JAN_MODEL, or `%config Jan.model`.", "JAN_MODEL."),
        ("at 5 %", "at 5 %"),
    ],
)
def test_what_is_said_of_cells_is_said_of_a_terminal(in_a_cell: str, here: str) -> None:
    assert worded(in_a_cell) == here


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("modles", 2, "no command 'modles'; did you mean models? See jan-jupyter --help."),
        ("models --vebrose", 2, "did you mean --verbose? See jan-jupyter models --help."),
        ("show", 2, "MODEL. See jan-jupyter show --help."),
        ("show nothing", 1, "Nearest: jan-mini. `jan-jupyter models` lists all."),
        ("rm jan-mini --yes", 1, "jan-mini"),
        ("load nothing", 1, "There is no model 'nothing'"),
        ("import nowhere.gguf", 1, "nowhere.gguf"),
        ("engines nothing", 1, "nothing"),
        ("threads show nothing", 1, "nothing"),
        ("completion tcsh", 2, "tcsh"),
        ("serve --port many", 2, "invalid port value: 'many'"),
        ("load --keep-alive nan", 2, "invalid number value: 'nan'"),
    ],
)
def test_what_is_wrong_is_one_line_on_stderr(here: Jan, line: str, code: int, says: str) -> None:
    for words in (line.split(), [*line.split(), "--json"]):
        if words[0] in ("modles", "serve", "completion") and "--json" in words:
            continue
        ended = here(*words)
        assert (ended.code, ended.out) == (code, ""), ended
        assert says in ended.err
        assert ended.err.startswith("jan-jupyter: ")
        assert ended.err.count("\n") == 1
        assert "%jan" not in ended.err


def test_a_fault_of_ours_is_a_line_too() -> None:
    code = """
import sys
import jan_jupyter.cli.running as running
running._done = lambda entry, arguments: 1 / 0
from jan_jupyter.cli import main
sys.exit(main(["models"]))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("jan-jupyter: ZeroDivisionError: ")
    assert ended.stderr.count("\n") == 1


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for words in (["models"], ["models", "--json"], ["--help"]):
        done = subprocess.run(
            [SCRIPT, *words], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (141, "")
    os.close(writing)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("--help >&-", 0, ""),
        ("models >&-", 0, ""),
        ("models 2>&-", 0, ""),
        ("models --json > /dev/full", 1, "No space left on device"),
        ("keys set openai <&-", 2, "Nobody can be asked"),
        ("show $'\\xff'", 1, "There is no model"),
    ],
)
def test_streams_that_take_nothing(isolated: Path, line: str, code: int, says: str) -> None:
    bash = ["bash", "-c", f'"$0" {line}', str(SCRIPT)]
    for env in (os.environ, {**os.environ, "PYTHONUNBUFFERED": "1"}):
        done = subprocess.run(bash, capture_output=True, text=True, timeout=60, env=env)
        assert done.returncode == code
        assert says in done.stderr
        assert done.stderr.count("\n") == bool(says)


def test_what_fails_is_told_where_on_request(here: Jan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what the system refuses, which is no fault of what is written to."""

    def refused(words: Sequence[str]) -> int:
        raise PermissionError(13, "Permission denied", "model.json")

    monkeypatch.setattr(running, "_run", refused)
    assert here("models").err == "jan-jupyter: [Errno 13] Permission denied: 'model.json'\n"
    monkeypatch.setenv("JAN_DEBUG", "1")
    with pytest.raises(PermissionError, match=r"model\.json"):
        here("models")


def test_letters_that_a_terminal_lacks_are_replaced(jan: Jan) -> None:
    plain = {"PYTHONIOENCODING": "ascii"}
    assert "? ready" in jan("models", env=plain).out
    assert jan("models", "--json", env=plain).json()


def test_colours_are_for_terminals(jan: Jan, isolated: Path) -> None:
    add_model(isolated / "jan", "remote", engine="openai")

    def seen(env: dict[str, str]) -> str:
        path = {"PATH": f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"}
        with Program(isolated, ["jan-jupyter", "models"], env={**path, **env}) as program:
            assert program.end() == 0
            return program.bytes().decode()

    assert "\x1b[33m○ needs key\x1b[0m" in seen({})
    assert "\x1b" not in seen({"NO_COLOR": "1"})
    assert "\x1b" not in seen({"TERM": "dumb"})
    piped = jan("models")
    assert "\x1b" not in piped.out
    # A line for each row: it is found by what reads lines, however wide the terminal is.
    (row,) = [line for line in piped.out.splitlines() if "remote" in line]
    assert "jan-jupyter keys set openai" in row


# Models -------------------------------------------------------------------------------------------


def test_models_and_one_of_them(jan: Jan, data_folder: Path) -> None:
    add_model(data_folder, "remote", engine="openai", settings={"api_key": SECRET})
    assert re.search(r"^jan-mini \(default\) .*● ready$", jan("models").out, re.MULTILINE)
    listed = {model["id"]: model for model in jan("models", "--json").json()}
    assert {*listed} == {"jan-mini", "remote"}
    assert listed["jan-mini"]["state"] == "ready"
    assert listed["jan-mini"]["object"] == "model"
    assert [m["id"] for m in jan("models", "--json", "REMO").json()] == ["remote"]
    assert jan("models", "--json", "nothing").json() == []
    shown = jan("show", "jan-mini", "--json").json()
    assert shown == listed["jan-mini"]
    assert SECRET not in jan("show", "remote").out + jan("show", "remote", "--json").out
    assert "Jan mini" in jan("show", "jan-mini").out


def test_a_model_is_imported_edited_and_removed(
    jan: Jan, data_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "my weights.gguf"
    file.write_bytes(MINI.read_bytes())
    made = jan("import", str(file), "--as", "mine", "--copy", "--json").json()
    assert (made["id"], made["state"]) == ("mine", "ready")
    assert jan("edit", "mine", "ctx_len=512", "--json").json()["settings"]["ctx_len"] == 512
    asked = jan("rm", "mine")
    assert (asked.code, asked.out) == (2, "")
    assert "--yes deletes mine (2.9 MB)" in asked.err
    assert (data_folder / "models" / "mine").is_dir()
    removed = jan("rm", "mine", "--yes")
    assert (removed.code, removed.err) == (0, "")
    assert removed.out.startswith("mine is removed, 2.9 MB.")
    assert not (data_folder / "models" / "mine").exists()
    assert file.is_file()


def test_who_is_asked_may_say_no(isolated: Path) -> None:
    add_model(isolated / "jan", "remote", engine="openai")
    path = {"PATH": f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"}
    for answer, code in (("n\r", 1), ("\x03", 130), ("\x04", 1), ("y\r", 0)):
        with Program(isolated, ["jan-jupyter", "rm", "remote"], env=path) as program:
            assert (isolated / "jan" / "models" / "remote").is_dir()
            program.wait(r"Delete remote\? \[y/N\] ")
            program.write(answer)
            assert program.end() == code, program.text()
            assert "Traceback" not in program.text()
    assert not (isolated / "jan" / "models" / "remote").exists()


def test_a_pull_that_is_stopped_goes_on(jan: Jan, site: Hub, data_folder: Path) -> None:
    env = {"HF_ENDPOINT": site.url}
    whole = jan("pull", "hf:org/Mini-GGUF", "--json", env=env)
    assert whole.json()["id"] == "Mini-Q8_0"
    assert "Mini-Q8_0" in whole.err  # how far it was
    site.behave("org/Slow-GGUF/Slow-Q4_K_M.gguf", rate=2_000_000)
    endpoint = {**os.environ, "HF_ENDPOINT": site.url}
    pulling = subprocess.Popen(
        [SCRIPT, "pull", "hf:org/Slow-GGUF"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=endpoint,
    )
    assert pulling.stderr is not None
    for line in pulling.stderr:
        if "MB/s" in line:
            break
    pulling.send_signal(signal.SIGINT)
    out, err = pulling.communicate(timeout=60)
    assert (pulling.returncode, out) == (130, "")
    assert "`jan-jupyter pull hf:org/Slow-GGUF` goes on from there." in err
    assert "Traceback" not in err
    status = jan("status", "--json").json()
    assert "are here" in status["unfinished"]["Slow-Q4_K_M"]
    gone = jan("pull", "hf:org/Slow-GGUF", "--discard", "--json", env=env).json()
    assert gone["deleted"] is True


# Memory -------------------------------------------------------------------------------------------


def test_what_is_loaded_stays_when_the_command_has_ended(jan: Jan) -> None:
    assert jan("ps").out == "No model is loaded.\n"
    assert jan("ps", "--json").json() == []
    loaded = jan("load", "jan-mini")
    assert loaded.code == 0
    assert "jan-mini is ready, and stays loaded until nobody has asked it for 10 min" in loaded.out
    (held,) = jan("ps", "--json").json()
    assert (held["id"], held["state"], held["keep_alive"]) == ("jan-mini", "ready", 600.0)
    assert "in 10 min" in jan("ps").out
    (model,) = jan("models", "--json", "jan-mini").json()
    assert model["state"] == "loaded"
    longer = jan("load", "jan-mini", "--keep-alive", "-1", "--json").json()
    assert longer["running"]["pid"] == held["pid"]  # nothing is loaded twice
    assert longer["running"]["keep_alive"] == -1
    assert jan("unload", "jan-mini").out == "jan-mini is unloaded.\n"
    assert jan("unload", "jan-mini").out == "jan-mini was not loaded here.\n"
    assert jan("unload", "jan-mini", "--json").json()["was_loaded"] is False


def test_what_runs_elsewhere_is_not_said_to_be_loaded(
    jan: Jan, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    add_model(data_folder, "remote", engine="openai")
    add_model(
        data_folder, "silent", engine="openai", settings={"base_url": "http://localhost:9/v1"}
    )
    ended = jan("load", "remote")
    assert ended.out == "remote is ready: openai answers for it, and nothing is loaded here.\n"
    assert jan("load", "remote", "--json").json()["running"] is None
    silent = jan("load", "silent")
    assert silent.code == 1
    assert "nothing listens at localhost:9" in silent.err


# Engines, keys, threads ---------------------------------------------------------------------------


def test_engines_and_packages(jan: Jan) -> None:
    engines = {engine["id"]: engine for engine in jan("engines", "--json").json()}
    assert engines["nitro"]["state"] == "ready"
    assert jan("engines", "nitro", "--json").json()["kind"] == "local"
    assert "nitro" in jan("engines").out
    assert {offer["object"] for offer in jan("hub", "--json").json()} == {"package"}
    assert jan("engines", "install", "triton-grpc").code == 2
    assert jan("search", "--json").json()[0]["source"]


def test_a_key_comes_from_a_pipe_or_is_typed_unseen(jan: Jan, data_folder: Path) -> None:
    kept = jan("keys", "set", "openai", given=f"{SECRET}\n")
    assert kept.code == 0, kept.err
    file = data_folder / "keys.json"
    assert f"kept in {file}" in kept.out
    assert json.loads(file.read_text()) == {"openai": SECRET}
    listed = jan("keys")
    places = {place["engine"]: place for place in jan("keys", "--json").json()}
    assert places["openai"]["from"] == str(file)
    assert SECRET not in listed.out + str(places) + kept.out + kept.err
    on_line = jan("keys", "set", "openai", SECRET)
    assert on_line.code == 2
    assert SECRET not in on_line.err
    assert "does not belong on a line" in on_line.err
    assert SECRET not in jan("keys", "set", f"--key={SECRET}").err
    nobody = jan("keys", "set", "openai", given="")
    assert (nobody.code, nobody.out) == (2, "")
    assert json.loads(file.read_text()) == {"openai": SECRET}
    gone = jan("keys", "rm", "openai", "--json").json()
    assert gone["action"] == "rm"
    assert json.loads(file.read_text()) == {}


def test_a_typed_key_is_not_seen(isolated: Path) -> None:
    path = {"PATH": f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"}
    with Program(isolated, ["jan-jupyter", "keys", "set", "groq"], env=path) as program:
        program.wait("Key of groq")
        program.write(f"{SECRET}\r")
        assert program.end() == 0, program.text()
        assert SECRET not in program.text()
    assert json.loads((isolated / "jan" / "keys.json").read_text()) == {"groq": SECRET}


def test_threads_are_listed_shown_exported_and_removed(
    jan: Jan, data_folder: Path, tmp_path: Path
) -> None:
    thread = ThreadStore(data_folder).create("trip to Rome")
    thread.append(ThreadMessage("user", "When is it warm?"))
    thread.append(ThreadMessage("assistant", "In \x1b[2Jmay."))
    assert "trip to Rome" in jan("threads").out
    (listed,) = jan("threads", "--json").json()
    assert (listed["id"], listed["title"]) == (thread.id, "trip to Rome")
    assert jan("threads", "--json", "Paris").json() == []
    shown = jan("threads", "show", "trip to Rome")
    assert "When is it warm?" in shown.out
    assert "\x1b" not in shown.out
    told = jan("threads", "show", "trip to Rome", "--json").json()
    assert [message["role"] for message in told["messages"]] == ["user", "assistant"]
    (hit,) = jan("threads", "search", "warm", "--json").json()
    assert (hit["thread"], hit["role"]) == (thread.id, "user")
    file = tmp_path / "rome.md"
    exported = jan("threads", "export", "trip to Rome", "--to", str(file), "--json").json()
    assert exported["path"] == str(file)
    assert "When is it warm?" in file.read_text()
    again = jan("threads", "export", "trip to Rome", "--to", str(file))
    assert again.code == 2
    assert jan("threads", "rename", "trip to Rome", "journey").code == 0
    assert jan("threads", "rm", "journey").code == 2
    assert jan("threads", "rm", "journey", "--yes").out == "journey is deleted.\n"
    assert jan("threads", "--json").json() == []


def test_status(jan: Jan, data_folder: Path) -> None:
    told = jan("status", "--json", env={"JAN_LOCAL_ONLY": "1"}).json()
    assert told["default_model"] == "jan-mini"
    assert str(data_folder) in told["data_folders"]
    assert told["settings"]["local_only"]
    assert "data folder" in jan("status").out
