"""A comparison in the output of a cell: alive for whoever looks, static in what is saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from jan_jupyter import assets
from support.jan import add_remote
from support.kernel import JSON, Kernel, Received, Result, hearing
from support.server import StreamingServer, tokens

BEHAVIOURS = {
    "echo": "echo",
    "five": "n=5",
    "held": "n=20,delay=0.05,hold=2",
    "hangs": "n=9,stall=4",
}
DOCUMENT = "application/vnd.jan.comparison+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
STATIC = {DOCUMENT, "text/html", "text/markdown", "text/plain"}
SAVED = "jan-saved-"


@pytest.fixture(scope="module")
def notebook(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Kernel]:
    if not (assets.FOLDER / "compare.js").exists():
        pytest.skip("the front end is not built")
    with Kernel(folder=tmp_path_factory.mktemp("comparison")) as kernel:
        add_remote(kernel.data_folder, _streaming_server, **BEHAVIOURS)
        kernel.execute("%load_ext jan_jupyter\nimport jan_jupyter as jan")
        yield kernel


@pytest.fixture
def kernel(notebook: Kernel, server: StreamingServer) -> Kernel:
    for name, behaviour in BEHAVIOURS.items():
        server.behave(name, behaviour)
    return notebook


class Page:
    """A view of the newest comparison: what the kernel tells it, by its comm."""

    def __init__(
        self, kernel: Kernel, asked: str, host: str = "widget", subshell: str = ""
    ) -> None:
        self.kernel = kernel
        self._subshell = subshell or None
        shown = kernel.wait_for(asked, lambda m: m.type == "display_data")
        self.id: str = shown.content["data"][DOCUMENT]["live"]["id"]
        self.comm = self.id
        if host == "lab":
            self.comm, _ = kernel.open_comm("jan.comparison", {"id": self.id})
        self._host = host
        self.say(type="hello", host=host)

    def say(self, **message: Any) -> None:
        if self._host == "lab":
            self.kernel.comm(self.comm, message, subshell=self._subshell)
        else:
            self.kernel.custom(self.comm, message, subshell=self._subshell)

    def wait(self, holds: Callable[[JSON], object]) -> JSON:
        """The first event that it holds for."""

        def ours(message: Received) -> bool:
            event = self._event(message)
            return bool(event) and bool(holds(event))

        return self._event(self.kernel.wait_for(None, ours))

    def wait_for(self, kind: str) -> JSON:
        return self.wait(lambda event: event["type"] == kind)

    def wait_saved(self, holds: Callable[[JSON], object]) -> None:
        """Until the document that the notebook keeps is one for which that holds."""

        def saved(message: Received) -> bool:
            found = message.content.get("data", {}).get(DOCUMENT) or {}
            ours = found.get("live") == {"id": self.id}
            return message.type == "update_display_data" and ours and bool(holds(found))

        self.kernel.wait_for(None, saved, 120)

    def _event(self, message: Received) -> JSON:
        if message.type != "comm_msg" or message.content["comm_id"] != self.comm:
            return {}
        data: JSON = message.content["data"]
        if self._host == "lab":
            return data
        content: JSON = data.get("content") or {}
        return content


def release(server: StreamingServer) -> None:
    """Let the model that holds go on, once it does hold."""
    while not any(e.body["model"] == "held" and e.first for e in server.journal()):
        sleep(0.01)
    server.behave("held", "")


def said_on(comm: str) -> Callable[[Received], bool]:
    return lambda m: m.type in ("comm_msg", "comm_close") and m.content["comm_id"] == comm


def data(result: Result) -> list[JSON]:
    return [output["data"] for output in result.outputs if "data" in output]


def test_where_nobody_looks_what_is_saved_is_static(kernel: Kernel) -> None:
    result = kernel.execute("%%jan -m echo -m five\nRed")
    (bundle,) = data(result)
    assert set(bundle) == STATIC
    assert bundle[DOCUMENT]["rows"][0]["text"] == '"Red"'
    assert len(bundle[DOCUMENT]["rows"]) == 2
    assert SAVED not in bundle["text/html"]
    assert json.dumps(bundle[DOCUMENT])
    first = kernel.messages(result.msg_id)
    shown = next(m for m in first if m.type == "display_data").content["data"]
    assert set(shown) == {WIDGET, DOCUMENT, "text/plain"}
    assert shown[DOCUMENT]["cases"][0]["messages"][0]["text"] == "Red"
    assert shown[DOCUMENT]["rows"] == []
    assert shown[WIDGET]["model_id"] == shown[DOCUMENT]["live"]["id"]
    assert len([m for m in first if m.type == "update_display_data"]) == 1


def test_in_python_it_is_shown_once(kernel: Kernel) -> None:
    (bundle,) = data(kernel.execute("made = jan.compare('Red', ['echo'])\nmade"))
    assert set(bundle) == STATIC
    (again,) = data(kernel.execute("made"))
    assert again == bundle
    (awaited,) = data(kernel.execute("await jan.acompare('Blue', ['echo'])"))
    assert awaited[DOCUMENT]["rows"][0]["text"] == '"Blue"'
    assert data(kernel.execute("%%capture kept\nother = jan.compare('Green', ['echo'])")) == []
    assert kernel.execute("print(len(kept.outputs), len(other))").text == "1 1\n"


@hearing
def test_a_widget_stays_and_below_it_is_what_is_saved(
    kernel: Kernel, server: StreamingServer
) -> None:
    asked = kernel.send("%%jan -m echo -m held --as shown\nIndigo", cell_id="widget")
    page = Page(kernel, asked)
    assert page.wait_for("snapshot")["running"]
    release(server)
    page.wait(lambda e: e["type"] == "deltas" and e["deltas"][0]["call"] == [0, 1, 0])
    page.wait_for("ended")
    shown, saved = data(kernel.result(asked))
    assert WIDGET in shown
    assert set(saved) == STATIC
    for kind in ("text/html", "text/markdown"):
        assert f'<div class="jan-saved {SAVED}{page.id}">' in saved[kind]
    assert len(saved[DOCUMENT]["rows"]) == 2
    kernel.execute("shown.vote(0, 'echo')")
    kernel.wait_for(
        None,
        lambda m: (
            m.type == "update_display_data"
            and m.content["data"].get(DOCUMENT, {}).get("votes") == 1
        ),
    )
    shown, saved = kernel.outputs(asked)
    assert WIDGET in shown["data"]
    assert saved["data"][DOCUMENT]["votes"] == 1
    assert SAVED in saved["data"]["text/html"]


@hearing
def test_a_renderer_is_left_with_the_document_alone(
    kernel: Kernel, server: StreamingServer
) -> None:
    asked = kernel.send("%%jan -m echo -m held --as drawn\nViolet", cell_id="lab")
    page = Page(kernel, asked, "lab")
    page.wait_for("snapshot")
    release(server)
    page.wait_for("ended")
    (bundle,) = data(kernel.result(asked))
    assert set(bundle) == STATIC
    assert bundle[DOCUMENT]["live"]["id"] == page.id
    kernel.execute("drawn.score('contains:Violet')")
    page.wait(lambda e: e["type"] == "figures" and e["scorers"])
    page.wait_saved(lambda document: document["scorers"])
    assert len(kernel.outputs(asked)) == 1


def test_who_is_late_decides_afterwards(kernel: Kernel) -> None:
    """The view comes when the cell has ended, as where a busy kernel does not hear it."""
    result = kernel.execute("%%jan -m echo -m five\nRed", cell_id="late")
    assert [WIDGET in one for one in data(result)] == [True, False]
    page = Page(kernel, result.msg_id, "lab")
    page.wait_for("snapshot")
    page.wait_saved(lambda document: document["rows"])
    kernel.execute("pass")
    first, second = [one["data"] for one in kernel.outputs(result.msg_id)]
    assert set(first) == STATIC
    assert second == {"text/plain": ""}


def test_where_nobody_comes_it_becomes_static_by_itself(kernel: Kernel) -> None:
    result = kernel.execute("%%jan -m echo -m five\nRed", cell_id="nobody")
    kernel.wait_for(
        result.msg_id,
        lambda m: m.type == "update_display_data" and DOCUMENT in m.content["data"],
    )
    first, _ = data(kernel.result(result.msg_id))
    assert set(first) == STATIC


@hearing
def test_a_column_is_stopped_from_the_page(kernel: Kernel, server: StreamingServer) -> None:
    asked = kernel.send("%%jan -m echo -m hangs --as half\nOchre", cell_id="stop")
    page = Page(kernel, asked)
    page.wait(lambda e: e["type"] == "deltas" and e["deltas"][-1]["tokens"] == 4)
    page.say(type="stop", contestant=1)
    page.wait_for("ended")
    result = kernel.result(asked)
    assert result.status == "ok"
    code = "print([(row.text, row.error) for row in half])"
    assert (
        kernel.execute(code).text == f"[('\"Ochre\"', ''), ({''.join(tokens(4))!r}, 'stopped')]\n"
    )
    server.behave("hangs", "n=2")
    page.say(type="retry")
    page.wait_saved(lambda document: [row["error"] for row in document["rows"]] == ["", ""])
    assert kernel.execute(code).text == f"[('\"Ochre\"', ''), ({''.join(tokens(2))!r}, '')]\n"


@hearing
def test_an_interrupt_leaves_what_has_come(kernel: Kernel) -> None:
    asked = kernel.send("%%jan -m echo -m hangs --as cut\nMauve", cell_id="interrupt")
    page = Page(kernel, asked)
    page.wait(lambda e: e["type"] == "deltas" and e["deltas"][-1]["tokens"] == 4)
    kernel.interrupt()
    result = kernel.result(asked)
    assert result.status == "error"
    _, saved, told = data(result)
    assert told["text/plain"] == "Stopped."
    assert saved[DOCUMENT]["ended"] == "stopped"
    assert [row["text"] for row in saved[DOCUMENT]["rows"]] == ['"Mauve"', "".join(tokens(4))]
    assert page.wait_for("ended")["ended"] == "stopped"


@hearing
def test_while_a_cell_keeps_the_kernel_busy_a_subshell_hears(kernel: Kernel) -> None:
    subshell = kernel.create_subshell()
    asked = kernel.send("jan.compare('Teal', ['echo', 'hangs'])", cell_id="busy")
    page = Page(kernel, asked, subshell=subshell)
    page.wait(lambda e: e["type"] == "snapshot" and e["running"])
    page.say(type="stop")
    assert page.wait_for("ended")["ended"] == "stopped"
    assert WIDGET in data(kernel.result(asked))[0]


def test_where_nothing_is_heard_it_is_told_all_the_same(
    kernel: Kernel, server: StreamingServer
) -> None:
    """A page of an older kernel, which hears nothing before the cell has ended."""
    asked = kernel.send("jan.compare('Plum', ['held'])", cell_id="deaf")
    shown = kernel.wait_for(asked, lambda m: m.type == "display_data")
    page = Page.__new__(Page)
    page.kernel, page.comm, page._host = kernel, shown.content["data"][WIDGET]["model_id"], "widget"
    assert page.wait_for("snapshot")["running"]
    release(server)
    page.wait_for("deltas")
    page.wait_for("ended")
    kernel.result(asked)


def test_a_cell_that_is_run_again_lets_the_old_one_go(kernel: Kernel) -> None:
    first = kernel.execute("%%jan -m echo -m five\nRed", cell_id="again")
    old = Page(kernel, first.msg_id)
    old.wait_for("snapshot")
    second = kernel.execute("%%jan -m echo -m five\nRed", cell_id="again")
    kernel.wait_for(None, lambda m: m.type == "comm_close" and m.content["comm_id"] == old.id)
    new = Page(kernel, second.msg_id)
    new.wait_for("snapshot")
    assert new.id != old.id


def test_a_run_that_is_kept_is_opened_by_its_name(kernel: Kernel) -> None:
    kernel.execute("jan.compare('Red', ['echo'], name='kept run')")
    for name, kind in (("kept run", "snapshot"), ("no such run", "")):
        comm, _ = kernel.open_comm("jan.comparison", {"run": name})
        kernel.comm(comm, {"type": "hello", "host": "lab"})
        said = kernel.wait_for(None, said_on(comm))
        assert said.content["data"].get("type", "") == kind


def test_a_document_is_in_what_runs_show(kernel: Kernel) -> None:
    kernel.execute("jan.compare('Red', ['echo'], name='listed')")
    (bundle,) = data(kernel.execute("%jan runs show listed"))
    assert bundle[DOCUMENT]["name"] == "listed"
    (bundle,) = data(kernel.execute("jan.runs['listed']"))
    assert bundle[DOCUMENT]["name"] == "listed"


def test_nothing_of_the_bundle_names_this_machine(kernel: Kernel, tmp_path: Path) -> None:
    (bundle,) = data(kernel.execute("%%jan -m echo -m five\nRed"))
    assert str(kernel.folder) not in json.dumps(bundle)


# Blind votes --------------------------------------------------------------------------------------


class Booth:
    """A page on which somebody votes."""

    def __init__(self, kernel: Kernel, result: Result) -> None:
        self.kernel = kernel
        shown = next(one for one in data(result) if WIDGET in one)
        self.id: str = shown[WIDGET]["model_id"]
        self._heard = 0
        self.now: JSON = {}
        self.say(type="hello", host="widget")

    def say(self, **message: Any) -> None:
        """Say it, and hear what is told then."""
        before = self._heard
        self.kernel.custom(self.id, message)
        self.kernel.wait_for(None, lambda _: self._hear() > before)

    def _hear(self) -> int:
        told = [m for m in self.kernel.messages() if m.type == "comm_msg"]
        told = [m for m in told if m.content["comm_id"] == self.id]
        events = [m.content["data"].get("content") or {} for m in told]
        ballots = [event for event in events if event.get("type") == "ballot"]
        self._heard, self.now = len(ballots), ballots[-1] if ballots else {}
        return self._heard


def own(messages: list[Received], comm: str) -> list[Received]:
    """Those of a cell about its own output. Older kernels count others to it, too: what is told of
    another comparison while it runs."""
    shown = [m.content["transient"] for m in messages if m.type == "display_data"]
    return [
        m
        for m in messages
        if (m.type != "comm_msg" or m.content["comm_id"] == comm)
        and (m.type != "update_display_data" or m.content["transient"] in shown)
    ]


@pytest.mark.parametrize("code", ["voted.vote()", "%jan vote voted", "%jan vote 'to be voted'"])
def test_a_blind_vote_tells_no_names(kernel: Kernel, code: str) -> None:
    kernel.execute("voted = jan.compare(['Red', 'Blue'], ['echo', 'five'], name='to be voted')")
    kernel.execute("for one in voted.votes: voted._session.unvote(one)")
    result = kernel.execute(code, cell_id="vote")
    assert [WIDGET in one for one in data(result)] == [True, False]
    booth = Booth(kernel, result)
    ours = own(kernel.messages(result.msg_id), booth.id)
    told = [m.content for m in ours] + [booth.now]
    written = json.dumps([one for one in told if one.get("code") != code])
    assert not any(name in written for name in ('"echo"', '"five"', "echo,", "five,"))
    assert (booth.now["done"], booth.now["total"]) == (0, 2)
    pair = booth.now["pair"]
    booth.say(type="vote", pair=pair["pair"], choice="right", note="shorter")
    assert booth.now["done"] == 1
    names = booth.now["last"]["names"]
    texts = dict(zip(names, pair["answers"], strict=True))
    assert texts["five"] == "".join(tokens(5))
    assert texts["echo"] in ('"Red"', '"Blue"')
    code = "print([(v.by, v.note, v.verdict) for v in jan.runs['to be voted'].votes])"
    assert kernel.execute(code).text == "[('you', 'shorter', 'right')]\n"
    kernel.wait_for(
        None,
        lambda m: (
            m.type == "update_display_data"
            and "1 voted on by you" in m.content["data"].get("text/plain", "")
        ),
    )


def test_where_nobody_can_vote_it_is_said(kernel: Kernel) -> None:
    error = kernel.execute("%jan vote nobody").error
    assert error is not None
    assert "no run 'nobody'" in error.evalue
    result = kernel.execute("jan.compare('Same', ['echo', ('twin', 'echo')]).vote()")
    assert result.error is not None
    assert "no two answers" in result.error.evalue
