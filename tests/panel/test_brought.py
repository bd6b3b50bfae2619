"""What goes with a question that its page brings: kept as what the kernel finds is, and cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.conversation import brought
from jan_jupyter.conversation.protocol import Context
from jan_jupyter.errors import UsageError
from jan_jupyter.threads import ThreadMessage
from panel.test_conversation import ANSWER, FrontEnd, front_end
from support.jan import add_model
from support.server import StreamingServer

PICTURE = "data:image/png;base64,iVBORw0KGgo="
CELL: Context = {"label": "@cell:3", "text": "x = 4711"}


@pytest.fixture
def page(isolated: Path, server: StreamingServer) -> Iterator[FrontEnd]:
    with front_end(isolated, server) as page:
        yield page


def asked(page: FrontEnd, kind: str, **query: Any) -> Any:
    """What a query is answered with."""
    ask = f"{kind} {len(page.events)}"
    page.do(type=kind, ask=ask, **query)
    page.until(lambda: [event for event in page.events if event.get("to") == ask])
    (answer,) = [event for event in page.events if event.get("to") == ask]
    return answer.get("value", answer.get("error"))


def content(server: StreamingServer, turn: int = -1) -> Any:
    return server.journal()[-1].body["messages"][turn]["content"]


def test_what_a_page_brings_is_asked_and_kept(page: FrontEnd, server: StreamingServer) -> None:
    page.do(type="send", text="see @cell:3 and @table", context=[CELL], images=[PICTURE])
    page.settle()
    sent = content(server)
    assert sent[1] == {"type": "image_url", "image_url": {"url": PICTURE}}
    assert "4711" in sent[0]["text"]
    turn = page.path[0]
    assert turn["text"] == "see @cell:3 and @table"
    assert [one["label"] for one in turn["context"]] == ["@cell:3", "@table"]
    assert turn["images"] == [PICTURE]
    assert page.texts[1] == ANSWER


def test_what_the_page_brings_goes_before_what_is_found_here(
    page: FrontEnd, server: StreamingServer
) -> None:
    page.do(type="send", text="see @table", context=[{"label": "@table", "text": "of the page"}])
    page.settle()
    assert page.path[0]["context"] == [{"label": "@table", "text": "of the page"}]


def test_an_edit_keeps_what_is_still_named_and_takes_what_is_brought(
    page: FrontEnd, server: StreamingServer
) -> None:
    page.do(type="send", text="see @cell:3 @table", context=[CELL], images=[PICTURE])
    page.settle()
    page.do(type="edit", id=page.path[0]["id"], text="look at @cell:3")
    page.settle()
    assert page.path[0]["context"] == [CELL]
    assert page.path[0]["images"] == [PICTURE]
    page.do(type="edit", id=page.path[0]["id"], text="and now?", context=[CELL], images=[])
    page.settle()
    assert page.path[0]["context"] == [CELL]
    assert page.path[0]["images"] == []
    page.do(type="edit", id=page.path[0]["id"], text="no more")
    page.settle()
    assert page.path[0]["context"] == []
    assert content(server) == "no more"


def test_columns_are_asked_with_it(page: FrontEnd, server: StreamingServer) -> None:
    page.do(type="compare", models=["other"])
    page.do(type="send", text="see @cell:3", context=[CELL])
    page.settle()
    requests = [request.body["messages"][-1]["content"] for request in server.journal()[-2:]]
    assert all("4711" in text for text in requests)


def test_a_preview_tells_what_was_cut(page: FrontEnd) -> None:
    long: Context = {"label": "@output", "text": "y" * 30_000}
    told = asked(page, "preview", text="see @cell:3", images=1, context=[CELL, long])
    assert "4711" in told["request"]
    assert "data:…" in told["request"]
    assert not told["counted"]
    cell, output = told["context"]
    assert (cell["cut"], cell["tokens"]) == (0, 2)
    assert output["cut"] == 10_000
    assert output["text"].endswith("(10,000 more characters left out)")
    assert told["tokens"] > 5000


@pytest.mark.slow
def test_a_model_in_memory_counts_the_tokens_itself(page: FrontEnd) -> None:
    page.do(type="model", model="short")
    page.settle()
    assert asked(page, "preview", text="hi")["length"] is None  # nobody says it of that server
    page.do(type="model", model="jan-mini")
    page.settle()
    page.until(lambda: _state(page, "jan-mini") == "loaded", 60)
    told = asked(page, "preview", text="What is 2 + 2?")
    assert (told["counted"], told["length"]) == (True, 2048)
    page.do(type="send", text="What is 2 + 2?")
    page.settle()
    reply = page.talk.reply
    assert reply is not None
    assert reply.usage.prompt == told["tokens"]
    page.do(type="unload", model="jan-mini")
    page.until(lambda: _state(page, "jan-mini") == "ready", 60)
    told = asked(page, "preview", text="What is 2 + 2?")  # it is not loaded for that
    assert not told["counted"]
    assert _state(page, "jan-mini") == "ready"


def _state(page: FrontEnd, model: str) -> str | None:
    rows = {row["id"]: row["state"] for row in page.state.get("models", ())}
    return rows.get(model)


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": "x"},
        {"context": [{"label": "a"}]},
        {"context": [{"label": 1, "text": "x"}]},
        {"context": [["a", "x"]]},
        {"context": [CELL] * 51},
        {"images": "x"},
        {"images": ["https://example.org/a.png"]},
        {"images": [1]},
        {"images": [PICTURE] * 51},
    ],
)
def test_what_cannot_go_along_is_refused(page: FrontEnd, wrong: dict[str, Any]) -> None:
    page.do(type="send", text="hi", key="k", **wrong)
    page.until(lambda: page.state.get("notice"))
    assert any(event["type"] == "refused" for event in page.events)
    assert page.path == []


def test_what_is_cut_once_is_not_cut_again() -> None:
    once = brought.cut([{"label": "@a", "text": "x" * 50_000}])
    again = brought.cut(once)
    assert (again[0]["text"], again[0]["cut"]) == (once[0]["text"], 0)
    assert once[0]["cut"] == 30_000


def test_all_things_together_have_a_limit() -> None:
    many = brought.cut([{"label": f"@{i}", "text": "x" * 19_000} for i in range(10)])
    assert sum(len(one["text"]) for one in many) < brought.TOGETHER + 10 * brought.SLACK
    assert [bool(one["cut"]) for one in many] == [False] * 5 + [True] * 5
    assert all("left out" in one["text"] for one in many[5:])


def test_a_label_stands_on_one_line() -> None:
    found = brought.fitting([{"label": 'a "b"\n<c>', "text": ""}])
    assert found[0]["label"] == "a 'b' <c>"
    with pytest.raises(UsageError):
        brought.pictures(["data:text/html;base64,AAAA"])


def test_who_needs_a_key_is_told_whose_keys_count(page: FrontEnd, isolated: Path) -> None:
    add_model(isolated / "jan", "far", engine="claude")
    page.talk._around.on_keys = "Keys of a kernel are unknown here."
    page.do(type="hello")
    page.until(lambda: page.state.get("models"))
    notes = {row["id"]: row["note"] for row in page.state["models"]}
    assert "%jan keys set claude" in notes["far"]
    assert notes["far"].endswith("Keys of a kernel are unknown here.")


def test_a_kept_question_has_it(page: FrontEnd) -> None:
    page.do(type="send", text="see", context=[CELL])
    page.settle()
    assert page.talk.thread is not None
    kept = page.talk.thread.messages[0]
    assert isinstance(kept, ThreadMessage)
    assert "4711" in kept.text
