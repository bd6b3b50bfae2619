"""`%%jan` with models on this machine: real workers, shared by real kernels."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.jan import add_model
from support.kernel import Kernel, Received
from support.random_model import write_model

BUNDLED = Path(__file__).parents[2] / "jan_jupyter/data/models/jan-mini/jan-mini.gguf"
CANARY = "sk-canary-worker"
ENDLESS = "-p ignore_eos=true -n 100000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with models good and bad, and short lives for their workers."""
    folder = tmp_path_factory.mktemp("local")
    data = folder / "jan"
    write_model(folder / "tiny.gguf", context=100_000)
    write_model(folder / "slow.gguf", context=100_000, width=512, layers=4, inner=1536)
    for name in ("tiny", "slow"):
        path = folder / f"{name}.gguf"
        add_model(data, name, settings={"model_path": str(path), "ctx_len": 4096})
    bad = data / "models" / "not-gguf"
    bad.mkdir()
    (bad / "model.gguf").write_text("this is no model")
    cut = data / "models" / "cut-short"
    cut.mkdir()
    whole = (folder / "tiny.gguf").read_bytes()
    (cut / "model.gguf").write_bytes(whole[: len(whole) // 2])
    strange = write_model(folder / "strange.gguf", architecture="nonesuch")
    add_model(data, "strange", settings={"model_path": str(strange)})
    add_model(data, "gone", settings={"model_path": "/nowhere/gone.gguf"})
    add_model(data, "unknown-engine", engine="warp-drive")
    add_model(data, "odd", settings={"model_path": str(folder / "tiny.gguf"), "wings": 2})
    sleeper = folder / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 100\n")
    sleeper.chmod(0o755)
    engine = data / "engines" / "nitro" / "engine.json"
    engine.parent.mkdir(parents=True)
    named = {"runtime": "xllamacpp", "runtime_path": str(sleeper)}
    engine.write_text(json.dumps({"settings": named}))
    never = {"runtime": "llama-server", "model_path": str(folder / "tiny.gguf")}
    add_model(data, "stuck", settings=never)
    (data / "models" / "broken").mkdir()
    (data / "models" / "broken" / "model.json").write_text('{"id": "broken", "settings": {')
    return folder


@pytest.fixture(scope="module")
def notebook(folder: Path) -> Iterator[Kernel]:
    with Kernel(folder=folder, env={"JAN_KEEP_ALIVE": "2", "OPENAI_API_KEY": CANARY}) as kernel:
        kernel.execute("%load_ext jan_jupyter")
        yield kernel
        kernel.execute("import jan_jupyter as jan")
        for model in ("tiny", "slow", "odd", "jan-mini"):
            kernel.execute(f"%jan unload {model}")


def workers(folder: Path) -> list[dict[str, object]]:
    entries = (folder / "run" / "workers").glob("*.json")
    return [json.loads(entry.read_text()) for entry in entries]


def answering(message: Received) -> bool:
    """Whether it shows text of the model; what a slow machine is waited for is told in grey."""
    if message.type != "update_display_data":
        return False
    return "\n\n<small" not in message.content["data"].get("text/markdown", "")


def gone(pid: int, seconds: float = 15) -> bool:
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def idle(port: int, secret: str, seconds: float = 15) -> bool:
    """Whether no slot works any more; the server sees a closed connection at its next token."""
    from jan_jupyter.engines.local import supervisor as worker

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slots = worker.slots(port, secret)
        if slots is not None and not any(working for working, _ in slots):
            return True
        time.sleep(0.05)
    return False


def test_the_bundled_model_answers_where_there_is_no_other(tmp_path: Path) -> None:
    with Kernel(folder=tmp_path) as kernel:
        kernel.execute("%load_ext jan_jupyter")
        (output,) = kernel.execute("%%jan -t 0\nWhat is the capital of France?").outputs
        assert "Paris" in output["data"]["text/plain"]
        assert output["metadata"]["jan"]["model"] == "jan-mini"
        assert output["metadata"]["jan"]["engine"] == "nitro"
        assert kernel.execute("%jan unload").text == "jan-mini is unloaded.\n"
        assert "No model is loaded" in str(kernel.execute("%jan ps").outputs)


def test_a_stopped_answer_generates_nothing_more(notebook: Kernel, folder: Path) -> None:
    message = notebook.send(f"%%jan slow {ENDLESS}\nhi")
    notebook.wait_for(message, answering)
    notebook.interrupt()
    result = notebook.result(message)
    assert result.error is not None
    assert result.error.traceback == []
    shown = next(o for o in result.outputs if o["output_type"] == "display_data")
    assert shown["data"]["text/plain"]
    (entry,) = [w for w in workers(folder) if w["model"] == "slow"]
    assert idle(int(str(entry["port"])), str(entry["secret"]))


def test_how_far_a_long_prompt_is_read_is_shown(notebook: Kernel, folder: Path) -> None:
    notebook.execute("from jan_jupyter.engines import nitro\nnitro.QUIET_SECONDS = 0.0")
    message = notebook.send(f"%%jan slow -n 1\n{'word ' * 900}")

    def reading(message: Received) -> bool:
        shown = str(message.content.get("data", {}).get("text/plain", ""))
        return shown.startswith("Reading the prompt: ") and shown.endswith(" left …")

    notebook.wait_for(message, reading)
    notebook.interrupt()
    notebook.result(message)
    notebook.execute("nitro.QUIET_SECONDS = 1.0")
    (entry,) = [w for w in workers(folder) if w["model"] == "slow"]
    assert idle(int(str(entry["port"])), str(entry["secret"]))


def test_a_worker_killed_in_mid_answer_is_one_line_and_the_next_cell_works(
    notebook: Kernel, folder: Path
) -> None:
    message = notebook.send(f"%%jan slow {ENDLESS}\nhi")
    notebook.wait_for(message, answering)
    (entry,) = [w for w in workers(folder) if w["model"] == "slow"]
    os.kill(int(str(entry["server_pid"])), signal.SIGKILL)
    result = notebook.result(message)
    assert result.error is not None
    (line,) = result.error.traceback
    assert "slow" in line
    assert "run the cell again" in line
    shown = next(o for o in result.outputs if o["output_type"] == "display_data")
    assert shown["data"]["text/plain"]
    assert notebook.execute("%%jan slow -n 3\nhi").status == "ok"


def test_kernels_share_a_worker_which_outlives_them_and_then_leaves(
    folder: Path, notebook: Kernel, tmp_path: Path
) -> None:
    shutil.copytree(folder / "jan", tmp_path / "jan")
    environment = {"JAN_RUNTIME_FOLDER": str(folder / "run"), "JAN_KEEP_ALIVE": "6"}
    notebook.execute("%jan load tiny")
    (entry,) = [w for w in workers(folder) if w["model"] == "tiny"]
    with Kernel(folder=tmp_path, env=environment) as other:
        other.execute("%load_ext jan_jupyter")
        assert other.execute("%%jan tiny -n 3\nhi").status == "ok"
        assert [w["pid"] for w in workers(folder) if w["model"] == "tiny"] == [entry["pid"]]
        other.restart()
        other.execute("%load_ext jan_jupyter")
        assert other.execute("%%jan tiny -n 3\nhi").status == "ok"
        assert [w["pid"] for w in workers(folder) if w["model"] == "tiny"] == [entry["pid"]]
        other.kill()
    assert gone(int(str(entry["pid"])), 30)
    assert gone(int(str(entry["server_pid"])))
    assert [w for w in workers(folder) if w["model"] == "tiny"] == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%%jan not-gguf\nhi", ["not-gguf", "GGUF"]),
        ("%%jan cut-short\nhi", ["cut-short", "truncated", "ownload it again"]),
        ("%%jan strange\nhi", ["strange", "nonesuch"]),
        ("%%jan gone\nhi", ["gone", "/nowhere/gone.gguf"]),
        ("%%jan unknown-engine\nhi", ["unknown-engine", "warp-drive", "nitro"]),
        ("%%jan broken\nhi", ["broken", "model.json"]),
        ("%%jan tniy\nhi", ["tniy", "tiny"]),
        (f"%%jan tiny\n{'many words ' * 3000}", ["tiny", "tokens", "4,096", "ctx_len"]),
    ],
)
def test_what_is_wrong_with_a_model_is_one_line(
    notebook: Kernel, code: str, says: list[str]
) -> None:
    result = notebook.execute(code)
    assert result.error is not None
    (line,) = result.error.traceback
    assert "\n" not in line
    for text in says:
        assert text in line, line


