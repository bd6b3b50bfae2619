"""`jan.chat`, `jan.stream`, `jan.achat`, `jan.Chat`: in a script, a running loop, a kernel."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.types import Event
from support.jan import KEY, add_model, add_remote, write_json
from support.kernel import Kernel
from support.server import StreamingServer, tokens

TEXT = "".join(tokens(20))
SHORT = "n=20,delay=0.005"


@pytest.fixture
def short(isolated: Path, server: StreamingServer) -> Iterator[str]:
    """The name of a model that answers `TEXT`; the router is new."""
    add_remote(isolated / "jan", server, short=SHORT, cut="n=10,cut=5", echo="echo")
    yield "short"
    bridge.wait(jan.router.close())


def test_a_reply(short: str) -> None:
    reply = jan.chat("hi", short, temperature=0)
    assert str(reply) == reply.text == TEXT
    assert reply.model == short
    assert reply.engine == "openai"
    assert reply.finish == "stop"
    assert reply.usage == jan.Usage(prompt=1, completion=20)
    assert reply.timings.first_token is not None
    assert reply.timings.total is not None
    assert reply.timings.first_token < reply.timings.total
    assert [m.role for m in reply.messages] == ["user", "assistant"]
    assert reply.provenance()["parameters"] == {"temperature": 0}
    assert TEXT.split()[0] in reply._repr_markdown_()


def test_a_stream_and_its_replay(short: str) -> None:
    stream = jan.stream("hi", short)
    pieces = list(stream)
    assert len(pieces) > 5
    assert "".join(pieces) == TEXT == "".join(stream)
    assert stream.reply.text == TEXT


def test_several_answers_are_kept_apart(short: str, server: StreamingServer) -> None:
    stream = jan.stream("hi", short, n=3)
    assert "".join(stream) == f"0:{TEXT}"  # the first; all are in the reply
    reply = stream.reply
    assert server.journal()[-1].body["n"] == 3
    assert [choice.text for choice in reply.choices] == [f"{place}:{TEXT}" for place in range(3)]
    assert [choice.finish for choice in reply.choices] == ["stop"] * 3
    assert reply.choices[0].text == reply.text == reply.messages[-1].text
    assert [choice.messages[-1].text for choice in reply.others] == [f"1:{TEXT}", f"2:{TEXT}"]
    assert reply.usage == jan.Usage(prompt=1, completion=60)
    shown = reply._repr_markdown_()
    assert [shown.count(f"**Answer {n}**") for n in (1, 2, 3, 4)] == [1, 1, 1, 0]
    assert jan.chat("hi", short).choices[1:] == ()


def test_each_of_several_answers_has_what_was_made_of_it(
    short: str, server: StreamingServer
) -> None:
    server.behave(short, "n=10,cut=5")
    with pytest.raises(errors.StreamBroken) as caught:
        jan.chat("hi", short, n=2)
    assert caught.value.partial == "0:" + "".join(tokens(5))
    server.behave(short, "n=2,finish=length")
    cut = jan.chat("hi", short, n=2)
    assert cut._repr_markdown_().count("cut at max&#95;tokens") == 2
    server.behave(short, "n=3,reasoning=2")
    thoughts = [choice.reasoning for choice in jan.chat("hi", short, n=2).choices]
    assert thoughts == ["".join(tokens(2))] * 2
    server.behave(short, "tools=2,finish=tool_calls")
    first, second = jan.chat("hi", short, n=2).choices
    assert len(first.tool_calls) == len(second.tool_calls) == 2
    assert second.messages[-1].extra["tool_calls"] == [*second.tool_calls]


def test_a_server_that_gives_fewer_answers_is_told_of(short: str, server: StreamingServer) -> None:
    server.behave(short, "n=20,alone")
    reply = jan.chat("hi", short, n=3)
    assert (reply.text, reply.others) == (TEXT, ())
    assert "1 of 3 answers came" in reply.footer


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", True])
def test_a_number_of_answers_that_is_none_is_refused(short: str, n: object) -> None:
    with pytest.raises(errors.UsageError, match=r"`n` .* short \(openai\)"):
        jan.chat("hi", short, n=n)


@pytest.mark.parametrize(
    ("engine", "settings"),
    [
        ("claude", {}),
        ("nvidia-triton-trt-llm", {}),
        ("hf-endpoints", {"format": "tgi"}),
        ("hf-endpoints", {"format": "toolkit"}),
    ],
)
def test_an_engine_that_gives_one_answer_is_not_asked_for_more(
    short: str, isolated: Path, server: StreamingServer, engine: str, settings: dict[str, str]
) -> None:
    written = {"base_url": server.base_url, "api_key": KEY}
    write_json(isolated / "jan" / "engines" / engine / "engine.json", written)
    add_model(isolated / "jan", "single", engine=engine, settings=settings)
    with pytest.raises(errors.BadRequest, match=rf"single \({engine}\) gives one answer"):
        jan.chat("hi", "single", n=2)
    assert server.journal() == []


def test_leaving_a_stream_early_stops_the_server(short: str, server: StreamingServer) -> None:
    server.behave(short, "n=2000,delay=0.01")
    stream = jan.stream("hi", short)
    for _ in stream:
        break
    (entry,) = server.wait("closed")
    assert not entry.complete
    assert stream.reply.finish == "cancelled"


def test_a_stream_under_way_is_whole_for_whoever_asks(short: str, server: StreamingServer) -> None:
    server.behave(short, SHORT)
    stream = jan.stream("hi", short)
    first = iter(stream)
    came = [next(first)]
    assert stream.reply.text == TEXT  # it waits, here between two pieces
    second = iter(stream)
    came_second = [next(second)]
    assert "".join([*came, *first]) == "".join([*came_second, *second]) == TEXT
    assert len(server.journal()) == 1

    async def two() -> tuple[str, str]:
        stream = jan.stream("hi", short)

        async def read() -> str:
            return "".join([piece async for piece in stream])

        one, other = await asyncio.gather(read(), read())
        return one, other

    assert asyncio.run(two()) == (TEXT, TEXT)
    broken = jan.stream("hi", "cut")
    for _ in range(2):
        with pytest.raises(errors.StreamBroken):
            list(broken)


def test_who_awaits_pieces_that_are_all_there_gets_them_and_the_end() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        for piece in ("a", "b"):
            yield piece

    async def read() -> list[str]:
        items = bridge.aiterate(pieces())
        first = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        assert items._pump is not None
        while not items._pump.done:
            time.sleep(0.001)  # noqa: ASYNC251  this loop stands still meanwhile
        return [await first, *[piece async for piece in items]]

    assert asyncio.run(asyncio.wait_for(read(), 10)) == ["a", "b"]


def test_one_reader_who_leaves_takes_nothing_from_the_other(
    short: str, server: StreamingServer
) -> None:
    server.behave(short, SHORT)
    stream = jan.stream("hi", short)
    first = iter(stream)
    came = [next(first)]
    for _ in stream:
        break
    assert "".join([*came, *first]) == TEXT
    assert stream.reply.finish == "stop"


def test_after_a_break_the_answer_is_final(short: str, server: StreamingServer) -> None:
    server.behave(short, "n=2000,delay=0.002")
    stream = jan.stream("hi", short)
    for _ in stream:
        break
    so_far = stream.reply_so_far()
    assert so_far.finish == "cancelled"
    assert so_far is stream.reply

    async def leave() -> None:
        stream = jan.stream("hi", short)
        async for _ in stream:
            break
        reply = await asyncio.to_thread(lambda: stream.reply)
        assert reply.finish == "cancelled"  # and has not waited for 2,000 tokens
        assert stream.text == reply.text

    asyncio.run(leave())
    assert not any(entry.complete for entry in server.wait("closed", count=2))


def test_functions_run_once_however_many_read(short: str, server: StreamingServer) -> None:
    server.behave(short, "tools=1,finish=tool_calls,times=1")
    calls = []

    def tool_0(**anything: object) -> str:
        calls.append(anything)
        return "42"

    stream = jan.stream("hi", short, tools=[tool_0], approve=True)

    async def read() -> str:
        return "".join([piece async for piece in stream])

    async def both() -> list[str]:
        return [*await asyncio.gather(read(), read())]

    one, other = asyncio.run(both())
    assert one == other == stream.reply.text
    assert len(calls) == 1


def test_a_conversation_keeps_what_was_streamed_and_what_was_asked_at_once(
    short: str, server: StreamingServer
) -> None:
    talk = jan.Chat("echo", system="Be brief.")
    assert "".join(talk.stream("one")) == '"one"'
    assert [m.text for m in talk.messages] == ["Be brief.", "one", '"one"']

    async def both() -> None:
        await asyncio.gather(talk.aask("two"), talk.aask("three"))

    asyncio.run(both())
    turns = [m.text for m in talk.messages][3:]
    pairs = sorted(zip(turns[::2], turns[1::2], strict=True))
    assert pairs == [("three", '"three"'), ("two", '"two"')]

    server.behave(short, "n=2000,delay=0.002")
    stopped = talk.stream("four", model=short)
    for _ in stopped:
        break
    assert talk.messages[-2:] == [jan.Message("user", "four"), stopped.reply.messages[-1]]
    with pytest.raises(errors.StreamBroken):
        talk.ask("five", model="cut")
    assert talk.messages[-1].text == "".join(tokens(5))
    server.behave(short, "status=401")
    kept = talk.messages
    with pytest.raises(errors.AuthenticationFailed):
        talk.ask("six", model=short)
    assert talk.messages == kept  # nothing came


def test_an_error_keeps_the_text(short: str) -> None:
    stream = jan.stream("hi", "cut")
    with pytest.raises(errors.StreamBroken) as caught:
        list(stream)
    assert caught.value.partial == stream.reply.text == "".join(tokens(5))
    assert stream.reply.error
    with pytest.raises(jan.JanError):
        jan.chat("hi", "cut")


def test_a_conversation_remembers(short: str, server: StreamingServer) -> None:
    talk = jan.Chat(short, system="Be brief", temperature=0.5)
    talk.ask("one")
    talk.ask("two", temperature=0.1)
    body = server.journal()[-1].body
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["temperature"] == 0.1
    assert [m.text for m in talk.messages][-2:] == ["two", TEXT]


def test_messages_in_openai_form(short: str, server: StreamingServer) -> None:
    jan.chat([{"role": "system", "content": "x"}, {"role": "user", "content": "hi"}], short)
    assert server.journal()[-1].body["messages"][0] == {"role": "system", "content": "x"}
    with pytest.raises(errors.UsageError, match="role"):
        jan.chat([{"content": "hi"}], short)


def test_awaiting_under_a_running_loop(short: str) -> None:
    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        task = asyncio.create_task(tick())
        assert (await jan.achat("hi", short)).text == TEXT
        assert "".join([piece async for piece in jan.stream("hi", short)]) == TEXT
        replies = await asyncio.gather(*(jan.achat("hi", short) for _ in range(4)))
        assert {reply.text for reply in replies} == {TEXT}
        task.cancel()
        assert ticks > 5

    asyncio.run(main())


def test_cancelling_an_awaited_answer_stops_the_server(short: str, server: StreamingServer) -> None:
    server.behave(short, "n=2000,delay=0.01")

    async def main() -> None:
        task = asyncio.create_task(jan.achat("hi", short))
        await asyncio.to_thread(server.wait, "first")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait, "closed")

    asyncio.run(main())


def test_many_threads_at_once(short: str) -> None:
    found: list[str] = []

    def ask() -> None:
        found.append(jan.chat("hi", short).text)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [TEXT] * 8


SCRIPT = """
import asyncio, jan_jupyter as jan
print(jan.chat("hi", "short").text == TEXT)
print("".join(jan.stream("hi", "short")) == TEXT)

