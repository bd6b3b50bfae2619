"""`%jan models`, `show`, `import`, `rm`, `edit` in a real kernel."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.trees import gguf_bytes, plant
from support.jan import add_model, write_json
from support.kernel import Kernel, Result

MINI = Path(__file__).parents[2] / "jan_jupyter/data/models/jan-mini/jan-mini.gguf"
EVIL = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
HEADER = {
    "general.architecture": "llama",
    "general.file_type": 15,
    "llama.context_length": 131072,
    "llama.block_count": 80,
    "llama.embedding_length": 8192,
    "llama.attention.head_count": 64,
    "llama.attention.head_count_kv": 8,
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(folder=tmp_path_factory.mktemp("models"), env={"JAN_KEEP_ALIVE": "5"}) as kernel:
        plant(
            kernel.data_folder,
            {
                "models/huge/model.json": {"id": "huge", "settings": {"ctx_len": 10**9}},
                "models/huge/huge-Q4_K_M.gguf": gguf_bytes(HEADER),
                "models/gpt/model.json": {"id": "gpt", "engine": "openai"},
                "models/later/model.json": {
                    "id": "later",
                    "sources": [{"url": "https://x.example/later-Q5_K_M.gguf"}],
                    "metadata": {"size": 4_000_000_000},
                },
                "models/evil/model.json": {
                    "id": EVIL,
                    "name": EVIL,
                    "engine": EVIL,
                    "description": EVIL,
                    "settings": {EVIL: EVIL},
                },
                "models/cut/model.json": "{",
                "elsewhere/evil/model.json": {
                    "id": "thief",
                    "engine": "openai",
                    "settings": {"base_url": "https://evil.example"},
                },
            },
        )
        assert kernel.execute("%load_ext jan_jupyter").outputs == []
        yield kernel


def shown(result: Result) -> dict[str, Any]:
    assert result.status == "ok", result.error
    (output,) = [o for o in result.outputs if "data" in o]
    data = output["data"]
    assert isinstance(data, dict)
    return data


def lines(data: dict[str, Any]) -> dict[str, str]:
    """The rows of a list by their first word, each with what stands below it."""
    whole = data["text/plain"].replace("\n    ", " ")
    return {line.split()[0]: line for line in whole.splitlines()}


def failed(result: Result) -> str:
    assert result.status == "error"
    said = [m for m in result.received if m.type in ("error", "stream")]
    text = "".join(
        "".join(m.content["traceback"]) if m.type == "error" else m.content["text"] for m in said
    ).strip()
    assert len(text.splitlines()) == 1
    return text


def test_the_listing(notebook: Kernel) -> None:
    data = shown(notebook.execute("%jan models"))
    rows = lines(data)
    assert "● ready" in rows["jan-mini"]
    assert "nitro · this machine" in rows["jan-mini"]
    assert "openai · api.openai.com" in rows["gpt"]
    assert "bundled" in lines(shown(notebook.execute("%jan models -v")))["jan-mini"]
    listed = notebook.execute("import jan_jupyter as jan\njan.models.list()").data()[-1]
    assert "<Model jan-mini: nitro, ready, " in listed
    for part in ("(default)", "Q4_K_M", "1,000,000,000", "too large: needs"):
        assert part in rows["huge"]
    assert "○ needs key" in rows["gpt"]
    for part in ("4.0 GB", "Q5_K_M", "○ not downloaded"):
        assert part in rows["later"]
    assert "✕ broken" in rows["cut"]
    assert [*rows].index("jan-mini") < [*rows].index("gpt") < [*rows].index("cut")
    assert "--jp-error-color1" in data["text/html"]


def test_a_server_of_this_machine_runs_or_not_in_every_list(notebook: Kernel) -> None:
    folder = notebook.data_folder
    with (
        socket.create_server(("127.0.0.1", 0)) as open_,
        socket.create_server(("127.0.0.1", 0)) as closed,
    ):
        here, gone = (f"127.0.0.1:{one.getsockname()[1]}" for one in (open_, closed))
        closed.close()
        add_model(folder, "absent", engine="ollama")
        add_model(folder, "present", engine="vllm")
        for engine, host in (("ollama", gone), ("vllm", here)):
            write_json(folder / f"engines/{engine}/engine.json", {"base_url": f"http://{host}/v1"})
        models = lines(shown(notebook.execute("%jan models")))
        engines = lines(shown(notebook.execute("%jan engines")))
        one = shown(notebook.execute("%jan show absent"))["text/plain"]
        other = shown(notebook.execute("%jan show present"))["text/plain"]
    for told in (models["absent"], engines["ollama"], one):
        assert "not running" in told
        assert f"nothing listens at {gone}" in told
    for told in (models["present"], engines["vllm"], other):
        assert "ready" in told
        assert "not running" not in told
    assert [*models].index("present") < [*models].index("absent")
    assert (
        "<Model absent: ollama>"
        in notebook.execute("import jan_jupyter as jan\njan.models.list()").data()[-1]
    )


def test_nothing_from_a_file_is_more_than_text(notebook: Kernel) -> None:
    for code in ("%jan models", "%jan models -v", "%jan show evil", "%jan show <img"):
        result = notebook.execute(code)
        for message in result.received:
            data = message.content.get("data") or {}
            said = "".join(map(str, [*data.values(), *message.content.get("traceback", ())]))
            said = said.replace("\x1b[31mModelNotFound\x1b[0m", "")
            assert "<img" not in data.get("text/html", "")
            assert not {"\x1b", "\u202e"} & {*said}
    html = shown(notebook.execute("%jan show evil"))["text/html"]
    assert "&lt;img src=x onerror=alert(1)&gt;�[31m�" in html


def test_a_card(notebook: Kernel) -> None:
    data = shown(notebook.execute("%jan show huge"))
    for part in ("too large: needs", "llama · Q4_K_M", "trained for 131,072", "ctx_len=1000000000"):
        assert part in data["text/plain"]
    assert notebook.execute("print(_.id)").text == "huge\n"
    assert "huge" in failed(notebook.execute("%jan show hug"))


def test_a_model_from_import_to_removal(notebook: Kernel) -> None:
    said = notebook.execute(f"%jan import {MINI} --copy --as mine").text
    assert "mine is a model now" in said
    copy = notebook.data_folder / "models/mine/jan-mini.gguf"
    assert copy.read_bytes() == MINI.read_bytes()
    assert "exists" in failed(notebook.execute(f"%jan import {MINI} --as mine")).casefold()
    said = notebook.execute("%jan edit mine temperature=0 max_tokens=5 name='My own'").text
    assert "mine: temperature = 0" in said
    assert notebook.execute("%%jan mine\nWhat is the capital of France?").status == "ok"
    assert "● loaded" in lines(shown(notebook.execute("%jan models mine")))["mine"]
    assert "mine is removed, 2.9 MB." in notebook.execute("%jan rm mine").text
    assert not copy.parent.exists()
    assert "mine" not in str(notebook.execute("%jan ps").outputs)
    assert "mine" in failed(notebook.execute("%jan rm mine"))


def test_a_model_that_stays_where_it_is(notebook: Kernel) -> None:
    assert "used where it lies" in notebook.execute(f"%jan import {MINI} --as there").text
    said = notebook.execute("%jan rm there").text
    assert str(MINI) in said
    assert MINI.exists()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%jan import nowhere.gguf", "nowhere.gguf"),
        (f"%jan import {MINI} --copy --link", "not both"),
        ("%jan import", "See %jan import?"),
        ("%jan rm jan-mini", "not ours"),
        ("%jan rm", "MODEL"),
        ("%jan edit huge", "KEY=VALUE"),
        ("%jan edit huge temperature", "KEY=VALUE"),
        ("%jan edit huge temprature=1", "temprature"),
        ("%jan edit huge temperature=9", "within"),
        ("%jan edit jan-mini temperature=1", "not ours"),
        ("%jan show", "MODEL"),
        ("%jan models --verbos", "--verbose"),
    ],
)
def test_a_mistake_is_one_line(notebook: Kernel, code: str, says: str) -> None:
    assert says in failed(notebook.execute(code))


def test_an_address_is_told_before_a_key_goes_there(notebook: Kernel) -> None:
    folder = notebook.data_folder / "elsewhere/evil"
    said = failed(notebook.execute(f"%jan import {folder}"))
    assert "https://evil.example" in said
    assert "--trust-address" in said
    notebook.execute(f"%jan import {folder} --trust-address")
    assert notebook.execute("%jan rm thief").status == "ok"


def test_tab_offers_models_paths_and_options(notebook: Kernel) -> None:
    def offered(code: str) -> list[str]:
        return list(notebook.complete(code)["matches"])

    assert offered("%jan show hu") == ["huge"]
    assert offered("%jan import x --l") == ["--link"]
    assert f"{MINI}" in offered(f"%jan import {MINI.parent}/jan-mini.g")
    assert "import" in offered("%jan im")
    assert "Without --copy" in json.dumps(notebook.execute("%jan import?").outputs)
