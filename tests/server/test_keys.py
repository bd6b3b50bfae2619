"""A key that a page gives is for owners to give, and stands in no log, event or figure."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.test_events import listening
from support.hosts import Alone, Host
from support.jan import add_model

CANARY = "gsk-canary-of-a-page-77aa"


def test_it_stands_nowhere_but_where_it_is_kept(host: Host) -> None:
    add_model(host.data_folder, "far", engine="groq")

    async def go() -> None:
        async with listening(host) as ear:
            kept = await asyncio.to_thread(host.ask, "PUT", "/keys/groq", {"key": CANARY})
            assert (kept.status, kept.json["kept"]) == (200, True)
            wrong = await asyncio.to_thread(host.ask, "PUT", "/keys/groq", CANARY.encode())
            assert wrong.status == 400
            told = [kept.body, wrong.body, host.ask("GET", "/keys").body, str(ear.state).encode()]
            assert CANARY.encode() not in b"".join(told)

    asyncio.run(go())
    holding = [path for path in host.folder.rglob("*") if path.is_file() and _holds(path)]
    assert [path.name for path in holding] == ["keys.json"]
    assert host.ask("DELETE", "/keys/groq").json["deleted"]
    assert not any(CANARY in line for line in host.log)


def _holds(path: Path) -> bool:
    return CANARY.encode() in path.read_bytes()


def test_whoever_may_only_ask_sees_and_gives_none(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("ada sk-of-ada-0123456789abcdef\n")
    file.chmod(0o600)
    with Alone(tmp_path, "--key-file", str(file), "--metrics", key="") as host:
        headers = {"Authorization": "Bearer sk-of-ada-0123456789abcdef"}
        for method, path in (
            ("GET", "/keys"),
            ("PUT", "/keys/groq"),
            ("DELETE", "/keys/groq"),
            ("GET", "/generating"),
            ("POST", "/models/jan-mini/stop"),
        ):
            answer = host.ask(method, path, {"key": CANARY} if method == "PUT" else None, headers)
            assert answer.status == 403, (method, path)
