"""`%jan` in other hosts than the newest kernel: ipykernel 6, and IPython in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.jan import add_remote
from support.kernel import Kernel
from support.server import StreamingServer, tokens
from support.terminal import Terminal

OLD = Path(__file__).parents[2] / ".venv-ipykernel6" / "bin" / "python"
TEXT = "".join(tokens(20))


@pytest.fixture(scope="module")
def old_kernel(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Kernel]:
    if not OLD.exists():
        pytest.skip("the environment with ipykernel 6 is not set up (`make test` does it)")
    with Kernel(str(OLD), folder=tmp_path_factory.mktemp("old")) as kernel:
        add_remote(kernel.data_folder, _streaming_server, short="", slow="", silent="")
        kernel.execute("%load_ext jan_jupyter")
        assert kernel.execute("import ipykernel; print(ipykernel.version_info[0])").text == "6\n"
        yield kernel


@pytest.fixture
def told(server: StreamingServer) -> StreamingServer:
    for name, behaviour in {
        "short": "n=20,delay=0.005",
        "slow": "n=2000,delay=0.02",
        "silent": "n=5,first=30",
    }.items():
        server.behave(name, behaviour)
    return server


def test_ipykernel_6_streams(old_kernel: Kernel, told: StreamingServer) -> None:
    result = old_kernel.execute("%%jan short\nhi")
    (output,) = result.outputs
    assert output["data"]["text/plain"] == TEXT
    assert sum(m.type == "update_display_data" for m in result.received) > 1
    assert old_kernel.execute("x = %jan -m short hi").status == "ok"
    assert old_kernel.execute("print(str(x))").text == TEXT + "\n"


@pytest.mark.parametrize(
    "code", ["%%jan slow\nhi", "%%jan silent\nhi", "def f():\n    %jan -m slow hi\nf()"]
)
def test_ipykernel_6_interrupts(old_kernel: Kernel, told: StreamingServer, code: str) -> None:
    message = old_kernel.send(code)
    told.wait("received" if "silent" in code else "first")
    at = old_kernel.interrupt()
    assert old_kernel.wait_idle(message).at - at < 10  # the answer would take 30 s and more
    result = old_kernel.result(message)
    assert result.error is not None
    assert result.error.traceback == []
    (entry,) = told.wait("closed")
    assert not entry.complete


def test_ipykernel_6_blocking_calls_keep_the_loop_turning(
    old_kernel: Kernel, told: StreamingServer
) -> None:
    result = old_kernel.execute(
        "import asyncio, jan_jupyter as jan\nticks = []\n"
        "async def tick():\n    while True:\n"
        "        ticks.append(1); await asyncio.sleep(0.01)\n"
        "task = asyncio.ensure_future(tick())\n"
        "reply = jan.chat('hi', 'short')\ntask.cancel()\n"
        "print(len(ticks) > 3, len(str(reply)))"
    )
    assert result.text == f"True {len(TEXT)}\n"


def test_a_terminal(tmp_path: Path, told: StreamingServer) -> None:
    add_remote(tmp_path / "jan", told, short="n=20,delay=0.005", slow="n=2000,delay=0.02")
    with Terminal(tmp_path) as terminal:
        assert "Error" not in terminal.run("%load_ext jan_jupyter")
        start = terminal.length
        screen = terminal.run("%jan -m short hi")
        assert "short" in screen
        assert re.search(rb"\x1b\[2m[^\x1b]*20 tokens[^\x1b]*\x1b\[0m", terminal.bytes(start))
        assert "20 tokens" in screen
        assert "Out[" not in screen
        screen = terminal.run("%jan -m short -p n=2 hi")
        assert "Answer 2" in screen
        assert screen.index("0:the") < screen.index("Answer 2") < screen.index("1:the")
        assert "Reply" in terminal.run("print(type(_).__name__)")
        assert "short" in terminal.run("%jan models sho")
        start = terminal.length
        terminal.type("%jan -m slow hi")
        terminal.wait("kernel", start=start)
        terminal.interrupt()
        terminal.wait("stopped", start=start)
        (entry,) = [e for e in told.wait("closed") if e.closed is not None]
        assert not entry.complete
