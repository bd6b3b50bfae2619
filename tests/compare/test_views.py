"""A comparison as text, Markdown, HTML and a report: what stands where, and that nothing a
model says is more than text."""

from __future__ import annotations

import itertools
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jan_jupyter.compare.stats import statistics, verdicts
from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.compare.views import diff, dots, figures, html, markdown, report, table, text
from jan_jupyter.compare.views.board import board
from jan_jupyter.compare.views.written import width
from jan_jupyter.errors import UsageError
from jan_jupyter.types import EMPTY, Message, Reply, Timings, Usage
from test_markdown import PAYLOADS

Given = str | tuple[str, float]
"""An answer, or one with its score by `exact`."""


def made(
    answers: Mapping[str, Sequence[Given | Sequence[Given]]],
    *,
    expected: Sequence[Any] = (),
    name: str = "moons",
    **more: Any,
) -> Result:
    """A result of each contestant's answers, one a prompt, or several: its repeats."""
    count = len(next(iter(answers.values())))
    repeats = max(len(_several(one)) for column in answers.values() for one in column)
    cases = tuple(
        Case(f"question {i}", ((Message("user", f"question {i}?"),),), index=i)
        if i >= len(expected)
        else Case(f"question {i}", ((Message("user", f"question {i}?"),),), i, expected=expected[i])
        for i in range(count)
    )
    grid = Grid(cases, tuple(Contestant(one, one) for one in answers), repeats)
    found = [
        row(Call(case, who, repeat), one, **more)
        for who, column in enumerate(answers.values())
        for case, given in enumerate(column)
        for repeat, one in enumerate(_several(given))
    ]
    return Result(grid, found, name)


def _several(given: Given | Sequence[Given]) -> Sequence[Given]:
    return given if isinstance(given, list) else [given]  # type: ignore[list-item]


def row(call: Call, given: Given, reasoning: str = "", **more: Any) -> Row:
    answer, score = given if isinstance(given, tuple) else (given, None)
    key = f"{call}"
    if answer.startswith("error:"):
        return Row(call, key, None, error=answer.removeprefix("error:"))
    reply = Reply(
        answer,
        f"m{call.contestant}",
        "nitro",
        usage=Usage(10, 1200),
        timings=Timings(first_token=0.12, total=2.5, tokens_per_second=40.0 + call.case),
        finish="stop",
        reasoning=reasoning,
    )
    scores = EMPTY if score is None else {"exact": Score(score)}
    return Row(call, key, reply, scores=scores, **more)


@dataclass(frozen=True)
class Said:
    contestant: str
    baseline: str
    scorer: str
    word: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


class Page(HTMLParser):
    """What a page is made of: its elements with their attributes, and the text of each kind."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "line", "circle"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        return [data for inside, data in self.texts if tag in inside and data.strip()]


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></td></table><svg onload=alert(1)>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "[click](javascript:alert(1)) ![pixel](https://tracker.example/p.png)",
    "```\n</code></pre><iframe src=//evil.example></iframe>\n```",
    "$\\href{javascript:alert(1)}{x}$ \\unicode{x} $$\\style{position:fixed}{y}$$",
    "' onmouseover='alert(1)' x=\" onfocus=\"alert(1)\" autofocus",
    "| a | b |\n|---|---|\n| <b>c</b> | d |",
    "user\u202egnp.exe \u2066hidden\u2069 \x1b[31mred\x1b[0m \x9b1m",
    "@import url(//evil.example); </style><style>*{display:none}</style>",
    "<!-- <details><summary>",
    "]]> &lt;script&gt; &#60;script&#62;",
)
TAGS = {
    *("style", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p", "span", "pre"),
    *("ins", "del", "details", "summary", "ul", "li", "svg", "line", "circle"),
    *("html", "head", "meta", "title", "body", "main", "h1"),
}
ATTRIBUTES = {
    *("class", "role", "scope", "colspan", "dir", "tabindex", "aria-label", "aria-hidden"),
    *("data-name", "data-n", "xmlns", "viewbox", "width", "height", "focusable", "fill"),
    *("x1", "x2", "y1", "y2", "cx", "cy", "r", "stroke", "stroke-opacity", "stroke-width"),
    *("stroke-dasharray", "style", "lang", "charset", "name", "content", "http-equiv"),
}


def hostile(said: str) -> Result:
    """The same everywhere that somebody else's words may stand."""
    named = Contestant(said, said)
    case = Case(said, ((Message("user", said),),), variables={said: said}, expected=said)
    grid = Grid((case,), (Contestant("a", "a"), named), 2)
    scores = {said: Score(0.5, said)}
    found = [
        row(Call(0, 0, 0), f"{said} one"),
        row(Call(0, 0, 1), f"two {said}", reasoning=said),
        Row(
            Call(0, 1, 0),
            "k",
            Reply(f"{said} three", said, said, reasoning=said, timings=Timings(total=1.0)),
            scores=scores,
        ),
        Row(Call(0, 1, 1), "k", Reply(said * 40, said, said), error=said),
    ]
    return Result(grid, found, said)


