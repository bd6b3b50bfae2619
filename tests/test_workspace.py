"""One middle: whoever asks, the same request goes out; and two workspaces never see each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors, openai_client
from jan_jupyter.conversation import Conversation, Surroundings
from jan_jupyter.engine_options import keys
from jan_jupyter.threads import Thread, ThreadMessage
from jan_jupyter.workspace import Workspace
from support.jan import add_remote, write_json
from support.kernel import Kernel
from support.server import StreamingServer

QUESTION = "And then, {who}?"
ASSISTANT = {
    "id": "poet",
    "name": "Poet",
    "instructions": "Speak in rhymes.",
    "model": "short",
    "tools": [],
    "parameters": {"top_p": 0.5},
}


def planted(folder: Path, server: StreamingServer) -> Workspace:
    """A data folder with a model, an assistant, and a thread that has its say in everything."""
    add_remote(folder, server, short="n=5")
    write_json(folder / "assistants/poet/assistant.json", ASSISTANT)
    workspace = Workspace(folder)
    thread = workspace.threads.create("story", assistant="poet")
    thread.configure(parameters={"seed": 7}, settings={"ctx_len": 512})
    thread.append(ThreadMessage.of(jan.Message("user", "Once upon a time")))
    thread.append(ThreadMessage.of(jan.Message("assistant", "there was a model.")))
    return workspace


def story(workspace: Workspace) -> Thread:
    return workspace.threads.get("story")


def by_python(workspace: Workspace) -> None:
    talk = jan.Chat("short", thread="story", assistant="poet", workspace=workspace)
    talk.ask(QUESTION, temperature=0.1)


def by_panel(workspace: Workspace) -> None:
    story(workspace).configure(parameters={"temperature": 0.1})
    talk = Conversation(
        Surroundings(lambda event: None), workspace, model="short", thread=story(workspace)
    )
    try:
        talk.take({"type": "send", "text": QUESTION})
        bridge.wait(_ended(talk))
    finally:
        talk.close()


async def _ended(talk: Conversation) -> None:
    await asyncio.sleep(0)  # what was taken is begun
    await talk.wait()


def by_openai(workspace: Workspace) -> None:
    client = openai_client.client(workspace)
    said: Any = [message.json() for message in story(workspace).conversation()]
    list(
        client.chat.completions.create(
            model="short",
            messages=[*said, {"role": "user", "content": QUESTION}],
            temperature=0.1,
            top_p=0.5,
            seed=7,
            stream=True,
        )
    )


def by_cell(workspace: Workspace) -> None:
    folder = workspace.models.writable
    with Kernel(env={"JAN_DATA_FOLDER": str(folder)}) as kernel:
        result = kernel.execute(
            "%load_ext jan_jupyter\n"
            "get_ipython().run_cell_magic('jan', '-m short --thread story -t 0.1 --raw', "
            f"{QUESTION!r})"
        )
        assert result.status == "ok", result.error


WAYS: Mapping[str, Callable[[Workspace], None]] = {
    "python": by_python,
    "panel": by_panel,
    "openai": by_openai,
    "cell": by_cell,
}


def test_whoever_asks_the_same_request_goes_out(tmp_path: Path, server: StreamingServer) -> None:
    sent = {}
    for name, way in WAYS.items():
        workspace = planted(tmp_path / name, server)
        server.clear()
        server.behave("short", "n=5")
        way(workspace)
        (asked,) = server.journal()
        sent[name] = asked.body
        bridge.wait(workspace.close())
    body = sent["python"]
    assert [message["role"] for message in body["messages"]] == [
        *("system", "user", "assistant", "user"),
    ]
    assert body["messages"][0]["content"] == "Speak in rhymes."
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.1, 0.5, 7)
    for name, other in sent.items():
        assert other == body, name


def test_two_workspaces_never_see_each_other(
    tmp_path: Path, isolated: Path, server: StreamingServer
) -> None:
    one, other = planted(tmp_path / "one", server), Workspace(tmp_path / "other")
    write_json(
        tmp_path / "one/models/m/model.json", {"id": "m", "engine": "groq", "name": "of one"}
    )
    write_json(tmp_path / "other/models/m/model.json", {"id": "m", "engine": "groq"})
    keys.store_key("groq", "sk-of-one", tmp_path / "one")
    write_json(tmp_path / "one/engines/groq/engine.json", {"settings": {"drop": ["seed"]}})

    jan.Chat("short", thread="new", workspace=one).ask("hi")
    assert {thread.title for thread in one.threads.list()} == {"story", "new"}
    assert other.threads.list() == jan.threads.list() == []
    assert [a.id for a in other.threads.assistants.list()] == ["jan"]
    with pytest.raises(errors.ThreadNotFound):
        jan.Chat(assistant="poet", workspace=other)
    with pytest.raises(errors.ModelNotFound):
        jan.Chat("short", workspace=other).ask("hi")

    assert one.models.get("m").state == "ready"
    assert other.models.get("m").state == "needs-key"
    assert one.models.engine_options("groq").settings == {"drop": ["seed"]}
    assert other.models.engine_options("groq").settings == {}
    assert one.models.engine_options("groq").key() == "sk-of-one"
    assert other.models.engine_options("groq").key() is None
    assert jan.models.engine_options("groq").key() is None
    jan.set_token_provider("Groq", lambda: "of the user")
    jan.set_token_provider("groq", lambda: "of other", tmp_path / "other")
    try:
        given = [w.models.engine_options("groq").token_provider for w in (one, other, jan)]
        assert [provider and provider() for provider in given] == [None, "of other", "of the user"]
    finally:
        jan.set_token_provider("groq", None)
        jan.set_token_provider("groq", None, tmp_path / "other")
    assert not other.models.engine_options("groq").has_token
    assert not (isolated / "jan/threads").exists()
    bridge.wait(one.close())
    bridge.wait(other.close())


def test_a_draft_is_written_with_its_first_question(
    isolated: Path, server: StreamingServer
) -> None:
    add_remote(isolated / "jan", server, short="n=5")
    write_json(isolated / "jan/assistants/poet/assistant.json", ASSISTANT)
    draft = jan.threads.draft("later", assistant="poet")
    draft.configure(parameters={"seed": 7}, instructions="Speak plainly.")
    talk = jan.Chat(thread=draft)
    assert [m.text for m in talk.messages] == ["Speak plainly."]
    stream = talk.stream("hi")
    assert not (isolated / "jan/threads").exists()
    assert stream.reply.text
    assert draft.thread is not None
    (listed,) = jan.threads.list()
    thread = jan.threads.get("later")
    assert listed.id == thread.id == draft.thread.id
    assert (thread.assistant, thread.instructions) == ("poet", "Speak plainly.")
    assert thread.parameters == {"seed": 7}
    assert talk.thread is draft.begin() is draft.thread
    talk.ask("again")
    assert [m.role for m in thread.messages] == ["user", "assistant"] * 2
