"""OpenAI's API over our router: whatever is asked, an error is the caller's or the server's."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter import api, bridge
from jan_jupyter.workspace import shared
from support.bodies import damaged
from support.jan import KEY, add_model, add_remote, write_json
from support.marks import LONG
from support.server import StreamingServer

ENGINES = {"claude": "", "azure-openai": "", "hf-endpoints": "tgi"}


@pytest.fixture
def models(isolated: Path, server: StreamingServer) -> Iterator[list[str]]:
    """A model of each way to speak to a server; all answer, whatever they are asked."""
    folder = isolated / "jan"
    add_remote(folder, server, openai="n=2")
    for engine, form in ENGINES.items():
        written = {"base_url": server.base_url, "api_key": KEY}
        write_json(folder / "engines" / engine / "engine.json", written)
        add_model(folder, engine, engine=engine, settings={"format": form} if form else {})
        server.behave(engine, "n=2")
    yield ["openai", *ENGINES]
    bridge.wait(jan.router.unload("jan-mini"))  # who leaves out the model asks this one
    bridge.wait(jan.router.close())


async def answered(path: str, body: bytes) -> tuple[int, bytes]:
    """Status and whole body of an answer, streamed or not."""
    response = await api.respond(shared(), api.Request("POST", path, body=body))
    if isinstance(response.body, bytes):
        return response.status, response.body
    async with aclosing(response.body) as pieces:
        return response.status, b"".join([piece async for piece in pieces])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"messages": [{"role": "user", "content": "a", "content": 7}]}', "messages.0.content: "),
        (b'{"messages": [{"role": "user", "content": [{"type": "text"}]}]}', "needs `text`"),
        (
            b'{"messages": [{"role": "user", "content": ["hi"]}]}',
            "content.0: Input should be an ob",
        ),
        (b'{"messages": [{"role": "a"}]}', "messages.0.role: Input should be 'system'"),
        (b'{"messages": [{}]}', "messages.0.role: Field required"),
        (b'{"messages": [], "stop": [1]}', "stop.0: "),
        (b'{"messages": [{"role": "user", "content": "a"}], "grammar": 7}', "grammar: .*string"),
        (b'[1, "hi"]', "its body: "),
        (b'{"messages": NaN}', "no JSON|not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
        (
            b'{"messages": [{"role": "user", "content": "a"}], "response_format": {"type":'
            b' "json_schema", "json_schema": {"schema": {"properties": {"a": 7}}}}}',
            "schema.schema: .*no JSON schema: 7 is not of type",
        ),
    ],
)
def test_what_is_wrong_is_named_in_one_line(body: bytes, says: str) -> None:
    status, said = bridge.wait(answered("chat/completions", body))
    error = json.loads(said)["error"]
    assert (status, error["type"]) == (400, "usage")
    assert re.search(says, error["message"])
    assert "\n" not in error["message"]


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=LONG)])
def test_a_damaged_request_is_a_fault_of_the_caller(models: list[str], count: int) -> None:
    statuses: Counter[int] = Counter()

    async def go() -> None:
        for number in range(count):
            path, body = damaged(number, models)
            status, said = await answered(path, body)
            case = (number, path, status, said[:300], body)
            assert status in (200, 201) or 400 <= status < 500, case
            assert b"fault in the engine" not in said, case
            statuses[status] += 1

    bridge.wait(go())
    assert statuses[200] > count / 20  # else it would look at nothing but the first check
    assert statuses[400] > count / 20
