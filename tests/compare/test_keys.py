"""The key of a call: equal for what is asked alike, else another; the same in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import ChatRequest, Message, Workspace
from jan_jupyter.compare.keeping import written
from jan_jupyter.compare.running import keys
from jan_jupyter.precedence import Level
from support.jan import KEY, add_model, write_json
from support.random_model import write_model

ASKED = ChatRequest([Message("system", "short"), Message("user", "one")], {"temperature": 0.5})

Key = Callable[..., str]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data folder with a local model and a remote one."""
    add_local(tmp_path, "local")
    engine = {"base_url": "http://127.0.0.1:9/v1", "api_key": KEY}
    write_json(tmp_path / "engines" / "openai" / "engine.json", engine)
    add_model(tmp_path, "remote", engine="openai")
    return tmp_path


def add_local(folder: Path, name: str, **fields: Any) -> Path:
    path = add_model(
        folder, name, engine="nitro", settings={"llama_model_path": "m.gguf"}, **fields
    )
    write_model(path.with_name("m.gguf"))
    return path.with_name("m.gguf")


def key(
    place: Path,
    model: str = "remote",
    request: ChatRequest = ASKED,
    repeat: int = 0,
    settings: Any = (),
    **more: Any,
) -> str:
    router = Workspace(place).router
    levels = [Level("model", dict(settings))] if settings else []
    return keys.key(*router.prepare(request, model, levels), repeat, **more)


def test_the_same_call_has_the_same_key_in_every_process(place: Path) -> None:
    code = (
        "import sys\nfrom compare.test_keys import key\nfrom pathlib import Path\n"
        "print(key(Path(sys.argv[1]), 'local'), key(Path(sys.argv[1]), 'remote'))"
    )
    tests = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)],
        env={**os.environ, **tests},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [key(place, "local"), key(place, "remote")]
    assert len(done.stdout.split()[0]) == 64


def test_what_makes_another_key(place: Path) -> None:
    asked = [
        ASKED,
        ChatRequest([Message("user", "one")], {"temperature": 0.5}),
        ChatRequest(ASKED.messages, {"temperature": 0.6}),
        ChatRequest(ASKED.messages, {"temperature": 0.5, "seed": 1}),
        ChatRequest(ASKED.messages, {"temperature": 0.5}, schema={"type": "object"}),
        ChatRequest(ASKED.messages, {"temperature": 0.5}, extra={"x": 1}),
    ]
    found = [key(place, model, request) for model in ("local", "remote") for request in asked]
    found.append(key(place, repeat=1))
    found.append(key(place, following=[[Message("user", "two")]]))
    found.append(key(place, "local", settings={"ctx_len": 256}))
    assert len({*found}) == len(found)


def test_what_makes_no_other_key(place: Path) -> None:
    one = key(place)
    assert (
        key(place, request=ChatRequest(ASKED.messages, {"temperature": 0.5}, priority="grid"))
        == one
    )
    engine = place / "engines" / "openai" / "engine.json"
    write_json(engine, {"base_url": "http://127.0.0.1:9/v1", "api_key": "sk-another"})
    assert key(place) == one
    write_json(engine, {"base_url": "http://me:secret@127.0.0.1:9/v1"})
    two = key(place)
    write_json(engine, {"base_url": "http://me:other@127.0.0.1:9/v1"})
    assert key(place) == two


def test_how_many_are_asked_for_at_once_is_no_other_key(place: Path) -> None:
    several = ChatRequest(ASKED.messages, {"temperature": 0.5, "n": 3})
    assert key(place, "local", several, 1) == key(place, "local", repeat=1)


def test_another_address_is_another_key(place: Path) -> None:
    one = key(place)
    write_json(
        place / "engines" / "openai" / "engine.json",
        {"base_url": "http://127.0.0.1:10/v1", "api_key": KEY},
    )
    assert key(place) != one


def test_parameters_of_the_model_itself_count(place: Path) -> None:
    one = key(place, "local")
    add_local(place, "local", parameters={"top_k": 7})
    assert key(place, "local") != one


def test_a_local_model_is_its_file(place: Path) -> None:
    file = place / "models" / "local" / "m.gguf"
    os.utime(file, ns=(10**18, 10**18))
    one = key(place, "local")
    copied = add_local(place, "copy")
    os.utime(copied, ns=(10**18, 10**18))
    assert key(place, "copy") == one  # whatever it is called
    os.utime(file, ns=(10**18, 10**18 + 1))
    assert key(place, "local") != one


def test_where_the_hash_is_known_the_time_does_not_count(place: Path) -> None:
    hashes = {"sha256": {"m.gguf": "a" * 64}}
    file = add_local(place, "known", metadata=hashes)
    one = key(place, "known")
    os.utime(file, ns=(10**18, 10**18))
    assert key(place, "known") == one
    add_local(place, "known", metadata={"sha256": {"m.gguf": "b" * 64}})
    assert key(place, "known") != one


def test_a_file_that_a_setting_names_counts(place: Path) -> None:
    adapter = place / "adapter.gguf"
    adapter.write_bytes(b"one")
    settings = {"adapter": str(adapter)}
    one = key(place, "local", settings=settings)
    adapter.write_bytes(b"another")
    assert key(place, "local", settings=settings) != one
    beside = {"lora": ["own.gguf"]}
    without = key(place, "local", settings=beside)
    (place / "models" / "local" / "own.gguf").write_bytes(b"one")
    assert key(place, "local", settings=beside) != without


def test_keys_of_services_are_in_no_key(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even hashed: what is hashed is looked at."""
    seen: list[str] = []
    real = written.fingerprint

    def looked_at(value: Any) -> str:
        seen.append(json.dumps(value, default=str))
        return real(value)

    monkeypatch.setattr(written, "fingerprint", looked_at)
    add_model(
        place,
        "own",
        engine="openai",
        settings={"base_url": "http://u:hidden@127.0.0.1:9/v1?key=hidden", "api_key": "hidden"},
    )
    key(place, "own", settings={"auth_token": "hidden", "list": ["https://hidden@x/"]})
    key(place)
    assert len(seen) == 2
    assert "127.0.0.1:9" in seen[0]
    assert not [text for text in seen if "hidden" in text or KEY in text]
