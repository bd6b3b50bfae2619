"""Keys are found nowhere but in their header at the server, whatever a user does.

Every way in which a key can be given has a canary. A real kernel does what users do, also what goes
wrong, with verbose tracebacks and logging at its loudest; then everything is searched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.environment import processes_of
from support.jan import add_model, write_json
from support.kernel import Kernel
from support.server import Entry, StreamingServer

CANARIES = {
    "openai": "sk-canary-environment-6f1c",
    "named": "canary-of-a-named-variable-77d0",
    "groq": "gsk_canary-key-file-93ab",
    "box": "canary-engine-file-51ee",
    "heads": "canary-header-2c47",
    "typed": "canary-typed-unseen-08bd",
    "claude": "canary-of-claude-4b1e",
    "azure-openai": "canary-of-azure-e07a",
}
HEADERS = {"heads": "x-api-key", "azure-openai": "api-key"}
"""The header that carries a key, where it is not `Authorization`."""
BEHAVIOURS = {
    "whole": "n=5",
    "refused": "error=invalid_api_key,leak",
    "unknown": "error=model_not_found,leak",
    "limited": "status=429,retry_after=300,leak",
    "broken": "status=500,form=string,leak,times=1",
    "cut": "n=9,cut=3",
    "reset": "n=9,reset=3",
    "rubbish": "n=9,rubbish=2",
    "failing": "n=9,error_at=2",
    "stalled": "n=9,stall=2",
    "hangup": "hangup",
}

SETUP = """
import gc, io, logging, sys, traceback
logging.basicConfig(level=logging.DEBUG, filename={log!r})
%load_ext jan_jupyter
%xmode Verbose
import jan_jupyter as jan

def dig(error):
    '''What a debugger shows: the variables of every frame, and what is in them.'''
    done = set()
    while error is not None and id(error) not in done:
        done.add(id(error))
        print(*traceback.TracebackException.from_exception(error, capture_locals=True).format())
        print(repr(getattr(error, '__dict__', '')), error.args)
        for frame, _ in traceback.walk_tb(error.__traceback__):
            for value in [*frame.f_locals.values()]:
                print(repr(value), repr(getattr(value, '__dict__', ''))[:20000])
        error = error.__cause__ or error.__context__
"""

ASK = """
%%jan {name}
hi
"""
IN_PYTHON = """
try:
    print(jan.chat("hi", {name!r}))
except jan.JanError as error:
    dig(error)
"""
RAISED = "jan.chat('hi', {name!r})"
LOOK = """
engine = jan.router.registry.engine({engine!r}, print)
from jan_jupyter.types import ChatRequest, Message
request, target = jan.router.prepare(ChatRequest([Message("user", "hi")], {{}}), {name!r})
looked = (engine, engine.options, vars(engine), request, target, vars(engine.client), jan.router)
for shown in looked:
    print(repr(shown))