@pytest.mark.parametrize("said", HOSTILE)
@pytest.mark.parametrize("against", ["baseline", "expected", "nothing"])
def test_nothing_that_anybody_wrote_is_more_than_text_in_html(said: str, against: Any) -> None:
    only_text_in_html(said, against)


def only_text_in_html(said: str, against: Any) -> None:
    shown = board(hostile(said), [Said(said, "a", said, said, said)], against=against, every=True)
    for page in (html.fragment(shown), report.report(shown, said)):
        found = Page(page)
        assert {tag for tag, _ in found.elements} <= TAGS
        assert {name for _, attributes in found.elements for name in attributes} <= ATTRIBUTES
        assert "\x1b" not in page
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)
        styles = {dict(attributes).get("style") for _, attributes in found.elements}
        assert styles <= {None, "text-align:left;vertical-align:top"}
        style = "".join(data for inside, data in found.texts if "style" in inside)
        assert "import" not in style
        assert "url(" not in style


@pytest.mark.parametrize("said", HOSTILE)
@pytest.mark.parametrize("against", ["baseline", "nothing"])
def test_nothing_that_anybody_wrote_is_more_than_text_in_markdown(said: str, against: Any) -> None:
    only_text_in_markdown(said, against)


def test_known_attacks_are_only_text_in_every_form() -> None:
    for said in PAYLOADS:
        only_text_in_html(said, "baseline")
        only_text_in_markdown(said, "baseline")
        only_text_in_a_terminal(said)


def only_text_in_markdown(said: str, against: Any) -> None:
    shown = board(hostile(said), [Said(said, "a", said, said, said)], against=against, every=True)
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    renderer.validateLink = lambda url: True  # type: ignore[method-assign]
    found = _Loose(renderer.render(markdown.markdown(shown)))
    harmless = {
        *(f"h{n}" for n in range(1, 7)),
        "a",
        "code",
        "pre",
        "em",
        "strong",
        "s",
        "br",
        "hr",
    }
    assert found.tags <= TAGS | harmless | {"ol", "blockquote"}
    assert found.attributes <= {"href", "title", "class", "start", "style"}
    assert not [one for one in found.links if re.match(r"\s*(javascript|data):", one)]


