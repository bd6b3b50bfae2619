"""What goes with a cell's prompt, in a real kernel: attachments, a schema, functions, reasoning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.markdown import PAGE
from support.jan import add_remote
from support.kernel import Kernel
from support.server import StreamingServer, tokens

BEHAVIOURS = {
    "short": "n=5",
    "thinker": "n=5,reasoning=40",
    "caller": "tools=1,n=5,times=1",
}


@pytest.fixture(scope="module")
def notebook(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Kernel]:
    with Kernel(folder=tmp_path_factory.mktemp("notebook")) as kernel:
        add_remote(kernel.data_folder, _streaming_server, **BEHAVIOURS)
        kernel.execute(
            "%load_ext jan_jupyter\n"
            "from PIL import Image\n"
            "image = Image.new('RGB', (2, 2)); images = {'first': image}\n"
            "seen = []\n"
            "def lookup(**kw):\n    seen.append(kw); return 'found <b>it</b>'\n"
        )
        yield kernel


@pytest.fixture
def ask(notebook: Kernel, server: StreamingServer) -> Kernel:
    for name, behaviour in BEHAVIOURS.items():
        server.behave(name, behaviour)
    return notebook


def parts(server: StreamingServer) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = server.journal()[-1].body["messages"][-1]["content"]
    return content


def test_attachments_by_name_and_path(ask: Kernel, server: StreamingServer, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    path = tmp_path / "data.csv"
    cell = f"%%jan short --attach image -a 'images[\"first\"]' -a {path}\nwhat is this?"
    assert ask.execute(cell).status == "ok"
    kinds = [part["type"] for part in parts(server)]
    assert kinds == ["image_url", "image_url", "text", "text"]
    assert "a,b\n1,2" in parts(server)[2]["text"]
    result = ask.execute("%%jan short --attach nothing\nhi")
    assert result.error is not None
    assert "no such name, and no such file" in result.error.traceback[-1]


def test_a_schema_by_name_and_file(ask: Kernel, server: StreamingServer, tmp_path: Path) -> None:
    ask.execute("import pydantic\nclass City(pydantic.BaseModel):\n    name: str")
    (tmp_path / "city.json").write_text(json.dumps({"type": "object", "required": ["name"]}))
    for schema in ("City", str(tmp_path / "city.json")):
        assert ask.execute(f"%%jan short --schema {schema} --as reply\nhi").status == "ok"
        sent = server.journal()[-1].body["response_format"]["json_schema"]["schema"]
        assert sent["required"] == ["name"]
    result = ask.execute("reply.value")
    assert result.error is not None
    assert result.error.ename == "AnswerMismatch"
    result = ask.execute("%%jan short --schema Nowhere\nhi")
    assert result.error is not None
    assert "no such name" in result.error.traceback[-1]


def test_a_function_runs_in_the_kernel_and_its_result_goes_back(
    ask: Kernel, server: StreamingServer
) -> None:
    result = ask.execute("%%jan caller --tool lookup --yes --as reply\nhi")
    assert result.status == "ok", result.error
    call, answer = result.outputs
    assert "lookup(" in call["data"]["text/plain"]
    assert "<b>" not in call["data"]["text/markdown"]
    assert answer["data"]["text/plain"] == "".join(tokens(5))
    assert ask.execute("print(len(seen), [m.role for m in reply.messages])").text == (
        "1 ['user', 'assistant', 'tool', 'assistant']\n"
    )
    first, second = server.journal()
    assert first.body["tools"][0]["function"]["name"] == "lookup"
    assert second.body["messages"][-1]["content"] == "found <b>it</b>"


def test_a_function_does_not_run_where_nobody_can_be_asked(ask: Kernel) -> None:
    ask.execute("seen.clear()")
    result = ask.execute("%%jan caller --tool lookup\nhi")
    assert result.error is not None
    assert "--yes" in result.error.traceback[-1]
    assert ask.execute("print(seen)").text == "[]\n"


def test_reasoning_is_folded_away(ask: Kernel) -> None:
    (output,) = ask.execute("%%jan thinker --as reply\nhi").outputs
    shown = output["data"]["text/markdown"]
    assert shown.startswith(f"{PAGE}\n\n<details><summary>Reasoning, ")
    assert shown.partition("</details>")[2].strip().startswith("".join(tokens(5)).strip())
    assert output["data"]["text/plain"] == "".join(tokens(5))
    assert ask.execute("print(len(reply.reasoning) > 50)").text == "True\n"


def test_embed_and_speak(ask: Kernel) -> None:
    result = ask.execute("vector = %jan embed -m jan-mini hello there")
    assert "numbers from jan-mini" in result.text, result.error
    assert ask.execute("print(len(vector), len(vector[0]) > 10)").text == "1 True\n"
    result = ask.execute("%jan speak -m jan-mini hello")
    assert result.error is not None
    assert "cannot speak" in result.error.traceback[-1]
    ask.execute("%jan unload jan-mini")


def shown_in_order(ask: Kernel, cell: str) -> list[str]:
    message = ask.send(cell)
    ask.wait_idle(message, timeout=60)
    kinds = ("display_data", "update_display_data")
    updates = [m for m in ask.result(message).received if m.type in kinds]
    return [update.content["data"]["text/plain"] for update in updates]


def test_a_countdown_and_a_start_are_told_and_go_away(ask: Kernel, server: StreamingServer) -> None:
    server.behave("short", "n=5,status=429,retry_after=2,times=1")
    shown = shown_in_order(ask, "%%jan short\nhi")
    assert any("Trying again in 2 s" in text for text in shown)
    assert any("Trying again in 1 s" in text for text in shown)
    assert shown[-1] == "".join(tokens(5))
    server.behave("thinker", "n=5,error=loading,times=1")
    shown = shown_in_order(ask, "%%jan thinker\nhi")
    assert any("please wait" in text for text in shown)
    assert shown[-1] == "".join(tokens(5))
