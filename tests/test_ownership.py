"""What a description from elsewhere cannot do: name a program, or be read from another's folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jan_jupyter import errors
from jan_jupyter.engine_options.engine_files import read_engine_options
from jan_jupyter.engines.local import llama_options, runtimes
from jan_jupyter.engines.local.registry import Registry
from jan_jupyter.models import ModelStore
from jan_jupyter.ownership import why_not_ours

posix = pytest.mark.skipif(os.name != "posix", reason="files have no such owners here")
as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can make another user's files"
)
STRANGER = 65534


@pytest.mark.parametrize("setting", ["runtime_path", "python"])
def test_no_description_names_a_program(tmp_path: Path, setting: str) -> None:
    evil = {"id": "evil", "engine": "nitro", "settings": {setting: "/abs/evil.sh"}}
    place = tmp_path / "elsewhere" / "model.json"
    place.parent.mkdir()
    place.write_text(json.dumps(evil))
    store = ModelStore(tmp_path / "own")
    says = rf"names a program to run \({setting}\)"
    with pytest.raises(errors.JanError, match=says):
        store.import_(place)
    with pytest.raises(errors.UsageError, match=says):
        store.create(evil)
    good = store.create({"id": "good", "engine": "nitro"})
    for name in (setting, f"settings.{setting}"):
        with pytest.raises(errors.UsageError, match=says):
            store.update(good, {name: "/abs/evil.sh"})
    found = tmp_path / "own" / "models" / "found" / "model.json"
    found.parent.mkdir()
    found.write_text(json.dumps(evil))
    model = ModelStore(tmp_path / "own").get("evil")
    assert model.state == "broken"
    assert setting in model.reason


@posix
def test_an_engine_file_names_a_program_if_nobody_else_can_write_it(tmp_path: Path) -> None:
    own, theirs = tmp_path / "own", tmp_path / "jan"
    for folder, program in ((own, "/mine"), (theirs, "/theirs")):
        file = folder / "engines" / "nitro" / "engine.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"settings": {"runtime_path": program, "ctx_len": 99}}))
    options = read_engine_options("nitro", [own, theirs])
    assert options.program("runtime_path") == "/mine"

    (own / "engines/nitro/engine.json").chmod(0o666)
    options = read_engine_options("nitro", [own, theirs])
    assert "runtime_path" not in options.settings
    assert options.settings["ctx_len"] == 99
    with pytest.raises(errors.EngineUnavailable, match=r"everybody may change.*chmod o-w"):
        options.program("runtime_path")

    (own / "engines/nitro/engine.json").unlink()
    options = read_engine_options("nitro", [own, theirs])
    assert options.program("runtime_path") == ""
    assert "not yours" in " ".join(options.warnings)


DANGEROUS = (
    *("log_file", "log-file", "slot_save_path", "lora", "lora_scaled", "control_vector"),
    *("model_draft", "hf_repo", "model_url", "chat_template_file", "grammar_file", "rpc"),
    *("media_path", "tools", "webui", "path", "public_path", "ssl_key_file", "api_key_file"),
    *("host", "port", "props", "override_tensor", "models_dir", "models_preset", "offline"),
)


def test_no_other_setting_reaches_a_command_line() -> None:
    given = dict.fromkeys(DANGEROUS, "/abs/evil")
    options, left_out = llama_options.read_settings(
        {**given, "chat_template": "--log-file=/abs/evil"}
    )
    assert options == {**llama_options.DEFAULTS, "chat_template": "--log-file=/abs/evil"}
    assert len(left_out) == len(DANGEROUS)
    arguments, *_ = llama_options.llama_server_arguments(Path("m.gguf"), options)
    at = arguments.index("--chat-template")
    assert arguments[at + 1] == "--log-file=/abs/evil"  # a value, no flag
    assert "/abs/evil" not in [*arguments[:at], *arguments[at + 2 :]]


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that another user can enter, as pytest's own is closed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@as_root
def test_a_program_of_another_user_is_not_run(
    open_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(open_place))
    program = open_place / "jan/llamacpp/backends/b1/llama-server"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    def found() -> list[Path]:
        return [*runtimes._llama_servers([open_place / "jan"])]

    assert found() == [program]
    program.chmod(0o777)
    assert found() == []
    program.chmod(0o755)
    program.parent.parent.chmod(0o777)
    assert found() == []
    program.parent.parent.chmod(0o755)
    os.chown(program, STRANGER, STRANGER)
    assert found() == []
    assert "belongs to another user" in why_not_ours(program)


@as_root
def test_a_link_of_another_user_leads_nowhere(open_place: Path) -> None:
    (open_place / "real").mkdir()
    for name in ("mine", "theirs"):
        (open_place / name).symlink_to(open_place / "real")
    os.chown(open_place / "theirs", STRANGER, STRANGER, follow_symlinks=False)
    (open_place / "real" / "file").write_text("")
    assert why_not_ours(open_place / "mine" / "file") == ""
    assert "theirs is a link of another user" in why_not_ours(open_place / "theirs" / "file")


ORDINARY = """
import filelock, os, platformdirs, sys
from pathlib import Path
from jan_jupyter import errors, settings
from jan_jupyter.engines.local.registry import Registry
place, stranger = Path(sys.argv[1]), int(sys.argv[2])
os.setgroups([])
os.setgid(stranger)
os.setuid(stranger)
for name in ("roots", "mine"):
    settings.settings().runtime_folder = str(place / name)
    try:
        print(settings.runtime_folder().name)
    except errors.SettingsError as error:
        print(error)
mine = Registry(place / "mine")
print([mine.look(key) for key in ("linked", "plain")])
with Registry(place / "mine").locked():
    print("locked")
"""


@as_root
def test_an_ordinary_user_takes_no_registry_of_another(open_place: Path) -> None:
    entry = {
        "model": "m",
        "engine": "nitro",
        "file": "m.gguf",
        "runtime": "xllamacpp",
        "pid": os.getpid(),
        "server_pid": 0,
        "port": 1,
        "secret": "x",
        "state": "ready",
    }
    for name in ("roots", "mine"):
        (open_place / name).mkdir(mode=0o755)
    planted = open_place / "roots" / "entry.json"
    planted.write_text(json.dumps(entry))
    (open_place / "mine" / "linked.json").symlink_to(planted)
    os.chown(open_place / "mine", STRANGER, STRANGER)
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY, str(open_place), str(STRANGER)],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines[1:] == ["mine", "[None, None]", "locked"], done.stderr
    assert "belongs to another user" in lines[0]


@posix
def test_a_registry_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "workers").symlink_to(tmp_path / "real")
    with pytest.raises(Exception, match="is a link"), Registry(tmp_path / "workers").locked():
        pass
