"""What a description from elsewhere cannot do: name a program, or be read from another's folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jan_jupyter import errors
from jan_jupyter.engine_options.engine_files import read_engine_options
from jan_jupyter.engines.local import llama_options, llama_raw, runtimes
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
    *("log_file", "log-file", "slot_save_path", "lora_scaled", "control_vector"),
    *("model_draft", "hf_repo", "model_url", "grammar_file", "rpc"),
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


NEVER = (
    *(
        "host",
        "hostnames",
        "port",
        "reuse_port",
        "api_key",
        "api-keys",
        "api_key_file",
        "api_prefix",
    ),
    *("ssl_file_key", "ssl-cert-file", "cors-origins", "cors_origins_explicit", "server_base"),
    *("tools", "server_tools", "tools_runtime", "agent", "mcp_servers_config", "mcp-servers-json"),
    *("ui_mcp_proxy", "webui", "no-webui", "ui", "ui-config-file", "props", "endpoint_props"),
    *("path", "public_path", "media-path", "slot_save_path", "slot-save-path", "log_file", "log"),
    *("log-prompts-dir", "path_prompts_log_dir", "logits_output_dir", "save_logits", "out_file"),
    *("output", "output-file", "lookup_cache_dynamic", "prompt_cache", "path_prompt_cache"),
    *("model", "model.path", "model_url", "hf_repo", "hf-token", "docker_repo", "models_dir"),
    *("mmproj.url", "models_preset", "rpc", "video_ffmpeg_bin_dir", "verbose", "log-verbosity"),
    *("speculative.draft.mparams.path", "json_schema_file", "grammar-file", "ctx_size", "n_ctx"),
    *("n_parallel", "parallel", "batch-size", "sampling.reasoning_budget_tokens", "mlock.path"),
)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    str.title,
    lambda name: f"--{name}",
    lambda name: f"----{name}",
    lambda name: name.replace("_", "-"),
    lambda name: name.replace("-", "_"),
    lambda name: f" {name}",
    lambda name: f"{name}=x",
    lambda name: f"{name} x",
    lambda name: f"threads-http 1 --{name}",
    lambda name: f"threads-http\n--{name}",
    lambda name: f"no-{name}",
)


@pytest.mark.parametrize("name", NEVER)
def test_no_raw_setting_says_where_it_listens_what_it_writes_or_runs(name: str) -> None:
    for spell in SPELLINGS:
        for value in ("/abs/evil", True, False, 1):
            taken, left_out = llama_raw.read_raw({spell(name): value})
            assert taken == {}
            assert len(left_out) == 1
    for flag in (f"--{name}", f"-{name}", f"x\n--{name}"):  # nor as a value
        for written in (flag, ["1", flag]):
            assert llama_raw.read_raw({"threads-http": written})[0] == {}


def test_raw_settings_reach_llama_cpp_in_its_own_words(tmp_path: Path) -> None:
    raw = {
        "yarn-ext-factor": 1.5,
        "--ctx_checkpoints": 3,
        "warmup": False,
        "spec-type": "draft-mtp",
    }
    raw |= {"override_kv": ["a=int:1", "b=int:2"], "op-offload": True, "dry_multiplier": "-0.5"}
    taken, left_out = llama_raw.read_raw(raw)
    assert left_out == []
    options = {**llama_options.DEFAULTS, "llama": taken}
    before, *_ = llama_options.llama_server_arguments(Path("m"), llama_options.DEFAULTS)
    line, _, unknown = llama_options.llama_server_arguments(Path("m"), options)
    assert unknown == []
    assert " ".join(line[len(before) :]) == (
        "--yarn-ext-factor 1.5 --ctx-checkpoints 3 --no-warmup --spec-type draft-mtp"
        " --override-kv a=int:1,b=int:2 --op-offload --dry-multiplier -0.5"
    )
    flags = {"--parallel": True, "--yarn-ext-factor": False, "--ctx-checkpoints": True}
    line, _, unknown = llama_options.llama_server_arguments(Path("m"), options, flags)
    assert line[-2:] == ["--ctx-checkpoints", "3"]
    assert "llama.yarn_ext_factor" in unknown  # it takes no value there: what follows were a flag
    assert llama_options.xllamacpp_input(Path("m"), options)["yarn_ext_factor"] == 1.5


@pytest.mark.parametrize(
    "place", [{"llama": {"warmup": False}}, {"settings": {"llama": {"warmup": False}}}]
)
def test_only_the_users_own_engine_file_has_raw_settings(
    tmp_path: Path, place: dict[str, object]
) -> None:
    own, theirs = tmp_path / "own", tmp_path / "jan"
    for folder in (own, theirs):
        (folder / "engines" / "nitro").mkdir(parents=True)
    (own / "engines/nitro/engine.json").write_text(json.dumps(place))
    (theirs / "engines/nitro/engine.json").write_text(json.dumps({"llama": {"evil": 1}}))
    assert read_engine_options("nitro", [own, theirs]).own("llama") == {"warmup": False}
    (own / "engines/nitro/engine.json").unlink()
    assert read_engine_options("nitro", [own, theirs]).own("llama") is None
    evil = {"id": "evil", "engine": "nitro", "settings": {"llama": {"warmup": False}}}
    with pytest.raises(errors.UsageError, match=r"sets what llama\.cpp is told \(llama\)"):
        ModelStore(own).create(evil)


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
