"""A real kernel, and everything it says with its time and its size on the wire."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
import zmq
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

from .environment import isolated_environment

JSON = dict[str, Any]


hearing = pytest.mark.skipif(
    int(version("ipykernel").split(".")[0]) < 7,
    reason="older kernels hear nothing while a cell runs: they tell all without being asked",
)


@dataclass(frozen=True)
class Received:
    """A message from the kernel's iopub: `at` in `time.monotonic()`, `size` in bytes."""

    at: float
    size: int
    header: JSON
    parent: JSON
    frames: tuple[bytes, ...]
    """Metadata, content and buffers as they came."""

    @property
    def type(self) -> str:
        kind: str = self.header["msg_type"]
        return kind

    @property
    def parent_id(self) -> str | None:
        return self.parent.get("msg_id")

    @cached_property
    def content(self) -> JSON:
        content: JSON = json.loads(self.frames[1])
        return content

    def __repr__(self) -> str:
        return f"<{self.type} {self.size} B {self.content}>"


@dataclass(frozen=True)
class KernelError:
    """The error that a cell ended on; `traceback` is what a notebook shows (with colours)."""

    ename: str
    evalue: str
    traceback: list[str]


@dataclass(frozen=True)
class Result:
    """What came of one request."""

    msg_id: str
    reply: JSON
    """Content of the reply on the shell channel."""
    outputs: list[JSON]
    """The outputs as a notebook would now save them (plus `display_id` under `transient`)."""
    received: list[Received]
    """All iopub messages of the request, in order."""
    sent_at: float

    @property
    def status(self) -> str:
        """`ok`, `error` or `aborted`."""
        status: str = self.reply["status"]
        return status

    @property
    def error(self) -> KernelError | None:
        if self.status != "error":
            return None
        return KernelError(*(self.reply[name] for name in ("ename", "evalue", "traceback")))

    @property
    def text(self) -> str:
        """All that was printed, also to stderr."""
        return "".join(o["text"] for o in self.outputs if o["output_type"] == "stream")

    def data(self, mime: str = "text/plain") -> list[Any]:
        """What the displays and the value of the cell now show in that format."""
        return [o["data"][mime] for o in self.outputs if mime in o.get("data", {})]

    @property
    def size(self) -> int:
        """Bytes on the wire of all messages of the request."""
        return sum(message.size for message in self.received)


def only_output(result: Result) -> JSON:
    """The one output of a cell that succeeded."""
    assert result.status == "ok", result.error
    (output,) = result.outputs
    return output


def fold(messages: Iterable[Received], msg_id: str) -> list[JSON]:
    """The outputs of one request after all that was said, as a notebook's front end keeps them.

    Displays may also be updated by messages of other requests.
    """
    outputs: list[JSON] = []
    clear_first = False
    for message in messages:
        kind, content = message.type, message.content
        ours = message.parent_id == msg_id
        if kind in ("display_data", "update_display_data"):
            display_id = content.get("transient", {}).get("display_id")
            for output in outputs if display_id else ():
                if output.get("transient", {}).get("display_id") == display_id:
                    output |= {"data": content["data"], "metadata": content["metadata"]}
        if not ours or kind not in (
            "stream",
            "display_data",
            "execute_result",
            "error",
            "clear_output",
        ):
            continue
        if kind == "clear_output":
            clear_first = content["wait"]
            if not content["wait"]:
                outputs.clear()
            continue
        if clear_first:
            outputs.clear()
            clear_first = False
        last = outputs[-1] if outputs else {}
        if kind == "stream" and last.get("name") == content["name"]:
            last["text"] += content["text"]
        else:
            outputs.append({"output_type": kind, **content})
    return outputs


class KernelDiedError(RuntimeError):
    """The kernel's process is gone while something was waited for."""