async def main():
    print((await jan.achat("hi", "short")).text == TEXT)
    print("".join([p async for p in jan.stream("hi", "short")]) == TEXT)
    # blocking calls under a running loop: the loop keeps turning
    ticks = []
    async def tick():
        while True:
            await asyncio.sleep(0.005); ticks.append(1)
    task = asyncio.create_task(tick()); await asyncio.sleep(0)
    print(jan.chat("hi", "short").text == TEXT, "".join(jan.stream("hi", "short")) == TEXT)
    task.cancel()
    print(len(ticks) > 5)

asyncio.run(main())
"""


def test_a_script(isolated: Path, server: StreamingServer) -> None:
    add_remote(isolated / "jan", server, short=SHORT)
    code = f"TEXT = {TEXT!r}\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["True"] * 7


def test_a_kernel(kernel: Kernel, server: StreamingServer) -> None:
    add_remote(kernel.data_folder, server, short=SHORT)
    kernel.execute(f"import jan_jupyter as jan\nTEXT = {TEXT!r}")
    for code in (
        "print(jan.chat('hi', 'short').text == TEXT)",
        "print(''.join(jan.stream('hi', 'short')) == TEXT)",
        "print((await jan.achat('hi', 'short')).text == TEXT)",
        "print(''.join([p async for p in jan.stream('hi', 'short')]) == TEXT)",
    ):
        result = kernel.execute(code)
        assert result.text == "True\n", (code, result.error)
    shown = kernel.execute("jan.chat('hi', 'short')").outputs[0]
    assert "text/markdown" in shown["data"]


def test_interrupting_a_blocking_call_in_a_kernel(kernel: Kernel, server: StreamingServer) -> None:
    add_remote(kernel.data_folder, server, slow="n=2000,delay=0.02")
    kernel.execute("import jan_jupyter as jan")
    message = kernel.send("jan.chat('hi', 'slow')")
    server.wait("first")
    kernel.interrupt()
    result = kernel.result(message)
    assert result.error is not None
    assert result.error.ename == "KeyboardInterrupt"
    (entry,) = server.wait("closed")
    assert not entry.complete


async def iterated() -> list[str]:
    return [piece async for piece in jan.stream("hi", "slow")]


WAYS: dict[str, Callable[[], object]] = {
    "chat": lambda: jan.chat("hi", "slow"),
    "stream": lambda: [*jan.stream("hi", "slow")],
    "achat": lambda: asyncio.run(jan.achat("hi", "slow")),
    "astream": lambda: asyncio.run(iterated()),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_that_comes_while_it_begins_stops_it(
    way: str, isolated: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it runs already, and nobody has hold of it yet."""
    add_remote(isolated / "jan", server, slow="n=2000,delay=0.02")
    submit = bridge.submit

    def interrupted(coroutine: Coroutine[Any, Any, Any]) -> Any:
        submit(coroutine)
        server.wait("first")
        raise KeyboardInterrupt

    monkeypatch.setattr(bridge, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        WAYS[way]()
    monkeypatch.undo()
    (entry,) = server.wait("closed")
    assert not entry.complete


def test_a_watcher_sees_the_states_and_its_fault_is_not_the_answers(short: str) -> None:
    seen: list[str] = []

    def watch(event: Event) -> None:
        seen.append(event.state)
        raise RuntimeError("a bad watcher")

    unwatch = jan.router.watch(watch)
    assert jan.chat("hi", short).text == TEXT
    unwatch()
    jan.chat("hi", short)
    assert seen == ["answering", "ready"]


def test_the_engine_of_a_model_that_another_hides(
    isolated: Path, short: str, server: StreamingServer
) -> None:
    server.behave("hidden", SHORT)
    add_model(isolated / "jan", "zz", engine="openai", id=short, settings={"model": "hidden"})
    (hidden,) = [m for m in jan.models.list() if m.id == short and m.shadowed]
    jan.chat("hi", hidden, engine="openai")
    assert server.journal()[-1].body["model"] == "hidden"


def test_choosing_the_engine_of_a_model(short: str) -> None:
    reply = jan.chat("hi", "openai:short")
    assert reply.text == TEXT
    assert jan.chat("hi", short, engine="openai").text == TEXT
    with pytest.raises(jan.ModelError, match="short"):
        jan.chat("hi", "shorrt")


def test_what_cannot_be_read_in_a_description_is_told_once(
    isolated: Path, short: str, server: StreamingServer
) -> None:
    add_model(
        isolated / "jan",
        short,
        engine="openai",
        settings={"ctx_len": "lots"},
        parameters={"temperature": "hot", "top_p": 0.5},
    )
    first, second = jan.chat("hi", short), jan.chat("hi", short)
    assert [*first.notes] == [
        "ctx_len: 'lots' is not a number; ignored",
        "temperature: 'hot' is not a number; ignored",
    ]
    assert "'hot'" in first.footer
    assert not second.notes
    assert server.journal()[0].body["top_p"] == 0.5
    assert "temperature" not in server.journal()[0].body


def test_a_slip_in_a_parameter_is_told_once(short: str, server: StreamingServer) -> None:
    first = jan.chat("hi", short, temprature=0, guided_json={}, frobnicate=1)
    assert [*first.notes] == [
        "temprature is no known parameter; did you mean temperature?",
        "frobnicate is no known parameter.",
    ]
    assert not jan.chat("hi", short, temprature=0).notes
    assert server.journal()[0].body["temprature"] == 0  # perhaps the server knows better


NAN = float("nan")
HALF = "a\ud800"


@pytest.mark.parametrize(
    ("prompt", "options", "says"),
    [
        (None, {}, "A prompt is text"),
        (NAN, {}, "A prompt is text"),
        (numpy.float64("nan"), {}, "A prompt is text"),
        (b"hi", {}, "A prompt is text"),
        ({"role": "user", "content": "hi"}, {}, "A prompt is text"),
        (["hi"], {}, "A message looks like"),
        ([{"content": "hi"}], {}, "A message looks like"),
        ([{"role": "user", "content": NAN}], {}, "Message 1 is neither text nor parts"),
        ([{"role": "user", "content": [{"type": "text", "text": 5}]}], {}, "Message 1 is neither"),
        (jan.Message("user", None), {}, "Message 1 is neither text nor parts"),  # type: ignore[arg-type]
        (HALF, {}, "Message 1 has half a character"),
        ([{"role": "user", "content": "hi", "name": HALF}], {}, "1.name has half a character"),
        ("hi", {"system": 5}, "Message 1 is neither text nor parts"),
        ("hi", {"system": HALF}, "Message 1 has half a character"),
        ("hi", {"model": 5}, "A model is named by text"),
        ("hi", {"model": b"short"}, "A model is named by text"),
        ("hi", {"model": []}, "A model is named by text"),
        ("hi", {"model": HALF}, "There is no model"),
        ("hi", {"engine": ""}, "No engine is called ''"),
        ("hi", {"engine": 5}, "An engine is named by text"),
        ("hi", {"engine": "opneai"}, "Did you mean openai"),
        ("hi", {"model": ":short"}, "There is no model ':short'"),
        ("hi", {"tools": 5}, "5 is no function"),
        ("hi", {"tools": [5]}, "5 is no function"),
        ("hi", {"tools": [{"function": {}}]}, "is no function"),
        ("hi", {"schema": 5}, "5 is no schema"),
        ("hi", {"schema": []}, r"\[\] is no schema"),
        ("hi", {"schema": b"x"}, "b'x' is no schema"),
        ("hi", {"attach": 5}, "cannot be attached"),
        ("hi", {"attach": "nowhere.png"}, "nowhere.png cannot be attached"),
        ("hi", {"temperature": NAN}, "temperature cannot be nan"),
        ("hi", {"max_tokens": numpy.float32("inf")}, "max_tokens cannot be inf"),
        ("hi", {"stop": [HALF]}, r"stop\[0\] has half a character"),
        ("hi", {"stop": {"a"}}, "stop cannot be"),
        ("hi", {"messages": []}, "messages is no parameter"),
        ("hi", {"thread": ""}, "A thread's name is text"),
        ("hi", {"thread": 5}, "A thread's name is text"),
        ("hi", {"assistant": 5}, "An assistant is named by text"),
    ],
    ids=repr,
)
def test_what_cannot_be_asked_is_one_line(
    short: str, server: StreamingServer, prompt: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(jan.JanError, match=says) as caught:
        jan.chat(prompt, **{"model": short, **options})
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert server.journal() == []


HI = jan.Message("user", "hi")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ("hi", "What is asked is a ChatRequest, not 'hi'"),
        (jan.ChatRequest("hi"), "The messages of a request are a list, not 'hi'"),  # type: ignore[arg-type]
        (jan.ChatRequest([{"role": "user"}]), "A message of a request is a Message"),  # type: ignore[list-item]
        (jan.ChatRequest([jan.Message("user", "hi", 5)]), "Message 1 is neither"),  # type: ignore[arg-type]
        (jan.ChatRequest([HI], parameters=5), "Parameters are a mapping"),  # type: ignore[arg-type]
        (jan.ChatRequest([HI], extra=[]), "Extra fields of a request are a mapping"),  # type: ignore[arg-type]
        (jan.ChatRequest([HI], schema="x"), "The schema of a request is a mapping"),  # type: ignore[arg-type]
        (jan.ChatRequest([HI], schema={"default": {5}}), "schema.default cannot be"),
        (jan.ChatRequest([HI], tools=5), "The tools of a request are a list"),  # type: ignore[arg-type]
        (jan.ChatRequest([HI], tools=[5]), "A tool of a request is a mapping.*not 5"),  # type: ignore[list-item]
        (jan.ChatRequest([HI], tools=[{"function": 5}]), "The `function` of a tool is a mapping"),
        (jan.ChatRequest([HI], tools=[{"function": {"name": {5}}}]), r"tools\[0\].*cannot be"),
    ],
    ids=repr,
)
def test_a_request_of_other_parts_than_its_own_is_one_line(
    short: str, server: StreamingServer, request_: Any, says: str
) -> None:
    with pytest.raises(errors.UsageError, match=says) as caught:
        jan.router.prepare(request_, short)
    assert "\n" not in str(caught.value)
    assert server.journal() == []