import dataclasses
print(dataclasses.asdict(engine.options), [*engine.options.headers.items()])
print(engine.options.found_key(), target.engine.preview(target.model, request))
"""
LINES = (
    "%jan models",
    "%jan engines",
    "%jan keys",
    "%jan status",
    "%jan ps",
    "%jan hub",
    "%jan help",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canary")


@pytest.fixture(scope="module")
def notebook(folder: Path, _streaming_server: StreamingServer) -> Iterator[Kernel]:
    env = {"OPENAI_API_KEY": CANARIES["openai"], "MY_SERVICE": CANARIES["named"]}
    with Kernel(folder=folder, env={**env, "PYTHONASYNCIODEBUG": "1"}) as kernel:
        base = {"base_url": _streaming_server.base_url}
        engines = {
            "openai": {**base, "api_key_env": "OPENAI_API_KEY"},
            "named": {**base, "api_key_env": "MY_SERVICE"},
            "groq": base,
            "box": {**base, "api_key": CANARIES["box"]},
            "heads": {**base, "headers": {"X-Api-Key": CANARIES["heads"]}},
            "typed": base,
            "claude": {**base, "api_key": CANARIES["claude"]},
            "azure-openai": {**base, "api_key": CANARIES["azure-openai"]},
        }
        for engine, fields in engines.items():
            write_json(kernel.data_folder / "engines" / engine / "engine.json", fields)
            for behaviour in BEHAVIOURS:
                name = f"{engine}-{behaviour}"
                add_model(kernel.data_folder, name, engine=engine, settings={"timeout": 0.5})
            nowhere = {"base_url": "http://127.0.0.1:9/v1"}
            add_model(kernel.data_folder, f"{engine}-nowhere", engine=engine, settings=nowhere)
        file = write_json(kernel.data_folder / "keys.json", {"groq@127.0.0.1": CANARIES["groq"]})
        file.chmod(0o600)
        yield kernel


def carriers(entry: Entry) -> dict[str, str]:
    """The headers of a request that hold a canary."""
    return {k: v for k, v in entry.headers.items() if any(c in v for c in CANARIES.values())}


def searched(where: str, text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    for engine, canary in CANARIES.items():
        at = data.find(canary.encode())
        assert at < 0, f"the key of {engine} is in {where}: …{data[max(0, at - 300) : at + 60]!r}"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_keys_are_found_nowhere_but_in_their_header(
    notebook: Kernel, folder: Path, server: StreamingServer
) -> None:
    for engine in CANARIES:
        for behaviour, how in BEHAVIOURS.items():
            server.behave(f"{engine}-{behaviour}", how)
    result = notebook.execute(SETUP.format(log=str(folder / "debug.log")))
    assert result.status == "ok", result.error
    message = notebook.send("%jan keys set typed", allow_stdin=True)
    notebook.answer(CANARIES["typed"])
    assert notebook.result(message).status == "ok"

    for engine in CANARIES:
        whole = engine in ("openai", "heads")  # the one in the usual header, the other in its own
        for behaviour in (*BEHAVIOURS, "nowhere") if whole else ("whole", "refused", "cut"):
            name = f"{engine}-{behaviour}"
            outcome = notebook.execute(ASK.format(name=name))
            assert (outcome.status == "ok") == (behaviour in ("whole", "broken")), (name, outcome)
            notebook.execute("%tb")
            assert notebook.execute(IN_PYTHON.format(name=name)).status == "ok"
        notebook.execute(RAISED.format(name=f"{engine}-refused"))
        notebook.execute("%tb")
        looked = notebook.execute(LOOK.format(engine=engine, name=f"{engine}-whole"))
        assert looked.status == "ok", looked.error
        notebook.execute(f"%%jan {engine}-whole --dry-run\nhi")
        notebook.execute(f"%%jan {engine}-whole --thread kept\nhi")
        notebook.execute(f"%jan engines {engine} --models")
        before = len(server.journal())
        stopped = notebook.send(f"%%jan {engine}-stalled\nhi")
        server.wait("received", count=before + 1)
        notebook.interrupt()
        notebook.wait_idle(stopped)
    assert list(folder.rglob("messages.jsonl"))  # it is searched with all other files
    for line in LINES:
        assert notebook.execute(line).status == "ok"
    notebook.execute("%jan keys rm typed")
    notebook.execute("reply = jan.chat('hi', 'openai-whole'); vars(reply), reply.request")
    notebook.execute("client = jan.openai(); vars(client)")
    assert notebook.execute("%jan -m jan-mini what is 1 + 1?").status == "ok"  # starts a worker

    # The server: each key in its own header, and nowhere else.
    entries = server.journal()
    for engine, canary in CANARIES.items():
        asked = [entry for entry in entries if isinstance(entry.body, dict)]
        ours = [entry for entry in asked if str(entry.body["model"]).startswith(f"{engine}-")]
        assert len(ours) > 5
        header = HEADERS.get(engine, "authorization")
        for entry in ours:
            value = f"Bearer {canary}" if header == "authorization" else canary
            assert carriers(entry) == {header: value}
    for entry in entries:
        assert len(carriers(entry)) == 1
        searched("a request body", json.dumps([entry.path, entry.body]))

    # All that reached the notebook, and so all that it can save.
    for received in notebook.messages():
        searched(f"a message ({received.type})", b"".join(received.frames))

    # Other processes: command line and environment.
    others = [p for p in processes_of(folder) if p.pid != notebook.pid]
    assert others
    for process in others:
        try:
            searched(f"the command line of {process}", " ".join(process.cmdline()))
            searched(f"the environment of {process}", str(process.environ()))
        except psutil.NoSuchProcess:
            continue

    # Every file: log, history, threads, what workers share.
    assert notebook.execute("%jan unload jan-mini").status == "ok"
    psutil.wait_procs(others, timeout=10)
    notebook.execute("logging.shutdown(); get_ipython().history_manager.writeout_cache()")
    written = ("box", "heads", "claude", "azure-openai")  # where the user has written it
    own = {folder / "jan" / "engines" / name / "engine.json" for name in written}
    own.add(folder / "jan" / "keys.json")
    read = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path not in own and path.is_file():
                searched(str(path), path.read_bytes())
                read += path.stat().st_size
    assert read > 100_000
    assert (folder / "debug.log").stat().st_size > 10_000
