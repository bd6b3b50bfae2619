"""The support tells the truth."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.door import Door, OpenNetworkError
from support.environment import isolated_environment, processes_of
from support.kernel import Kernel, KernelDiedError
from support.server import Behaviour, StreamingServer, tokens

# The server -------------------------------------------------------------------------------------


def ask(
    connection: http.client.HTTPConnection, model: str, content: Any = "hi", **body: Any
) -> http.client.HTTPResponse:
    body |= {"model": model, "messages": [{"role": "user", "content": content}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    return connection.getresponse()


@pytest.fixture
def connection(server: StreamingServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        yield connection


def text_of(stream: bytes) -> str:
    """The text of a stream of the plain style."""
    lines = [line.removeprefix("data: ") for line in stream.decode().split("\n") if line]
    assert lines.pop() == "[DONE]"
    deltas = [json.loads(line)["choices"][0]["delta"] for line in lines]
    return "".join(delta.get("content", "") for delta in deltas)


def test_server_keeps_its_pace(
    server: StreamingServer, connection: http.client.HTTPConnection
) -> None:
    asked = time.monotonic()
    stream = ask(connection, "m:n=20,delay=0.02,first=0.1", stream=True).read()
    answered = time.monotonic()
    [entry] = server.journal()
    assert text_of(stream) == "".join(tokens(20))
    assert entry.chunks == 20
    assert entry.first is not None
    assert entry.last is not None
    # The schedule is counted from just before the first chunk is written.
    assert entry.last - entry.first > 19 * 0.02 - 0.01
    assert entry.first - entry.received >= 0.1
    assert asked <= entry.received <= entry.first <= entry.last <= answered
    assert entry.complete
    assert entry.closed is None


def test_server_sees_the_client_go(server: StreamingServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        response = ask(connection, "m:n=100000,delay=0.01", stream=True)
        response.readline()
        left = time.monotonic()
        response.close()
    [entry] = server.wait("closed")
    assert entry.closed is not None
    assert left <= entry.closed
    assert 1 <= entry.chunks < 100000
    assert not entry.complete


@pytest.mark.parametrize("wait", ["headers=60", "first=60", "stall=0", "n=60,delay=1"])
def test_server_sees_the_client_go_while_it_waits(server: StreamingServer, wait: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        body = {"model": f"m:{wait}", "stream": wait != "n=60,delay=1"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        server.wait("received")
    [entry] = server.wait("closed")
    assert not entry.complete


def test_connections_are_kept(
    server: StreamingServer, connection: http.client.HTTPConnection
) -> None:
    local = set()
    for stream in (True, False) * 10:
        ask(connection, "m", stream=stream).read()
        local.add(connection.sock.getsockname())
    assert len(local) == 1
    assert [entry.closed for entry in server.journal()] == [None] * 20


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("m:cut=2", http.client.IncompleteRead),
        ("m:reset=2", ConnectionResetError),
        ("m:hangup", http.client.RemoteDisconnected),
    ],
)
def test_broken_connections(
    server: StreamingServer,
    connection: http.client.HTTPConnection,
    model: str,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        ask(connection, model, stream=True).read()
    [entry] = server.journal()
    assert entry.chunks == (0 if "hangup" in model else 2)
    assert not entry.complete


@pytest.mark.parametrize("stream", [True, False])
def test_refusals(connection: http.client.HTTPConnection, stream: bool) -> None:
    model = "m:status=429,retry_after=1.5,times=2,n=1"
    for _ in range(2):
        response = ask(connection, model, stream=stream)
        assert json.loads(response.read())["error"]["code"] == "rate_limit_exceeded"
        assert response.status == 429
        assert response.headers["retry-after-ms"] == "1500"
    response = ask(connection, model, stream=stream)
    assert response.status == 200
    response.read()
    response = ask(connection, "m:error=loading", stream=stream)
    response.read()
    assert response.status == 503


ODD = 'naïve\r\n👩‍🔬 \x00 \u2028 e\u0301 \\ " {x} data: [DONE]\n\n'


@pytest.mark.parametrize("content", [ODD, [{"type": "text", "text": ODD}], ""])
def test_echo_is_exact(connection: http.client.HTTPConnection, content: Any) -> None:
    stream = ask(connection, "m:echo,split=1", content, stream=True).read()
    assert json.loads(text_of(stream)) == content
    reply = json.loads(ask(connection, "m:echo", content).read())
    assert json.loads(reply["choices"][0]["message"]["content"]) == content


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("crlf", b'"}, "finish_reason": null}]}\r\n\r\ndata: '),
        ("tight", b'\n\ndata:{"id"'),
        ("comments", b"\n\n: keep-alive\n\ndata: "),
        ("multiline", b'\ndata:  "choices": [\ndata:   {\n'),
        ("rubbish=1", b"\n\ndata: {this is not JSON\n\n"),
        ("error_at=1", b'\n\ndata: {"error": {"message": '),
        ("usage=always", b'"choices": [], "usage": {"prompt_tokens": 1,'),
        ("reasoning=1", b'"delta": {"role": "assistant", "reasoning_content": "the "}'),
        ("tools=2", b'"delta": {"tool_calls": [{"index": 1, "id": "call_1", '),
        ("finish=length", b'"finish_reason": "length"'),
    ],
)
def test_styles(connection: http.client.HTTPConnection, options: str, found: bytes) -> None:
    assert found in ask(connection, f"m:n=2,{options}", stream=True).read()
    assert found not in ask(connection, "m:n=2", stream=True).read()


@pytest.mark.parametrize(
    ("options", "finish", "done"),
    [("n=1", 1, 1), ("nodone", 1, 0), ("nofinish", 0, 1), ("noend", 0, 0)],
)
def test_ends(connection: http.client.HTTPConnection, options: str, finish: int, done: int) -> None:
    stream = ask(connection, f"m:{options}", stream=True).read()
    assert stream.count(b'"finish_reason": "stop"') == finish
    assert stream.count(b"[DONE]") == done


def test_unknown_options_are_told(
    server: StreamingServer, connection: http.client.HTTPConnection
) -> None:
    response = ask(connection, "m:ctu=3")
    assert (response.status, json.loads(response.read())["error"]["message"]) == (
        400,
        "unknown option 'ctu=3'",
    )
    for wrong in ("n", "crlf=1", "n=x", "error=nope", "form=nope"):
        with pytest.raises(ValueError, match=wrong.rpartition("=")[2]):
            Behaviour.read(wrong)
        with pytest.raises(ValueError, match=wrong.rpartition("=")[2]):
            server.behave("plain", wrong)
    server.behave("plain", "n=3")
    assert json.loads(ask(connection, "plain").read())["usage"]["completion_tokens"] == 3


# The kernel -------------------------------------------------------------------------------------


def test_kernel_result(kernel: Kernel) -> None:
    before = time.monotonic()
    result = kernel.execute("import sys; print(1); print(2, file=sys.stderr); print(3); 'four'")
    assert result.status == "ok"
    assert sorted(result.text.split()) == ["1", "2", "3"]
    assert result.data() == ["'four'"]
    assert result.error is None
    times = [message.at for message in result.received]
    assert before <= result.sent_at <= times[0]
    assert times == sorted(times)
    assert times[-1] <= time.monotonic()
    longer = kernel.execute("print('x' * 10_000)")
    assert 10_000 < longer.size < 10_000 + 5 * 2000


def test_kernel_error(kernel: Kernel) -> None:
    result = kernel.execute("1 / 0")
    assert result.error is not None
    assert (result.status, result.error.ename) == ("error", "ZeroDivisionError")
    assert [output["output_type"] for output in result.outputs] == ["error"]


def test_outputs_are_folded(kernel: Kernel) -> None:
    kernel.execute("from IPython.display import clear_output, display")
    cleared = kernel.execute("print('a'); clear_output(); print('b', flush=True); print('c')")
    assert [output["text"] for output in cleared.outputs] == ["b\nc\n"]
    waiting = kernel.execute("print('a'); clear_output(wait=True)")
    assert waiting.text == "a\n"
    shown = kernel.execute("h = display('old', display_id=True)")
    assert shown.data() == ["'old'"]
    assert kernel.execute("h.update('new')").outputs == []
    assert [output["data"]["text/plain"] for output in kernel.outputs(shown.msg_id)] == ["'new'"]


def test_kernel_interrupt(kernel: Kernel) -> None:
    msg_id = kernel.send("import time; print('in', flush=True); time.sleep(600)")
    kernel.wait_text(msg_id, "in")
    interrupted = kernel.interrupt()
    assert kernel.wait_idle(msg_id).at > interrupted
    error = kernel.result(msg_id).error
    assert error is not None
    assert error.ename == "KeyboardInterrupt"


def test_kernel_waits_in_vain(kernel: Kernel) -> None:
    msg_id = kernel.send("print('said')")
    with pytest.raises(TimeoutError, match="said"):
        kernel.wait_text(msg_id, "never said", timeout=0.5)


def test_kernel_helps_out(kernel: Kernel) -> None:
    assert "import" in kernel.complete("impor")["matches"]
    assert kernel.inspect("print")["found"]


def test_kernel_is_isolated(kernel: Kernel) -> None:
    names = ["HOME", "JAN_DATA_FOLDER", "JAN_RUNTIME_FOLDER", "IPYTHONDIR"]
    [value] = kernel.execute(f"import os; [os.environ[n] for n in {names}]").data()
    assert value.count(str(kernel.folder)) == len(names)


def test_kernel_restarts_and_dies(tmp_path: Path) -> None:
    with Kernel(folder=tmp_path, env={"EXTRA": "given"}) as kernel:
        kernel.execute("x = 1")
        old = kernel.pid
        kernel.restart()
        assert kernel.pid != old
        result = kernel.execute("import os; 'x' in globals(), os.environ['EXTRA']")
        assert result.data() == ["(False, 'given')"]
        msg_id = kernel.send("import time; time.sleep(600)")
        kernel.kill()
        with pytest.raises(KernelDiedError):
            kernel.wait_idle(msg_id)
        pid = kernel.pid
    assert not psutil.pid_exists(pid)


def test_button(kernel: Kernel) -> None:
    pytest.importorskip("ipywidgets")
    kernel.execute(
        "import ipywidgets; button = ipywidgets.Button(description='Stop');"
        " button.on_click(lambda b: (setattr(b, 'description', 'Stopped'), print('clicked')))"
    )
    [model] = [m for m, state in kernel.widgets().items() if state.get("description") == "Stop"]
    click = kernel.click(model)
    assert kernel.wait_text(click, "clicked").at > kernel.sent[click]
    kernel.wait_idle(click)
    assert kernel.widgets()[model]["description"] == "Stopped"


# The terminal -----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_terminal(tmp_path: Path) -> None:
    from support.terminal import Terminal

    with Terminal(tmp_path) as terminal:
        assert "Out[1]: 42\n" in terminal.run("6 * 7")
        assert "\n0\n1\n" in terminal.run("%%time\nfor i in range(2):\n    print(i)")
        start = terminal.length
        terminal.type("import time; print('i' + 'n'); time.sleep(600)")
        terminal.wait("in\n", start=start)
        assert terminal.interrupt() <= terminal.wait_prompt()
        assert "KeyboardInterrupt" in terminal.text(start)
    assert terminal.process.returncode is not None


# The surroundings -------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.com"])
def test_the_door_is_locked(locked_door: Door, host: str) -> None:
    with pytest.raises(OpenNetworkError, match=host):
        socket.create_connection((host, 80), timeout=5)
    assert locked_door.attempts == [host]
    locked_door.attempts.clear()


def test_the_door_is_locked_for_datagrams(locked_door: Door) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire,
        pytest.raises(OpenNetworkError),
    ):
        wire.sendto(b"x", ("192.0.2.1", 53))
    locked_door.attempts.clear()


def test_invalid_names_do_not_exist(locked_door: Door) -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("nowhere.invalid", 80))
    assert not locked_door.attempts


def test_nothing_personal(isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ["JAN_DATA_FOLDER"].startswith(str(isolated))
    assert Path.home().is_relative_to(isolated)
    assert not [name for name in os.environ if name.endswith("_API_KEY")]
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "https_proxy", "JAN_MODEL", "MY_SETTING"):
        monkeypatch.setenv(name, "mine")
    found = [name for name, value in isolated_environment(tmp_path).items() if value == "mine"]
    assert found == ["MY_SETTING"]


def test_leftovers_are_found(tmp_path: Path) -> None:
    code = "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=isolated_environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [found.pid for found in processes_of(tmp_path)] == [process.pid]
        assert processes_of(tmp_path.with_name(tmp_path.name[:-1])) == []
        process.communicate(b"\n")
    assert processes_of(tmp_path) == []
