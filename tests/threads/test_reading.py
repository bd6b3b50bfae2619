"""Any bytes open; every real thread goes on; what we did not change stays byte for byte."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jan_jupyter.errors import ThreadBroken, ThreadError
from jan_jupyter.threads import Thread, ThreadMessage, ThreadStore
from jan_jupyter.threads import message as turns
from jan_jupyter.threads.lines import read_lines
from jan_jupyter.types import Timings, Usage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = {
    "id": st.sampled_from(["a", "b", "c", 7]) | JSON,
    "role": st.sampled_from(["user", "assistant", "system", "tool"]) | JSON,
    "content": st.text(max_size=20)
    | st.lists(
        st.fixed_dictionaries(
            {}, optional={"type": st.sampled_from(["text", "image", "image_url"]), "text": JSON}
        )
        | JSON,
        max_size=3,
    )
    | JSON,
    "status": st.sampled_from(["ready", "pending", "error"]) | JSON,
    "created": st.integers(0, 2**53) | JSON,
    "metadata": st.fixed_dictionaries({}, optional={"jan_jupyter": JSON, "tokenSpeed": JSON})
    | JSON,
    "odd": JSON,
}
OBJECTS = st.fixed_dictionaries({}, optional=FIELDS).map(
    lambda value: json.dumps(value, ensure_ascii=True).encode()
)
LINES = st.lists(
    OBJECTS | st.binary(max_size=30).map(lambda data: data.replace(b"\n", b" ")), max_size=8
)


def open_thread(folder: Path, lines: list[bytes], end: bytes = b"\n") -> Thread:
    place = folder / "threads" / "t"
    place.mkdir(parents=True)
    (place / "thread.json").write_text('{"title": "t", "mine": {"kept": 1}}', "utf-8")
    (place / "messages.jsonl").write_bytes(b"\n".join(lines) + end)
    return ThreadStore(folder).get("t")


@given(LINES, st.sampled_from([b"", b"\n"]))
@settings(max_examples=60, deadline=None)
def test_any_lines_open_and_stay(lines: list[bytes], end: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        thread = open_thread(Path(folder), lines, end)
        path = thread.folder / "messages.jsonl"
        before = path.read_bytes()
        ids = [m.id for m in thread.messages]
        assert len({*ids}) == len(ids)
        thread.conversation()
        thread.export()
        new = thread.append(ThreadMessage("user", "new"))
        assert path.read_bytes().startswith(before)
        assert [m.id for m in thread.messages] == [*ids, new.id]
        thread.delete(new.id)
        assert path.read_bytes().rstrip(b"\n") == before.rstrip(b"\n")
        if ids:
            thread.fork(ids[-1])
            thread.switch(ids[-1])
            assert [m.id for m in thread.messages] == ids
            kept = [line for line in before.split(b"\n") if read_lines(line)[0] == []]
            after = path.read_bytes().split(b"\n")
            assert [line for line in kept if line.strip()] == [
                line for line in after if line.strip() and read_lines(line)[0] == []
            ]


@given(
    st.text(max_size=30),
    st.text(max_size=10),
    st.sampled_from(["ready", "stopped", "error"]),
    st.integers(0, 10**6),
)
def test_a_turn_is_read_as_it_was_written(
    text: str, reasoning: str, status: Any, tokens: int
) -> None:
    message = ThreadMessage(
        "assistant",
        text,
        id="x",
        status=status,
        created=1.7e9,
        model="m",
        engine="nitro",
        usage=Usage(3, tokens, 1),
        timings=Timings(total=1.5, tokens_per_second=20.0),
        finish="stop",
        error="why" if status == "error" else "",
        reasoning=reasoning,
        tool_calls=({"id": "c", "type": "function", "function": {"name": "f"}},),
        cell="cell",
        notebook="a.ipynb",
    )
    raw = json.loads(json.dumps(turns.write(message, "t", "jan")))
    found = turns.read(raw)
    assert found == message
    changed = turns.read(turns.rewrite(found, content="other", status="ready", error=""))
    assert changed is not None
    assert (changed.text, changed.error, changed.model) == ("other", "", "m")


def test_every_shape_of_content_that_jan_has_written() -> None:
    parts = [
        {"type": "text", "text": {"value": "a", "annotations": []}},
        {"type": "text", "text": "b"},
        {"type": "image", "text": {"annotations": ["data:image/png;base64,AA=="]}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,BB==", "detail": "low"}},
        {"type": "pdf", "text": {"value": "x", "name": "a.pdf"}},
        {"type": "reasoning", "text": {"value": "because"}},
    ]
    message = turns.read({"role": "user", "content": parts, "created": 1700000000})
    assert message is not None
    assert message.text == "ab"
    assert message.reasoning == "because"
    assert [part["type"] for part in message.content] == ["text", "text", "image_url", "image_url"]  # type: ignore[index]
    assert message.created == 1.7e9
    rewritten = turns.rewrite(message, content="c")["content"]
    assert rewritten == [{"type": "text", "text": {"value": "c", "annotations": []}}, parts[4]]


SAMPLES = ("v0.5.2", "today", "odd/31-threads")


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_real_thread_goes_on_and_stays_intact(
    shared_data: Path, tmp_path: Path, sample: str
) -> None:
    shutil.copytree(shared_data / sample, tmp_path / "jan")
    store = ThreadStore(tmp_path / "jan")
    ready = [listed for listed in store.list() if listed.state == "ready"]
    assert ready
    for listed in ready:
        described = json.loads((listed.folder / "thread.json").read_bytes())
        lines = (listed.folder / "messages.jsonl").read_bytes()
        thread = store.get(listed.id)
        before = thread.messages
        assert before
        question = thread.append(ThreadMessage("user", "Grüße 😀"))
        thread.answer(ThreadMessage("assistant", "hello", model="m"), question.id)
        assert (listed.folder / "messages.jsonl").read_bytes().startswith(lines)
        after = json.loads((listed.folder / "thread.json").read_bytes())
        assert after.pop("updated") > 1.7e12
        assert after["metadata"].pop("lastMessage") == "hello"
        described.pop("updated")
        described.setdefault("metadata", {}).pop("lastMessage", None)
        assert after == described
        assert [*after] == [*described]
        # Branches of it, and back: the old lines are still the same bytes.
        thread.fork(before[-1].id)
        thread.append(ThreadMessage(before[-1].role, "otherwise"))
        thread.switch(before[-1].id)
        assert thread.messages[: len(before)] == before
        first = [line for line in lines.split(b"\n") if line.strip()]
        now = (listed.folder / "messages.jsonl").read_bytes().split(b"\n")
        parsed = [*map(json.loads, filter(_is_json, first))]
        assert [*map(json.loads, filter(_is_json, now))][: len(parsed)] == parsed
        assert [x for x in now if x.strip() and not _is_json(x)] == [
            x for x in first if not _is_json(x)
        ]


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@pytest.mark.parametrize("sample", ["v0.5.9", "v0.6"])
def test_real_messages_without_a_thread_json(shared_data: Path, sample: str) -> None:
    (path,) = (shared_data / sample).glob("threads/*/messages.jsonl")
    messages, warnings = read_lines(path.read_bytes())
    assert not warnings
    assert messages
    assert all(m.role == "assistant" and m.text.startswith("Hello!") for m in messages)
    assert ThreadStore(shared_data / sample).list() == []


def test_a_broken_thread_hides_no_other(shared_data: Path) -> None:
    store = ThreadStore(shared_data / "odd" / "31-threads")
    states = {listed.id: listed.state for listed in store.list()}
    assert states == {"jan_bad": "broken", "jan_1710000001": "ready"}
    with pytest.raises(ThreadBroken, match=r"thread\.json, line 1"):
        store.get("jan_bad")
    thread = store.get("jan_1710000001")
    assert thread.model is None
    assert [m.text for m in thread.messages] == ["hello", "hi", "still here?"]
    assert len(thread.warnings) == 2


def test_the_speed_that_jan_measured_is_shown(shared_data: Path) -> None:
    (listed,) = ThreadStore(shared_data / "today").list()
    thread = ThreadStore(shared_data / "today").get(listed.id)
    assert (thread.model, thread.engine) == ("glm-4.7-flash:latest", "ollama")
    assert thread.levels()[1].parameters["temperature"] == 0.7
    answer = thread.messages[-1]
    assert answer.usage == Usage(completion=612)
    assert answer.timings == Timings(tokens_per_second=21.4)


def test_a_thread_from_elsewhere_names_no_place_and_no_program(tmp_path: Path) -> None:
    thread = open_thread(tmp_path, [])
    values = {
        "base_url": "https://elsewhere.example",
        "runtime_path": "/bin/evil",
        "llama_model_path": "/etc/passwd",
        "mmproj": "x",
        "drop": ["messages"],
        "ctx_len": "4096",
        "flash_attn": "on",
    }
    asked = {"messages": [], "model": "other", "tools": [], "seed": 1}
    raw = {"assistants": [{"assistant_id": "jan", "model": {"id": "m"}}]}
    raw["assistants"][0]["model"] |= {"settings": values, "parameters": asked}  # type: ignore[operator]
    (thread.folder / "thread.json").write_text(json.dumps(raw), "utf-8")
    assert thread.settings == {"ctx_len": 4096, "flash_attn": "on"}
    assert thread.parameters == {"seed": 1}
    thread.configure(settings={"ngl": 3, "ctx_len": None}, parameters={"temperature": 0.5})
    assert thread.settings == {"ngl": 3, "flash_attn": "on"}
    assert thread.parameters == {"seed": 1, "temperature": 0.5}
    written = json.loads((thread.folder / "thread.json").read_bytes())
    assert written["assistants"][0]["model"]["settings"]["base_url"] == values["base_url"]


def test_times_that_cannot_be_are_unknown(tmp_path: Path) -> None:
    times = [1262304000, 1577836801, 1669852800000, 1704067200.5, 0, "x"]
    lines = [json.dumps({"id": str(t), "role": "user", "created": t}).encode() for t in times]
    thread = open_thread(tmp_path, lines)
    (thread.folder / "thread.json").write_text('{"created": 1701388800}')
    known = [None, None, 1669852800.0, 1704067200.5, None, None]
    assert [m.created for m in thread.messages] == known


def test_messages_without_an_id_keep_their_branches(tmp_path: Path) -> None:
    lines = [b'{"role":"user","content":"q"}', b'{"role":"assistant","content":"a"}']
    thread = open_thread(tmp_path, lines)
    assert [m.id for m in thread.messages] == ["line-1", "line-2"]
    thread.fork("line-2")
    thread.append(ThreadMessage("assistant", "b"))
    assert [thread.message(id).text for id in thread.versions("line-2")] == ["a", "b"]
    thread.switch("line-2")
    assert [m.text for m in thread.messages] == ["q", "a"]


def test_twice_the_same_id(tmp_path: Path) -> None:
    lines = [b'{"id":"a","role":"user","content":"old"}', b'{"id":"b","role":"user"}']
    thread = open_thread(tmp_path, [*lines, b'{"id":"a","role":"user","content":"new"}'])
    assert [(m.id, m.text) for m in thread.messages] == [("a", "new"), ("b", "")]
    thread.update("a", content="newer")
    assert [m.text for m in thread.messages] == ["newer", ""]
    assert (thread.folder / "messages.jsonl").read_bytes().startswith(lines[0])
    thread.delete("a")
    assert [m.id for m in thread.messages] == ["b"]


def test_a_message_needs_a_role(tmp_path: Path) -> None:
    thread = open_thread(tmp_path, [])
    with pytest.raises(ThreadError):
        thread.append(ThreadMessage("robot"))  # type: ignore[arg-type]
    assert thread.messages == ()
