"""What JupyterLab draws an answer, and a saved conversation, from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from jan_jupyter import output_forms as forms
from jan_jupyter.magics.output import End, NotebookOutput
from jan_jupyter.panel import saved
from jan_jupyter.threads import ThreadMessage
from jan_jupyter.types import ChatRequest, Reply, Usage

TEXT = "Grüße 😀\n\n```python\nx = '😀'\n```\n"
REPLY = Reply(TEXT, "m", "e", usage=Usage(3, 4), finish="stop", at=1_790_000_000.0)


class Page:
    """What is shown, in the place of a notebook."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bundles: list[dict[str, Any]] = []
        monkeypatch.setattr(NotebookOutput, "_show", lambda _, data, metadata=None: self.take(data))

    def take(self, data: dict[str, Any]) -> None:
        self.bundles.append(json.loads(json.dumps(data)))

    @property
    def form(self) -> dict[str, Any]:
        return self.bundles[-1][forms.REPLY]  # type: ignore[no-any-return]

    def parts(self) -> list[str]:
        """The texts that the form tells of, cut out as JavaScript does it."""
        return [cut(self.bundles[-1]["text/plain"], part["at"]) for part in self.form["parts"]]


def cut(plain: str, span: Sequence[int]) -> str:
    begin, end = span
    return plain.encode("utf-16-le")[2 * begin : 2 * end].decode("utf-16-le")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


def test_while_it_grows_the_form_is_small_and_stays(page: Page) -> None:
    output = NotebookOutput("markdown", True, "m", "e")
    for _ in range(3):
        output.text(TEXT * 500)
        output._last = -1e9
        output.tick()
    first, *others = (bundle[forms.REPLY] for bundle in page.bundles)
    assert first == {"format": 1, "status": "writing", "model": "m", "engine": "e"}
    assert others == [first, first]


def test_several_grow_in_one_output(page: Page) -> None:
    output = NotebookOutput("markdown", True, "m", "e")
    output.text("😀 one", 0)
    output.text("two 😀", 1)
    output.tick()
    assert page.parts() == ["😀 one", "two 😀"]
    other = replace(REPLY, text="other", finish="length", reasoning="Hm.")
    output.finish(End(replace(REPLY, others=(other,))))
    assert page.parts() == [TEXT, "other"]
    assert page.form["parts"][1] == {
        "at": page.form["parts"][1]["at"],
        "reasoning": "Hm.",
        "ended": "cut at max_tokens",
        "cut": True,
    }


def test_what_is_awaited_is_no_text(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    output = NotebookOutput("markdown", True, "m", "e")
    monkeypatch.setattr("jan_jupyter.magics.output.PATIENCE", 0)
    output.reasoning("one two ")
    output.tick()
    assert page.form["wait"] == page.bundles[-1]["text/plain"] == "Thinking … 2 words"


def test_the_end_has_what_markdown_does_not_tell(page: Page) -> None:
    request = ChatRequest((), {"temperature": 0.5})
    reply = replace(REPLY, request=request, reasoning="Let me <think>.", notes=("a note",))
    NotebookOutput("markdown", True).finish(
        End(reply, ["left as typed: {x}"], None, {"thread": "t"})
    )
    form = page.form
    assert form["status"] == "done"
    assert form["parts"] == [{"reasoning": "Let me <think>."}]
    assert form["footer"] == ["m", "4 tokens", "a note", "left as typed: {x}"]
    assert form["thread"] == "t"
    assert form["name"] == forms.name(reply)
    about = form["provenance"]
    assert about["parameters"] == {"temperature": 0.5}
    assert about["at"] == "2026-09-21T14:13:20Z"
    assert set(about["versions"]) == {"jan_jupyter"}
    assert TEXT not in json.dumps(form)


def test_code_alone_is_drawn_as_code(page: Page) -> None:
    output = NotebookOutput("code", True)
    output.finish(End(REPLY))
    assert page.bundles[-1]["text/plain"] == "x = '😀'"
    assert page.form["parts"] == [{"language": "python"}]
    output.finish(End(replace(REPLY, others=(replace(REPLY, text="no code"),))))
    assert page.parts() == ["x = '😀'", "no code"]
    assert [part["language"] for part in page.form["parts"]] == ["python", ""]


@pytest.mark.parametrize("format_", ["text", "json", "html"])
def test_what_has_a_view_of_its_own_has_no_form(page: Page, format_: str) -> None:
    output = NotebookOutput(format_, True)
    output.text("{}")
    output.tick()
    output.finish(End(Reply("{}", "m", "e")))
    assert not any(forms.REPLY in bundle for bundle in page.bundles)


def test_an_error_is_a_card_and_its_line_stands_below(page: Page) -> None:
    from jan_jupyter.errors import WorkerDied

    error = WorkerDied("m (e): the worker ended.")
    NotebookOutput("markdown", True).finish(End(replace(REPLY, error=str(error)), [], error))
    assert page.form["status"] == "error"
    assert page.form["error"] == {
        "title": "The model’s process ended",
        "message": "",
        "mend": "retry",
    }
    stopped = replace(REPLY, finish="cancelled")
    NotebookOutput("markdown", True).finish(End(stopped, [], KeyboardInterrupt()))
    assert page.form["status"] == "stopped"
    assert "error" not in page.form


def test_an_answer_that_is_a_value_has_its_text_in_the_form() -> None:
    data = replace(REPLY, error="it broke")._repr_mimebundle_(include=None, exclude=None)
    form = data[forms.REPLY]
    assert form["parts"] == [{"text": TEXT}]
    assert form["error"]["message"] == "it broke"
    assert data["text/plain"].startswith("Reply(")
    assert "it broke" not in data["text/markdown"]


def test_a_saved_conversation_tells_where_its_texts_stand() -> None:
    context = '\n\n<context label="@x">\n1\n</context>'
    turns = [
        ThreadMessage("system", "Be brief."),
        ThreadMessage("user", f"What is 😀?{context}", id="a"),
        ThreadMessage("assistant", TEXT, id="b", model="m", reasoning="Hm.", error="it broke"),
        ThreadMessage("user", [{"type": "image_url", "image_url": {"url": "data:image/png;x"}}]),
    ]
    data = saved.bundle("0a", "thread-1", "A title", turns)
    form = data[forms.CONVERSATION]
    assert (form["panel"], form["thread"], form["title"]) == ("0a", "thread-1", "A title")
    question, answer, picture = form["turns"]
    assert cut(data["text/plain"], question["at"]) == "What is 😀?"
    assert question["context"] == ["@x"]
    assert cut(data["text/plain"], answer["at"]) == TEXT
    assert (answer["model"], answer["reasoning"], answer["error"]) == ("m", "Hm.", "it broke")
    assert picture == {"role": "user", "images": 1}
    assert saved.bundle("0a", "", "", [])["text/markdown"] == ""
    assert TEXT not in json.dumps(form)