@pytest.mark.parametrize(
    "texts", [None, NAN, b"x", {}, ["a", None], [NAN], [b"x"], [HALF]], ids=repr
)
def test_what_cannot_be_embedded_or_spoken_is_one_line(short: str, texts: Any) -> None:
    with pytest.raises(errors.UsageError):
        jan.embed(texts, short)
    with pytest.raises(errors.UsageError):
        jan.speak(texts, short)
    with pytest.raises(errors.UsageError):
        jan.rerank("a query", texts, short)


@pytest.mark.parametrize("prefix", [None, NAN, b"x", "", " ", HALF], ids=repr)
def test_what_is_no_gap_is_one_line(short: str, server: StreamingServer, prefix: Any) -> None:
    with pytest.raises(errors.UsageError):
        jan.complete(prefix, "", short)
    with pytest.raises(errors.UsageError):
        jan.rerank(prefix, ["a"], short)
    assert server.journal() == []


def test_gaps_and_rankings_are_asked_with_what_is_set(short: str, server: StreamingServer) -> None:
    reply = jan.complete("a", model=short, temperature=0)
    assert (reply.model, reply.finish) == (short, "stop")
    with pytest.raises(errors.UsageError, match="one completion at a time"):
        jan.complete("a", "b", short, n=2)
    with pytest.raises(errors.UsageError, match="`top_n` is a whole number from 1 on, not 0"):
        jan.rerank("a", ["b"], short, top_n=0)
    ranking = jan.rerank("a b", ["b", "a b"], short)
    assert [*ranking] == [(1, 2.0), (0, 1.0)]
    assert bridge.wait(jan.arerank("a b", ["b", "a b"], short, top_n=1))[0] == (1, 2.0)
    assert [entry.body.get("temperature") for entry in server.journal()] == [0, None, None]


def test_what_a_notebook_has_at_hand_is_taken(short: str, server: StreamingServer) -> None:
    def weather(town: str) -> str:
        return town

    jan.chat(
        "hi",
        short,
        tools=None,
        attach=None,
        temperature=numpy.float32(0.5),
        seed=numpy.int64(3),
        stop=numpy.array(["a", "b"]),
    )
    jan.chat("hi", short, tools=weather, attach=numpy.zeros((2, 2, 3)))
    plain, other = (entry.body for entry in server.journal())
    assert (plain["temperature"], plain["seed"], plain["stop"]) == (0.5, 3, ["a", "b"])
    assert plain["messages"] == [{"role": "user", "content": "hi"}]
    assert "tools" not in plain
    assert other["tools"][0]["function"]["name"] == "weather"
    assert len(other["messages"][0]["content"]) == 2


def test_the_package_can_be_pickled_by_name() -> None:
    assert pickle.loads(pickle.dumps(jan)) is jan
    assert copy.deepcopy({"jan": jan}) == {"jan": jan}


def test_blocking_on_the_background_loop_is_refused() -> None:
    async def inside() -> None:
        bridge.wait(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="own background loop"):
        bridge.wait(inside())
