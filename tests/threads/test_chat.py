"""`jan.Chat` with a thread: each turn is kept as it is, and every way of asking has its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.threads import Thread, ThreadMessage
from support.jan import add_remote
from support.server import StreamingServer, tokens

FIVE = "".join(tokens(5))
"""What `five` says, and `cut` before it is cut; `echo` says the last question in quotes."""


@pytest.fixture
def models(isolated: Path, server: StreamingServer) -> Iterator[Path]:
    behaviours = {"echo": "echo", "cut": "n=10,cut=5", "long": "n=2000,delay=0.01", "five": "n=5"}
    behaviours["silent"] = "status=401"
    add_remote(isolated / "jan", server, **behaviours)
    yield isolated / "jan"
    bridge.wait(jan.router.close())


def texts(thread: Thread) -> list[str]:
    return [message.text for message in thread.messages]


def sent(server: StreamingServer) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in server.journal()[-1].body["messages"]]


def test_a_turn_is_kept_with_all_that_is_known_of_it(models: Path) -> None:
    talk = jan.Chat("five", thread="kept", system="Be brief.")
    reply = talk.ask("hi")
    thread = jan.threads.get("kept")
    assert talk.thread is thread
    question, answer = thread.messages
    assert (question.role, question.text) == ("user", "hi")
    assert (answer.role, answer.text, answer.status) == ("assistant", FIVE, "ready")
    assert (answer.model, answer.engine, answer.finish) == ("five", "openai", "stop")
    assert answer.usage == reply.usage
    assert answer.timings is not None
    assert answer.timings.total is not None
    assert (thread.model, thread.instructions) == ("five", "Be brief.")
    assert thread.metadata["lastMessage"] == FIVE


def test_a_thread_goes_on_in_another_chat_with_its_model_and_instructions(
    models: Path, server: StreamingServer
) -> None:
    jan.Chat("echo", thread="t", system="Be brief.").ask("one")
    jan.Chat(thread="t").ask("two")
    assert sent(server) == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", '"one"'),
        ("user", "two"),
    ]
    asyncio.run(jan.Chat("five", thread="t").aask("three"))
    thread = jan.threads.get("t")
    assert texts(thread) == ["one", '"one"', "two", '"two"', "three", FIVE]
    assert thread.messages[-1].model == thread.model == "five"


def test_without_a_thread_nothing_is_written(models: Path) -> None:
    jan.Chat("echo").ask("hi")
    assert not (models / "threads").exists()


def test_the_question_is_on_the_disk_before_it_goes_out(
    models: Path, server: StreamingServer
) -> None:
    stream = jan.Chat("long", thread="t").stream("hi")
    thread = jan.threads.get("t")
    assert not thread.messages
    for _ in stream:
        assert texts(thread) == ["hi"]
        break
    # Leaving it keeps what had come.
    assert [m.status for m in thread.messages] == ["ready", "stopped"]
    assert thread.messages[-1].text == stream.reply.text
    assert thread.messages[-1].text


def test_an_answer_that_was_cut_is_kept_and_not_sent_again(
    models: Path, server: StreamingServer
) -> None:
    talk = jan.Chat("cut", thread="t")
    with pytest.raises(errors.StreamBroken):
        talk.ask("hi")
    answer = talk.thread.messages[-1] if talk.thread else None
    assert answer is not None
    assert (answer.status, answer.text) == ("error", FIVE)
    assert answer.error
    talk.ask("again", model="echo")
    assert sent(server) == [("user", "hi"), ("user", "again")]


def test_asking_again_asking_otherwise_and_going_on(models: Path, server: StreamingServer) -> None:
    talk = jan.Chat("echo", thread="t")
    talk.ask("one")
    talk.ask("two")
    thread = jan.threads.get("t")
    first, one, second, _ = thread.messages

    assert talk.regenerate(one.id, model="five").text == FIVE
    assert sent(server) == [("user", "one")]
    assert texts(thread) == ["one", FIVE]
    assert [thread.message(id).text for id in thread.versions(one.id)] == ['"one"', FIVE]
    thread.switch(second.id)
    assert texts(thread) == ["one", '"one"', "two", '"two"']

    with pytest.raises(errors.EngineError):  # nothing comes: what stands there stays
        list(talk.stream_regenerate(model="silent"))
    assert texts(thread) == ["one", '"one"', "two", '"two"']
    assert len(thread.versions(thread.messages[-1].id)) == 2

    assert talk.edit(second.id, "three").text == '"three"'
    assert sent(server) == [("user", "one"), ("assistant", '"one"'), ("user", "three")]
    assert texts(thread) == ["one", '"one"', "three", '"three"']
    assert [thread.message(id).text for id in thread.versions(second.id)] == ["two", "three"]

    last = thread.messages[-1]
    thread.update(last.id, status="stopped", content="thr")
    assert talk.go_on(model="five").text == FIVE
    assert sent(server)[-2:] == [("user", "three"), ("assistant", "thr")]
    assert thread.messages[-1].text == "thr" + FIVE
    assert (thread.messages[-1].id, thread.messages[-1].status) == (last.id, "ready")
    with pytest.raises(errors.UsageError, match="no answer"):
        talk.regenerate(first.id)
    with pytest.raises(errors.UsageError, match="thread"):
        jan.Chat("echo").regenerate()


def test_several_models_answer_one_question(models: Path) -> None:
    thread = jan.threads.create("columns")
    question = thread.append(ThreadMessage("user", "hi"))
    talk = jan.Chat(thread=thread)
    for model in ("echo", "five"):
        assert talk.answer(question.id, model=model).model == model
    assert texts(thread) == ["hi", '"hi"']
    versions = [thread.message(id) for id in thread.versions(thread.messages[1].id)]
    assert [(m.model, m.text) for m in versions] == [("echo", '"hi"'), ("five", FIVE)]
    thread.switch(versions[1].id)
    assert texts(thread) == ["hi", FIVE]


def test_who_is_asked_beside_another_never_hears_its_answer(
    models: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = jan.Chat("echo", thread="t")
    thread = jan.threads.get("t")
    question = thread.append(ThreadMessage("user", "hi")).id
    look = Thread.conversation

    def as_the_other_ends(self: Thread, *place: Any, **named: Any) -> Any:
        thread.answer(ThreadMessage("assistant", "quick", model="five"), question)
        return look(self, *place, **named)

    monkeypatch.setattr(Thread, "conversation", as_the_other_ends)
    talk.answer(question)
    assert [m["content"] for m in server.journal()[-1].body["messages"]] == ["hi"]


def test_several_answers_are_versions_of_each_other(models: Path, server: StreamingServer) -> None:
    talk = jan.Chat("five", thread="t")
    talk.ask("hi", n=3)
    thread = jan.threads.get("t")
    answer = thread.messages[-1]
    assert answer.text == f"0:{FIVE}"
    versions = [thread.message(id).text for id in thread.versions(answer.id)]
    assert versions == [f"{n}:{FIVE}" for n in range(3)]
    thread.switch(thread.versions(answer.id)[2])
    talk.ask("more")
    assert sent(server) == [("user", "hi"), ("assistant", f"2:{FIVE}"), ("user", "more")]
    talk.regenerate(n=2)
    assert texts(thread)[2:] == ["more", f"0:{FIVE}"]
    assert len(thread.versions(thread.messages[-1].id)) == 3
    thread.update(thread.messages[-1].id, status="stopped", content="cut")
    thread.configure(parameters={"n": 2})  # one answer goes on, whatever was set
    talk.go_on()
    assert "n" not in server.journal()[-1].body
    assert thread.messages[-1].text == f"cut{FIVE}"


def test_an_assistant_without_a_thread(models: Path, server: StreamingServer) -> None:
    jan.threads.assistants.create(
        "Poet", instructions="Rhyme.", model="echo", parameters={"seed": 3}
    )
    jan.Chat(assistant="poet").ask("hi")
    assert sent(server)[0] == ("system", "Rhyme.")
    assert server.journal()[-1].body["seed"] == 3
    thread = jan.Chat(thread="verses", assistant="Poet").thread
    assert thread is not None
    assert (thread.assistant, thread.instructions) == ("poet", "Rhyme.")


def test_functions_that_were_called_are_part_of_the_thread(
    models: Path, server: StreamingServer
) -> None:
    add_remote(models, server, caller="tools=1,finish=tool_calls,times=1")

    def tool_0(**anything: object) -> str:
        return "42"

    jan.chat("go", "caller", thread="t", tools=[tool_0], approve=True)
    thread = jan.threads.get("t")
    assert [m.role for m in thread.messages] == ["user", "assistant", "tool", "assistant"]
    call, result, answer = thread.messages[1:]
    assert call.tool_calls[0]["id"] == result.tool_call_id
    assert (result.text, bool(answer.text)) == ("42", True)
    thread.append(ThreadMessage("user", "unanswered"))
    cells = nbformat.reads(thread.export("ipynb"), 4).cells
    assert [cell.source for cell in cells[2:]] == [
        "%%jan caller -c --raw\ngo",
        "%%jan -c --raw\nunanswered",
    ]
    assert [output.data["text/plain"] for output in cells[2].outputs] == [answer.text]
    assert not cells[3].outputs
    page = thread.export("markdown")
    assert page.index("*Calls `` tool_0(") < page.index("42") < page.index(answer.text.strip())
    thread.delete(thread.messages[-1].id)
    jan.chat("on", "echo", thread="t")
    roles = [m["role"] for m in server.journal()[-1].body["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_a_question_that_no_model_can_answer_is_not_kept(models: Path) -> None:
    with pytest.raises(errors.ModelNotFound):
        jan.Chat("nobody", thread="t").ask("hi")
    assert jan.threads.get("t").messages == ()