class _Loose(HTMLParser):
    """Tags and attributes of a page that may close its elements in any order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("said", HOSTILE)
def test_a_terminal_is_steered_by_nobody(said: str) -> None:
    only_text_in_a_terminal(said)


def only_text_in_a_terminal(said: str) -> None:
    shown = text.text(board(hostile(said), every=True), 80)
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert max(map(width, shown.splitlines())) <= 80


WORDS = st.lists(st.sampled_from(["the", "cat", "sat", " ", "\n", ". ", "é", "猫"]), max_size=40)


@given(st.one_of(st.text(), WORDS.map("".join)), st.one_of(st.text(), WORDS.map("".join)))
@example("a b c", "a x c")
@example("", "new")
@settings(max_examples=300)
def test_the_parts_of_a_diff_give_both_texts(old: str, new: str) -> None:
    parts = diff.parts(old, new)
    assert "".join(part.text for part in parts if part.kind != "added") == old
    assert "".join(part.text for part in parts if part.kind != "removed") == new
    assert all(part.text for part in parts)
    kinds = [part.kind for part in parts]
    assert all(a != b for a, b in itertools.pairwise(kinds))
    head, rest = diff.cut(parts, 10)
    assert "".join(p.text for p in [*head, *rest]) == "".join(p.text for p in parts)
    assert sum(len(p.text) for p in head) <= 10


ANSWERS = st.one_of(WORDS.map("".join), st.text(st.characters(exclude_categories=["C"])))


@given(ANSWERS, ANSWERS)
@settings(max_examples=150)
def test_what_is_marked_in_a_page_gives_both_answers(old: str, new: str) -> None:
    """Without what is struck out it is the answer, without what is underlined its baseline."""
    page = html.body(board(made({"a": [old], "b": [new]})), "")
    if not (old.strip() and new.strip()):
        assert "an empty answer" in page
        return
    cell = Page(f"<td {page.split('<td ')[-1].split('</td>')[0]}</td>")
    written = [(inside, data) for inside, data in cell.texts if "pre" in inside]
    here = "".join(data for inside, data in written if "del" not in inside)
    there = "".join(data for inside, data in written if "ins" not in inside).replace("⏎", "")
    assert here.split() == new.split()
    if any("del" in inside or "ins" in inside for inside, _ in written):  # else all is new
        assert "".join(there.split()) == "".join(old.replace("⏎", "").split())


def test_a_diff_goes_by_words() -> None:
    parts = diff.parts("Mars has two moons, Phobos and Deimos.", "Mars has three moons and Deimos.")
    assert [*map(tuple, parts)] == [
        ("same", "Mars has "),
        ("removed", "two"),
        ("added", "three"),
        ("same", " moons"),
        ("removed", ", Phobos"),
        ("same", " and Deimos."),
    ]
    assert diff.alike(parts)
    assert not diff.alike(diff.parts("Phobos and Deimos", "I would rather not say, sorry"))


def test_a_long_answer_that_repeats_itself_is_still_marked() -> None:
    old = "Each layer mixes what is there, and works on each place alone. " * 20
    new = old[:600] + old[600:].replace("alone", "apart", 1)
    assert [part.text for part in diff.parts(old, new) if part.kind != "same"] == ["alone", "apart"]


def test_the_cost_of_a_diff_is_bounded() -> None:
    """The first would be some hundred millions of pairs of equal words, the second is matched line
    by line before it is matched word by word."""
    old, new = "a " * 20_000, "b " + "a c " * 20_000
    parts = diff.parts(old, new)
    assert "".join(part.text for part in parts if part.kind != "removed") == new
    lines = [" ".join(f"{n}-{i}" for i in range(10)) + "\n" for n in range(900)]
    changed = ["new\n", *lines[:300], lines[300].replace("300-5", "x"), *lines[301:]]
    assert [tuple(p) for p in diff.parts("".join(lines), "".join(changed)) if p.kind != "same"] == [
        ("added", "new\n"),
        ("removed", "300-5"),
        ("added", "x"),
    ]


def test_the_biggest_regression_stands_first_and_failures_before_it() -> None:
    result = made(
        {
            "a": [("x", 1.0), ("x", 1.0), ("x", 0.0), ("same", 1.0), ("x", 1.0)],
            "b": [("y", 0.5), ("y", 0.0), ("y", 1.0), ("same ", 1.0), "error:It broke."],
        }
    )
    shown = board(result)
    assert [line.place for line in shown.lines] == [4, 1, 0, 2]
    assert [line.worst for line in shown.lines] == [None, -1.0, -0.5, 1.0]
    assert shown.same == 1
    assert (
        shown.left_out == "1 prompt not shown: there it agrees with a (.show(every=True) has all)."
    )
    assert [line.place for line in board(result, every=True).lines] == [4, 1, 0, 3, 2]
    assert next(line.place for line in board(result, baseline="b").lines) == 2
    alike = made({"a": ["x", "y", "z"], "b": ["x", "y", "w"]})
    assert [line.place for line in board(alike, every=True).lines] == [2, 0, 1]
    few = board(result, limit=1)
    assert (len(few.lines), few.more) == (1, 3)
    assert board(result, limit=0).left_out == ""


def test_one_prompt_is_shown_though_all_agree() -> None:
    alone, two = made({"a": ["x"], "b": ["x"]}), made({"a": ["x", "y"], "b": ["x", "y"]})
    assert len(board(alone).lines) == 1
    assert not board(alone).left_out
    assert "= the same answer as a" in text.text(board(alone))
    assert (
        board(two).left_out
        == "2 prompts not shown: there it agrees with a (.show(every=True) has all)."
    )
    assert not board(alone, limit=0).lines


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_an_empty_answer_is_told(nothing: str) -> None:
    shown = board(made({"a": ["x"], "b": [nothing]}))
    for form in (html.body(shown, ""), markdown.markdown(shown), text.text(shown)):
        assert "an empty answer" in form


def test_it_is_told_which_brackets_are_what() -> None:
    result = made({"a": [("x", 1.0)] * 5})
    legend = table.legend(board(result))
    assert (
        "± one standard deviation of the prompts, which is no interval of the mean (exact)"
        in legend
    )
    assert "in brackets the middle half of the prompts (tok/s)" in legend
    assert "(tok/s)" not in table.legend(board(made({"a": ["x"] * 5})))


def test_nothing_is_said_of_what_is_not_there() -> None:
    """Neither marks against what nobody expects, nor scores of which there are none."""
    result = made({"a": ["x"]})
    failed = [
        replace(row, scores={"exact": Score(None, "there is nothing expected")})
        for row in result.rows
    ]
    shown = text.text(board(Result(result.grid, failed)))
    assert "expected:" not in shown
    assert "only here" not in shown
    assert "Scores are means" not in shown
    assert "there is nothing expected" in shown


def test_repeats_are_collapsed_with_the_place_where_they_part() -> None:
    result = made(
        {
            "a": [["Mars has two", "Mars has two", "Mars has two"]],
            "b": [["Mars has two", "Mars owns two", "Mars has two"]],
        }
    )
    shown = html.body(board(result), "")
    assert "×3" in shown
    assert "×2 of 3" in shown.replace("\u00a0", " ")
    assert "×1 differs from word 2 on: “owns two” instead of “has two”" in shown
    assert [(one.stable, one.repeated) for one in board(result).summaries] == [(1, 1), (0, 1)]
    assert diff.parting("a b", "a b c") == (3, "", "c")


def test_a_picture_in_a_question_is_told() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked = Message("user", [{"type": "text", "text": "What is it?"}, picture])
    grid = Grid((Case("", ((asked,),)),), (Contestant("a", "a"),))
    shown = board(Result(grid, [row(Call(0, 0), "A cat.")]))
    for form in (html.body(shown, ""), text.text(shown)):
        assert "What is it? (with 1 attachment)" in form
        assert "base64" not in form


def test_an_answer_that_ends_earlier_or_later_says_so() -> None:
    said = text.text(board(made({"a": [["x y", "x y", "x", "x y z", "", "x  y"]]})), 200)
    for one in ("ends before “y” (word 2)", "goes on with “z” (word 3)", "an empty answer"):
        assert f"×1 {one}" in said
    assert "×1 differs in blanks only" in said


def test_many_answers_of_one_prompt_are_counted() -> None:
    result = made({"a": [[f"answer {n}" for n in range(9)]]})
    for form in (
        html.body(board(result), ""),
        markdown.markdown(board(result)),
        text.text(board(result)),
    ):
        assert form.count("×1 differs from word 2 on") == 4
        assert "4 more answers that differ" in form


def test_times_are_without_waiting_and_loading() -> None:
    result = made({"a": ["x"]}, cold=True)
    timings = Timings(queue=1.0, load=2.0, first_token=3.25, total=5.5)
    waited = Row(Call(0, 0), "k", Reply("x", "m", "nitro", timings=timings), cold=True)
    shown = board(Result(result.grid, [waited]))
    (summary,) = shown.summaries
    assert (summary.first_token, summary.seconds) == (
        figures.Estimate(0.25, n=1),
        figures.Estimate(2.5, n=1),
    )
    assert (summary.loads, summary.loading) == (1, 2.0)
    assert re.search("first token +an answer +loading", text.text(shown))
    assert "2.5 s (cold)  2.0 s" in text.text(shown)
    assert "2.5 s · <cold: 2.0 s of loading>" in text.text(shown)


def test_repeats_of_a_prompt_are_one_unit() -> None:
    result = made({"a": [[("x", 1.0), ("x", 0.0)], [("y", 1.0), ("y", 1.0)]]})
    (summary,) = board(result).summaries
    score = summary.scores["exact"]
    assert (score.value, score.n, score.kind) == (0.75, 2, "sd")
    assert score.low == pytest.approx(0.75 - 0.3535533905932738)


def test_times_are_those_of_warm_answers() -> None:
    result = made({"a": ["x", "y"]})
    cold = Row(
        Call(0, 0),
        "k",
        Reply("x", "m", "nitro", timings=Timings(first_token=30.0, tokens_per_second=1.0)),
        cold=True,
    )
    (summary,) = board(Result(result.grid, [cold, result.rows[1]])).summaries
    assert summary.first_token is not None
    assert summary.first_token.value == 0.12
    timings = Timings(load=4.0, total=34.0)
    loaded = Row(Call(0, 0), "k", Reply("x", "m", "nitro", timings=timings), cold=True)
    both = board(Result(result.grid, [loaded, result.rows[1]]))
    assert both.summaries[0].seconds == figures.Estimate(2.5, n=1)
    assert (both.summaries[0].loads, both.summaries[0].loading) == (1, 4.0)
    assert "medians, of warm answers where there are some" in text.text(both)
    again = Row(Call(1, 0), "l", Reply("x", "m", "nitro", timings=Timings(load=6.0)), cold=True)
    assert "2 × 5.0 s" in text.text(board(Result(result.grid, [loaded, again])))
    (alone,) = board(Result(result.grid, [cold])).summaries
    assert alone.first_token is not None
    assert (alone.first_token.value, alone.warm, alone.missing) == (30.0, False, 1)
    assert "30 s (cold)" in text.text(board(Result(result.grid, [cold])))


def test_intervals_of_statistics_take_the_place_of_spreads() -> None:
    @dataclass(frozen=True)
    class Interval:
        value: float
        low: float | None
        high: float | None
        n: int

    @dataclass(frozen=True)
    class Stand:
        contestant: str
        what: str
        estimate: Interval

    stand = Stand("a", "exact", Interval(0.5, 0.2, 0.8, 2))
    shown = board(made({"a": [("x", 1.0), ("y", 0.0)]}), standings=[stand])
    assert shown.summaries[0].scores["exact"].kind == "95 %"
    assert "0.50 (0.20 to 0.80)" in text.text(shown)
    assert "95 % interval" in text.text(shown)


def test_verdicts_and_standings_are_shown() -> None:
    """With or without the packages that make intervals: then there are no words, only numbers."""
    good, bad = [("y", 1.0)] * 30, [("n", 0.0)] * 30
    result = made({"a": good, "b": bad, "c": good})
    judged = verdicts.verdicts(result, "exact")
    shown = board(result, judged, standings=verdicts.standings(result, "exact"))
    kind = shown.summaries[0].scores["exact"].kind
    assert (kind == "95 %") == statistics.available()
    assert [shown.word(who) for who in range(3)] == ["", judged[0].word, judged[1].word]
    assert (judged[0].word == "worse") == statistics.available()
    said = [str(verdict) for verdict in judged]
    assert Page(html.fragment(shown)).text("li") == said
    assert all(f"- {one}" in text.text(shown, 1000) for one in said)
    assert board(result, judged, baseline="b").word(0) == ""


def test_tables_say_what_they_are() -> None:
    result = made({"a": [("x y", 1.0), "z"], "b": [("x w", 0.0), "error:It broke."]})
    verdict = Said("b", "a", "exact", "worse", "b is worse than a in exact.")
    page = Page(html.fragment(board(result, [verdict])))
    assert len(page.of("caption")) == len(page.of("table")) == 2
    assert all(one.get("scope") in ("col", "row", "rowgroup") for one in page.of("th"))
    assert [one for one in page.of("th") if one["scope"] == "rowgroup"] == [
        {
            "style": "text-align:left;vertical-align:top",
            "class": "jc-ask",
            "scope": "rowgroup",
            "role": "rowheader",
            "colspan": "2",
        }
    ] * 2
    # They stay tables where they are laid out one below the other.
    assert {one.get("role") for one in page.of("table")} == {"table"}
    assert {one.get("role") for one in page.of("td")} == {"cell"}
    assert [one["data-name"] for one in page.of("td")][-4:] == ["a", "b"] * 2
    assert all(one.get("aria-hidden") == "true" for one in page.of("svg"))
    assert page.text("ins") == ["w"]
    assert page.text("del") == ["y"]
    assert page.text("li") == ["b is worse than a in exact."]
    assert "worse" in page.text("td")
    assert "−1" in page.text("td")
    assert [one for one in page.text("td") if one.startswith("✕")] == ["✕ It broke."]


def test_colour_never_tells_alone() -> None:
    """Each span that is coloured by a class has a sign, a word or a number in it."""
    result = made({"a": [("x", 1.0), "z"], "b": [("y", 0.0), "error:It broke."]})
    page = html.body(board(result), "")
    coloured = re.findall(r'class="jc-(?:good|bad|error|warn)">([^<]*)<', page)
    assert coloured
    assert all(re.search(r"[+−✕\d]|better|worse", one) for one in coloured)


def test_long_answers_are_cut_and_reasoning_is_folded() -> None:
    long = "word " * 1000
    result = made({"a": [long + "a"], "b": [long + "b"]}, reasoning="Hm, let me see.")
    page = Page(html.body(board(result), ""))
    folds = page.text("summary")
    assert [fold for fold in folds if fold.startswith("…")] == ["… 4,401 more characters"] * 2
    assert folds.count("reasoning") == 2
    said = "".join(page.text("pre"))
    assert said.count("word") == 2000
    plain = text.text(board(result))
    assert "… 4,4" in plain
    assert "Hm" not in plain


def test_an_answer_that_is_the_reference_is_not_repeated() -> None:
    result = made({"a": ["four", "4"], "b": ["four", "5"]}, expected=["four", 4])
    against = board(result, against="expected", every=True)
    assert "= as expected" in text.text(against)
    assert "{+5+}" not in text.text(against)  # nothing in common: marks would tell nothing
    assert "= the same answer as a" in text.text(board(result, every=True))
    alone = board(made({"a": ["It is 4."]}, expected=["It is 5."]))
    assert alone.against == "expected"
    assert "It is [-5-]{+4+}." in text.text(alone)


def test_cold_and_reused_and_cut_are_marked() -> None:
    result = made({"a": ["x"], "b": ["y"]}, cold=True, reused=True)
    for shown in (html.body(board(result), ""), text.text(board(result))):
        assert "cold" in shown
        assert "reused" in shown
    assert "cold · reused" in markdown.markdown(board(result))


def test_a_report_lets_nothing_in() -> None:
    page = report.report(board(made({"a": ["x"], "b": ["y"]})), "Made in a test.")
    found = Page(page)
    policy = next(one["content"] for one in found.of("meta") if "http-equiv" in one) or ""
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert f"'sha256-{digest}'" in policy
    assert not found.of("script")
    assert not found.of("link")
    assert not [one for _, attributes in found.elements for one in attributes if one == "style"]
    assert "Made in a test." in page
    assert "http" not in page.replace("http-equiv", "").replace('xmlns="http://www.w3.org', "")


@pytest.mark.parametrize("count", [1, 2, 3, 6, 9])
@pytest.mark.parametrize("columns", [40, 80, 160])
def test_plain_text_keeps_to_its_width(count: int, columns: int) -> None:
    answers = {f"model-{i}": ["猫は " * 30 + f"{i}", "word " * 90, "x" * 300] for i in range(count)}
    shown = text.text(board(made(answers)), columns)
    assert max(map(width, shown.splitlines())) <= columns
    assert all(name in shown for name in answers)


def test_partial_and_empty_results_are_shown() -> None:
    result = made({"a": ["x", "y"], "b": ["z", "w"]})
    partial = Result(result.grid, result.rows[:3], "")
    empty = Result(result.grid, (), "")
    for one in (partial, empty):
        shown = board(one, every=True)
        for form in (text.text(shown), markdown.markdown(shown), html.fragment(shown)):
            assert "not asked yet" in form
    assert "3 of 4 calls ended" in text.text(board(partial))


@pytest.mark.parametrize("wrong", [{"baseline": "c"}, {"baseline": 7}, {"scorer": "nobody"}])
def test_names_that_are_not_there_are_told_in_one_line(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        board(made({"a": ["x"], "b": ["y"]}), **wrong)
    assert "\n" not in str(caught.value)


def test_dots_stand_on_one_scale() -> None:
    low, high = figures.Estimate(20, 10, 30, 5, "95 %"), figures.Estimate(80, 60, 90, 5, "95 %")
    on = dots.scale([low, high, None], from_zero=True)
    assert (on.low, on.high) == (0, 90)
    assert dots.scale([figures.Estimate(0.4)]) == (0, 1)
    drawn = dots.strip(low, on, baseline=80)
    ((at,),) = [re.findall(r'cx="([\d.]+)"', drawn)]
    start, end = re.findall(r'x1="([\d.]+)"[^>]*x2="([\d.]+)"[^>]*jc-span', drawn)[0]
    assert float(start) < float(at) < float(end) < on.x(80)
    assert "<rect" not in drawn  # a dot with its interval, never a bar
    same = dots.scale([figures.Estimate(5), figures.Estimate(5)])
    assert same.low < 5 < same.high


def _lines(count: int) -> Iterator[str]:
    for number in range(count):
        yield f"Answer {number}: the moon is {number} km away, as far as I know."


def test_a_thousand_rows_cost_ten_times_a_hundred() -> None:
    """Counted in what is looked at, as times would depend on the machine."""
    looked = {}
    for count in (100, 1000):
        result = made({"a": [*_lines(count)], "b": [one + " Yes." for one in _lines(count)]})
        counted = _Counted(result.rows)
        shown = board(Result(result.grid, counted, "many"))
        sizes = [len(html.fragment(shown)), len(markdown.markdown(shown)), len(text.text(shown))]
        sizes.append(len(report.report(shown)))
        assert len(shown.lines) == count
        looked[count] = [counted.looked, *sizes]
    for few, many in zip(looked[100], looked[1000], strict=True):
        assert many <= 11 * few


class _Counted(Sequence[Row]):
    """Rows that count how often one of them is looked at."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.looked = rows, 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        self.looked += 1
        return self.rows[index]

    def __iter__(self) -> Iterator[Row]:
        for one in self.rows:
            self.looked += 1
            yield one