class Kernel:
    """An ipykernel of any Python, in clean surroundings of its own.

        with Kernel() as kernel:
            assert kernel.execute("print(1)").text == "1\\n"

    `folder` is where all its files go (a temporary one if none is given); `data_folder` and
    `runtime_folder` are what it knows as `JAN_DATA_FOLDER` and `JAN_RUNTIME_FOLDER`. To be used
    from one thread at a time. Timeouts are seconds and raise `TimeoutError`.
    """

    def __init__(
        self,
        python: str = sys.executable,
        *,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        arguments: Iterable[str] = (),
    ) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="jan-kernel-")
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self.env = isolated_environment(self.folder) | dict(env or {})
        self.data_folder = Path(self.env["JAN_DATA_FOLDER"])
        self.runtime_folder = Path(self.env["JAN_RUNTIME_FOLDER"])
        self.sent: dict[str, float] = {}
        """When each of our messages was sent."""
        self._command = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}", *arguments]
        self._log: list[Received] = []
        self._news = threading.Condition()
        self._replies: dict[str, JSON] = {}
        self._closing = threading.Event()

    # Life

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, timeout: float = 60) -> None:
        """Start it, and return when it answers."""
        self._context = zmq.Context()
        self._manager = KernelManager(
            connection_file=str(self.folder / "kernel.json"), context=self._context
        )
        self._manager.kernel_spec.argv[:] = self._command
        self._output = (self.folder / "kernel.log").open("ab")
        self._manager.start_kernel(env=self.env, stdout=self._output, stderr=self._output)
        self.session: Session = self._manager.session
        self._shell = self._connect(zmq.DEALER, self._manager.shell_port)
        self._control = self._connect(zmq.DEALER, self._manager.control_port)
        self._stdin = self._connect(zmq.DEALER, self._manager.stdin_port)
        self._reader = threading.Thread(target=self._read, name="iopub", daemon=True)
        self._reader.start()
        self._greet(timeout)

    def close(self) -> None:
        """End the kernel and give back all that was taken."""
        if self._closing.is_set():
            return
        self._closing.set()
        if hasattr(self, "_manager") and self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        if hasattr(self, "_reader"):
            self._reader.join()
        if hasattr(self, "_context"):
            self._context.destroy(linger=0)
        if hasattr(self, "_output"):
            self._output.close()
        if self._temporary:
            self._temporary.cleanup()

    @property
    def pid(self) -> int:
        pid: int = self._manager.provisioner.pid
        return pid

    @property
    def alive(self) -> bool:
        alive: bool = self._manager.is_alive()
        return alive

    def interrupt(self) -> float:
        """Interrupt as a front end does; gives the time."""
        at = time.monotonic()
        self._manager.interrupt_kernel()
        return at

    def restart(self, timeout: float = 60) -> None:
        """Restart as a front end does, without asking the old kernel; what it said is kept."""
        self._manager.restart_kernel(now=True)
        self._greet(timeout)

    def kill(self) -> float:
        """End the process from outside (SIGKILL); gives the time when it was gone."""
        process = psutil.Process(self.pid)
        process.kill()
        with suppress(psutil.NoSuchProcess):
            process.wait(10)
        return time.monotonic()

    @property
    def log(self) -> str:
        """What the kernel's process wrote past the protocol: crashes, native output."""
        return (self.folder / "kernel.log").read_text("utf-8", "replace")

    # Asking

    def execute(self, code: str, timeout: float = 60, **content: Any) -> Result:
        """Run a cell to its end."""
        while True:
            msg_id = self.send(code, **content)
            self.wait_idle(msg_id, timeout)
            result = self.result(msg_id, timeout)
            # ipykernel 6 does not run what comes while it still sees to an error.
            if result.status != "aborted":
                return result

    def send(
        self,
        code: str,
        *,
        cell_id: str | None = None,
        metadata: JSON | None = None,
        **content: Any,
    ) -> str:
        """Start a cell; gives its message id. `content` goes into the `execute_request`.

        `cell_id` is told as JupyterLab does; another front end has `metadata` of its own.
        """
        asked = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        if cell_id:
            metadata = {"cellId": cell_id}
        return self.post("execute_request", asked | content, metadata=metadata)

    def result(self, msg_id: str, timeout: float = 60) -> Result:
        """What came of a request; waits for its reply and its last output."""
        reply = self.reply(msg_id, timeout)
        if reply.get("status") != "aborted":  # what never ran says nothing
            self.wait_idle(msg_id, timeout)
        with self._news:
            log = [*self._log]
        received = [message for message in log if message.parent_id == msg_id]
        return Result(msg_id, reply, fold(log, msg_id), received, self.sent[msg_id])

    def outputs(self, msg_id: str) -> list[JSON]:
        """The outputs of a cell as they stand now, also while it runs."""
        with self._news:
            return fold(self._log, msg_id)

    def complete(self, code: str, cursor: int | None = None, timeout: float = 60) -> JSON:
        """The content of a `complete_reply`; the cursor is at the end if not given."""
        position = len(code) if cursor is None else cursor
        return self.ask("complete_request", {"code": code, "cursor_pos": position}, timeout)

    def inspect(
        self, code: str, cursor: int | None = None, *, detail: int = 0, timeout: float = 60
    ) -> JSON:
        """The content of an `inspect_reply`."""
        position = len(code) if cursor is None else cursor
        content = {"code": code, "cursor_pos": position, "detail_level": detail}
        return self.ask("inspect_request", content, timeout)

    def ask(self, kind: str, content: JSON, timeout: float = 60) -> JSON:
        """Send any shell request; gives the content of its reply."""
        return self.reply(self.post(kind, content), timeout)

    def post(
        self,
        kind: str,
        content: JSON,
        *,
        subshell: str | None = None,
        metadata: JSON | None = None,
    ) -> str:
        """Send any shell message; gives its id."""
        message = self.session.msg(kind, content, metadata=metadata)
        if subshell:
            message["header"]["subshell_id"] = subshell
        msg_id: str = message["header"]["msg_id"]
        self.sent[msg_id] = time.monotonic()
        self.session.send(self._shell, message)
        return msg_id

    def reply(self, msg_id: str, timeout: float = 60) -> JSON:
        """The content of the reply to a shell request."""
        return self._reply_on(self._shell, msg_id, timeout)

    def answer(self, typed: str, timeout: float = 60) -> JSON:
        """Wait for the kernel to ask the user something, and type that; gives what it asked.

        The cell must have been sent with `allow_stdin=True`.
        """
        end = time.monotonic() + timeout
        while not self._stdin.poll(500):
            self._check(end, "no question")
        _, message = self.session.recv(self._stdin)
        asked: JSON = message["content"]
        reply = self.session.msg("input_reply", {"value": typed, "status": "ok"})
        self.session.send(self._stdin, reply)
        return asked

    # Listening

    def messages(self, msg_id: str | None = None) -> list[Received]:
        """The iopub messages so far; of one request if its id is given."""
        with self._news:
            return [m for m in self._log if msg_id is None or m.parent_id == msg_id]

    def wait_idle(self, msg_id: str, timeout: float = 60) -> Received:
        """Until the kernel has done with a request."""

        def idle(message: Received) -> bool:
            return message.type == "status" and message.content["execution_state"] == "idle"

        return self.wait_for(msg_id, idle, timeout)

    def wait_for(
        self, msg_id: str | None, predicate: Callable[[Received], bool], timeout: float = 60
    ) -> Received:
        """The first iopub message, already here or to come, that the predicate holds for.

        `msg_id` restricts it to the messages of one request.
        """
        end = time.monotonic() + timeout
        seen = 0
        while True:
            with self._news:
                if seen == len(self._log):
                    self._news.wait(min(0.5, max(0.0, end - time.monotonic())))
                fresh = self._log[seen:]
            seen += len(fresh)
            for message in fresh:
                if (msg_id is None or message.parent_id == msg_id) and predicate(message):
                    return message
            if not fresh:
                self._check(end, f"got {self.messages(msg_id)[-5:]}")

    def wait_text(self, msg_id: str, text: str, timeout: float = 60) -> Received:
        """The message with which `text` stood in the printed or displayed text of a cell.

        Streams are added up; of a display its `text/plain` counts.
        """
        streams: dict[str, str] = {}

        def holds(message: Received) -> bool:
            content = message.content
            if message.type == "stream":
                name = content["name"]
                streams[name] = streams.get(name, "") + content["text"]
                return text in streams[name]
            return text in content.get("data", {}).get("text/plain", "")

        return self.wait_for(
            msg_id, lambda m: m.type in ("stream", *_WITH_DATA) and holds(m), timeout
        )

    # Comms and widgets

    def open_comm(self, target: str, data: JSON | None = None) -> tuple[str, str]:
        """Open a comm from the front end's side; gives its id and the message's id."""
        comm_id = os.urandom(16).hex()
        content = {"comm_id": comm_id, "target_name": target, "data": data or {}}
        return comm_id, self.post("comm_open", content)

    def comm(self, comm_id: str, data: JSON, *, subshell: str | None = None) -> str:
        """Send data over a comm; gives the message's id."""
        return self.post("comm_msg", {"comm_id": comm_id, "data": data}, subshell=subshell)

    def custom(self, model_id: str, content: Any, *, subshell: str | None = None) -> str:
        """Send a widget a custom message, as `model.send(content)` does in its front end."""
        return self.comm(model_id, {"method": "custom", "content": content}, subshell=subshell)

    def click(self, model_id: str, *, subshell: str | None = None) -> str:
        """Click a button of ipywidgets.

        Gives the id of the message: `kernel.sent[id]` is when, and what the callback does comes
        as messages of that id.
        """
        return self.custom(model_id, {"event": "click"}, subshell=subshell)

    def widgets(self) -> dict[str, JSON]:
        """The widgets that were opened, by model id: their present states."""
        found: dict[str, JSON] = {}
        for message in self.messages():
            content = message.content if message.type.startswith("comm_") else {}
            if message.type == "comm_open" and content["target_name"] == "jupyter.widget":
                found[content["comm_id"]] = dict(content["data"]["state"])
            elif message.type == "comm_msg" and content["comm_id"] in found:
                found[content["comm_id"]] |= content["data"].get("state", {})
            elif message.type == "comm_close":
                found.pop(content["comm_id"], None)
        return found

    def create_subshell(self, timeout: float = 10) -> str:
        """A subshell, as JupyterLab opens one for widgets; gives its id."""
        message = self.session.msg("create_subshell_request", {})
        self.session.send(self._control, message)
        content = self._reply_on(self._control, message["header"]["msg_id"], timeout)
        subshell: str = content["subshell_id"]
        return subshell

    # Wires

    def _connect(self, kind: int, port: int) -> zmq.Socket[bytes]:
        wire = self._context.socket(kind)
        wire.linger = 0
        wire.rcvhwm = 0  # keep all: what gets lost must have been lost by the kernel
        if kind == zmq.DEALER:
            wire.identity = self.session.bsession  # the kernel's questions go to who sent the cell
        if kind == zmq.SUB:
            wire.subscribe(b"")
        wire.connect(f"tcp://{self._manager.ip}:{port}")
        return wire

    def _read(self) -> None:
        """Keep what comes over iopub, in a thread of its own so that times are right."""
        with self._connect(zmq.SUB, self._manager.iopub_port) as wire:
            while not self._closing.is_set():
                if not wire.poll(100):
                    continue
                frames = wire.recv_multipart()
                at = time.monotonic()
                _, _, header, parent, *rest = frames[frames.index(b"<IDS|MSG>") :]
                message = Received(
                    at,
                    sum(map(len, frames)),
                    json.loads(header),
                    json.loads(parent),
                    tuple(rest),
                )
                with self._news:
                    self._log.append(message)
                    self._news.notify_all()

    def _reply_on(self, wire: zmq.Socket[bytes], msg_id: str, timeout: float) -> JSON:
        end = time.monotonic() + timeout
        while msg_id not in self._replies:
            if not wire.poll(max(0, min(500, int(1000 * (end - time.monotonic()))))):
                self._check(end, "no reply")
                continue
            _, message = self.session.recv(wire)
            self._replies[message["parent_header"]["msg_id"]] = message["content"]
        return self._replies[msg_id]

    def _greet(self, timeout: float) -> None:
        """Until the kernel answers, and we hear it.

        A subscription takes its time to arrive, and what was sent to a dead kernel is lost.
        """
        end = time.monotonic() + timeout
        while True:
            msg_id = self.post("kernel_info_request", {})
            with suppress(TimeoutError):
                self.wait_idle(msg_id, 1)
                self.reply(msg_id)
                return
            self._check(end, "no greeting")

    def _check(self, end: float, found: str) -> None:
        """Raise if there is nothing to wait for any more."""
        if not self.alive:
            raise KernelDiedError(f"the kernel died; {found}\n{self.log}")
        if time.monotonic() >= end:
            raise TimeoutError(f"the kernel did not say it in time; {found}\n{self.log}")


_WITH_DATA = ("display_data", "update_display_data", "execute_result")