@pytest.mark.parametrize(
    "code", ["%jan load stuck", "%%jan stuck\nhi", "for turn in [1]:\n    %jan load stuck"]
)
def test_a_load_can_be_interrupted(notebook: Kernel, folder: Path, code: str) -> None:
    message = notebook.send(code)
    while not (found := [w for w in workers(folder) if w["model"] == "stuck"]):
        time.sleep(0.05)
    notebook.interrupt()
    notebook.wait_idle(message)
    result = notebook.result(message)
    assert result.error is not None
    assert result.error.traceback == []
    assert "stopped" in result.outputs[-1]["data"]["text/markdown"]
    assert gone(int(str(found[0]["pid"])))


def test_an_unknown_setting_is_told_under_the_answer(notebook: Kernel) -> None:
    result = notebook.execute("%jan -m odd -n 2 hi")
    note = "wings is not known"
    assert note in result.data("text/markdown")[-1]
    again = notebook.execute("%jan -m odd -n 2 hi")
    assert note not in again.data("text/markdown")[-1]


def test_keys_reach_no_output_argument_or_file(notebook: Kernel, folder: Path) -> None:
    assert notebook.execute("%%jan jan-mini -n 2\nhi").status == "ok"
    (entry,) = [w for w in workers(folder) if w["model"] == "jan-mini"]
    for pid in (int(str(entry["pid"])), int(str(entry["server_pid"]))):
        process = psutil.Process(pid)
        assert CANARY not in str(process.environ())
        assert str(entry["secret"]) not in " ".join(process.cmdline())
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".gguf":
            assert CANARY.encode() not in path.read_bytes(), path
