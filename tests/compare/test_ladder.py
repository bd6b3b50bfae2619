"""`jan.ladder`: which files are one model, where their next tokens part, and how it is shown."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.compare.grids.rungs import alike, rungs, same
from jan_jupyter.compare.running import flips
from jan_jupyter.compare.running.flips import GREEDY, NO_TOKENS, OTHER_TOKENS, Answer, walk
from jan_jupyter.compare.session import Session
from jan_jupyter.compare.views import scatter
from jan_jupyter.compare.views.figures import Estimate
from jan_jupyter.models.gguf import read_header
from jan_jupyter.models.hub.others import others, repository_of
from jan_jupyter.types import Message, Reply
from support.hub import Hub
from support.jan import add_model, add_remote, write_json
from support.quantised import write_quantised
from support.random_model import write_model
from support.server import StreamingServer

BUNDLED = Path(jan.__file__).parent / "data" / "models" / "jan-mini" / "jan-mini.gguf"
PROMPTS = ["Count from 3 to 9.", "Name three colours.", "Who are you?"]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model in other quantisations, a coarse one, and another model."""
    folder = tmp_path_factory.mktemp("quantised")
    for kind in ("F16", "Q4_0"):
        write_quantised(BUNDLED, folder / f"mini-{kind}.gguf", kind)
    write_quantised(BUNDLED, folder / "coarse-Q4_0.gguf", "Q4_0", noise=0.3)
    write_quantised(BUNDLED, folder / "other-F16.gguf", "F16", name="another one")
    write_model(folder / "random-F16.gguf")
    return folder


@pytest.fixture(autouse=True)
def place(isolated: Path, files: Path) -> Iterator[Path]:
    yield isolated / "jan"
    for name in {one.model for one in bridge.wait(jan.router.running())}:
        bridge.wait(jan.router.unload(name))
    bridge.wait(jan.router.close())


def add(place: Path, file: Path) -> str:
    """A model of a copy of the file; its id."""
    settings = {"ctx_len": 1024, "llama_model_path": "model.gguf"}
    described = add_model(place, file.stem, engine="nitro", settings=settings)
    shutil.copy(file, described.with_name("model.gguf"))
    return file.stem


def names(model: str, **options: Any) -> list[str]:
    return [rung.name for rung in rungs(jan.models.get(model), jan.models, **options)]


# Which files are one model ------------------------------------------------------------------------


def test_quantisations_are_told_by_headers_and_not_by_names(place: Path, files: Path) -> None:
    add(place, files / "mini-Q4_0.gguf")
    assert names("jan-mini") == ["Q8_0", "Q4_0"]
    shutil.move(add_model(place, "nothing-alike").parent, place / "models" / "unused")
    add(place, files / "mini-F16.gguf")
    add(place, files / "random-F16.gguf")  # other layers
    add(place, files / "other-F16.gguf")  # another name in its header
    assert names("jan-mini") == names("mini-Q4_0") == ["F16", "Q8_0", "Q4_0"]
    told = [read_header(files / f"{name}.gguf") for name in ("mini-F16", "mini-Q4_0", "other-F16")]
    assert same(told[0], told[1])
    assert not same(told[0], told[2])
    assert alike(told[0], told[2])
    assert same(
        told[0], replace(told[1], name="Jan MINI", parameter_count=told[1].parameter_count - 9)
    )
    assert not same(replace(told[0], name=""), replace(told[1], name=""))


def test_a_copy_stands_there_once_and_settings_are_rungs_of_the_model(
    place: Path, files: Path
) -> None:
    add(place, files / "mini-F16.gguf")
    shutil.copytree(place / "models" / "mini-F16", place / "models" / "copy")
    described = {"id": "copy", "engine": "nitro", "settings": {"llama_model_path": "model.gguf"}}
    write_json(place / "models" / "copy" / "model.json", described)
    found = names("jan-mini", settings=[{"cache_type_k": "q8_0"}, {"ctx_len": 512, "ngl": 0}])
    assert found == ["F16", "Q8_0", "Q8_0 · cache_type_k q8_0", "Q8_0 · ctx_len 512 · ngl 0"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "jan-mini"}, "in one quantisation only"),
        ({"model": "remote"}, "no GGUF file here"),
        ({"model": []}, "takes a model"),
        ({"model": ["jan-mini", "random-F16"]}, "is no quantisation of jan-mini"),
        ({"model": "jan-mini", "settings": [{"temperature": 1}]}, "is a parameter of requests"),
        ({"model": "jan-mini", "settings": "ctx_len"}, "mappings of names to values"),
        ({"model": "jan-mini", "settings": [{}]}, "mapping of names to values"),
        ({"model": "jan-mini", "tokens": -1}, "`tokens` is a whole number"),
    ],
)
def test_what_is_no_ladder_is_one_line(
    place: Path, files: Path, server: StreamingServer, asked: dict[str, Any], said: str
) -> None:
    add_remote(place, server, remote="echo")
    add(place, files / "random-F16.gguf")
    with pytest.raises(errors.UsageError, match=re.escape(said)) as caught:
        jan.ladder(prompts=["?"], **asked)
    assert "\n" not in str(caught.value)


# Flips --------------------------------------------------------------------------------------------


def by_hand(model: str, baseline: str, prompt: str, tokens: int) -> tuple[int, int]:
    """Positions and flips, each position asked for by a request of its own: by the text that comes
    next, as llama.cpp tells no token of a blank that it holds back."""
    answer = jan.chat(prompt, baseline, **GREEDY, max_tokens=tokens)
    text = [bytes(token["bytes"]).decode() for token in answer.logprobs]
    assert "".join(text) == answer.text
    positions = flipped = 0
    for at in range(len(text) + (answer.finish == "stop")):
        said = [Message("assistant", "".join(text[:at]))] if at else []
        reply = jan.chat([Message("user", prompt), *said], model, **GREEDY, max_tokens=1)
        assert reply.usage.prompt == answer.usage.prompt + at
        positions += 1
        flipped += reply.text != (text[at] if at < len(text) else "")
    return positions, flipped


def test_flips_are_those_that_asking_for_each_token_finds(place: Path, files: Path) -> None:
    small = add(place, files / "coarse-Q4_0.gguf")
    made = jan.ladder(small, PROMPTS, parameters={"max_tokens": 8}, tokens=40)
    assert [one.name for one in made.board.rungs] == ["Q8_0", "Q4_0"]
    expected = [by_hand(small, "jan-mini", prompt, 40) for prompt in PROMPTS]
    assert [(one.positions, one.flipped) for one in made.flips] == expected
    assert 0 < sum(flipped for _, flipped in expected) < sum(n for n, _ in expected) / 2
    shares = [flipped / positions for positions, flipped in expected]
    assert made.table()[1]["flips"] == pytest.approx(sum(shares) / len(shares))


def reply(text: str, *tokens: str | bytes, finish: Any = "length", top: str = "") -> Reply:
    """An answer with its tokens; `top`: what was more likely than the last of them."""
    data = [one.encode() if isinstance(one, str) else one for one in tokens]
    told = [{"bytes": [*one], "top_logprobs": [{"bytes": [*one]}]} for one in data]
    if top:
        told[-1]["top_logprobs"] = [{"bytes": [*top.encode()]}]
    return Reply(text, "m", "nitro", finish=finish, logprobs=told)


ENDED = Answer([b"3", b",", b" ", b"4"], True, 7)
CUT = replace(ENDED, ended=False)


@pytest.mark.parametrize(
    ("answer", "position", "came", "seen", "flipped"),
    [
        (ENDED, 0, reply("3, 4", "3", ",", " ", "4"), 4, 0),
        (ENDED, 0, reply("3, 4", "3", ",", " ", "4", finish="stop"), 5, 0),
        (ENDED, 0, reply("3, 45", "3", ",", " ", "4", "5"), 5, 1),  # goes on
        (CUT, 0, reply("3, 45", "3", ",", " ", "4", "5"), 4, 0),
        (ENDED, 0, reply("3", "3", finish="stop"), 2, 1),  # ends too early
        (ENDED, 1, reply("; 4", ";", " ", "4"), 1, 1),
        (ENDED, 0, reply("3, 5", "3", ",", " ", "5", finish="stop"), 4, 1),
        (ENDED, 0, reply("3,", "3", ",", top="."), 2, 1),  # taken all the same
        (ENDED, 2, reply(" 4", "4"), 2, 0),  # of the blank no token is told
        (ENDED, 1, reply(" 4", "4"), 1, 1),
        (ENDED, 0, reply("3, ", "3", ","), 2, 0),  # nor of one at the end
        (ENDED, 4, reply("", finish="stop"), 1, 0),
        (ENDED, 4, reply(" so", "so"), 1, 1),
        (ENDED, 0, reply("3, 4", "3", " ", "4"), 1, 0),  # one in the middle is missing
        (ENDED, 0, reply("3", "3", "é".encode()[:1]), 1, 0),  # cut within a letter
    ],
)
def test_a_continuation_counts_as_far_as_it_keeps_to_the_answer(
    answer: Answer, position: int, came: Reply, seen: int, flipped: int
) -> None:
    assert walk(answer, position, came) == (seen, flipped)


def test_half_a_letter_is_no_beginning() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    answer = Answer([b"a", first, second], False, 3)
    assert [answer.beginning(at) for at in range(4)] == ["", "a", None, "aé"]


def test_a_small_loss_changes_few_tokens_of_a_trained_model(place: Path, files: Path) -> None:
    add(place, files / "mini-F16.gguf")
    add(place, files / "mini-Q4_0.gguf")
    made = jan.ladder("jan-mini", PROMPTS, parameters={"max_tokens": 40}, tokens=40)
    assert [one.name for one in made.board.rungs] == ["F16", "Q8_0", "Q4_0"]
    assert [one.why for one in made.flips] == [""] * 6
    assert [one.flipped for one in made.flips[:3]] == [0, 0, 0]  # Q8_0 is what F16 was made of
    found = {(one.case, one.positions) for one in made.flips}
    assert len(found) == len(PROMPTS)  # all are led along the same answers
    expected = [by_hand("mini-Q4_0", "mini-F16", prompt, 40) for prompt in PROMPTS]
    assert [(one.positions, one.flipped) for one in made.flips[3:]] == expected


def test_what_was_measured_is_not_measured_again(
    place: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(place, files / "mini-Q4_0.gguf")
    before = jan.ladder("jan-mini", PROMPTS, name="once", parameters=GREEDY, tokens=20)
    asked: list[Any] = []
    real = jan.router.chat

    def chat(*given: Any) -> Any:
        asked.append(given)
        return real(*given)

    monkeypatch.setattr(jan.router, "chat", chat)
    again = jan.ladder("jan-mini", PROMPTS, name="once", parameters=GREEDY, tokens=20)
    assert not asked
    assert [replace(one, key="") for one in again.flips] == [
        replace(one, key="") for one in before.flips
    ]
    jan.ladder("jan-mini", PROMPTS, name="once", parameters=GREEDY, tokens=0)
    assert not asked
    assert (
        jan.ladder("jan-mini", PROMPTS, name="once", parameters=GREEDY, tokens=21)
        .flips[0]
        .positions
    )
    assert asked
    assert len(jan.runs["once"]) == len(PROMPTS) * 2


def test_an_engine_that_tells_no_tokens_or_reads_others_is_not_counted(
    place: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(place, files / "mini-Q4_0.gguf")
    from jan_jupyter.fold import Fold

    real = Fold.reply

    def without_tokens(fold: Fold, error: BaseException | None = None) -> Reply:
        return replace(real(fold, error), logprobs=())

    def other_prompt(fold: Fold, error: BaseException | None = None) -> Reply:
        reply = real(fold, error)
        began = reply.messages[-2].role == "assistant" if len(reply.messages) > 1 else False
        return replace(reply, usage=replace(reply.usage, prompt=3)) if began else reply

    monkeypatch.setattr(Fold, "reply", without_tokens)
    made = jan.ladder("jan-mini", PROMPTS[:1], tokens=20)
    assert [(one.positions, one.why) for one in made.flips] == [(0, NO_TOKENS)]
    assert f"Flips of Q4_0 not measured everywhere: {NO_TOKENS}" in repr(made).replace("\n ", "")
    monkeypatch.setattr(Fold, "reply", other_prompt)
    made = jan.ladder("jan-mini", PROMPTS[:1], tokens=20)
    assert [(one.positions, one.why) for one in made.flips] == [(16, OTHER_TOKENS)]


# How it is shown ----------------------------------------------------------------------------------


def test_a_ladder_shows_and_saves_itself(place: Path, files: Path, tmp_path: Path) -> None:
    add(place, files / "mini-Q4_0.gguf")
    made = jan.ladder(
        "jan-mini",
        ["What is 7 + 8?", "What is 2 + 2?"],
        expected=["15", "4"],
        scorers="contains",
        settings={"cache_type_k": "q8_0"},
        name="<i>sums",
    )
    assert made.name == "<i>sums"
    first, second, third = made.table()
    assert [first["rung"], second["rung"]] == ["Q8_0", "Q4_0"]
    assert third["rung"] == "Q8_0 · cache_type_k q8_0"
    assert first["size"] > second["size"] > 10**6
    assert first["memory"] > third["memory"]  # its cache is smaller
    assert (first["flips"], first["positions"]) == (None, 0)
    assert 0 <= second["flips"] <= 1
    assert second["positions"] > 8
    assert {"contains", "tokens_per_second", "prompt_tokens_per_second"} <= second.keys()
    shown = made.bundle()
    page = made.save(tmp_path / "x.html").read_text("utf-8")
    for text in (*shown.values(), page, made.save(tmp_path / "x.md").read_text("utf-8")):
        for word in ("Q4", "file", "memory", "tok/s", "contains", "against", "flips", "baseline"):
            assert word in text
        assert "<i>" not in text or text == shown["text/plain"]
    assert page.count('class="jc-dot"') > 3
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    with pytest.raises(errors.UsageError, match=r"\.html or \.md"):
        made.save(tmp_path / "x.pdf")


def test_without_prompts_some_that_come_with_us_are_asked(place: Path, files: Path) -> None:
    add(place, files / "mini-Q4_0.gguf")
    made = jan.ladder("jan-mini", parameters={"max_tokens": 4}, tokens=4)
    assert len(made.comparison.grid.cases) == 8
    assert "These prompts come with us" in repr(made)
    assert "same next token as Q8_0" in made._repr_html_()
    made.score("contains:a")
    assert "contains" in made._repr_html_()
    assert "come with us" not in repr(jan.ladder("jan-mini", "Hi", tokens=0))


def test_labels_of_dots_stand_beside_each_other() -> None:
    dots = [
        scatter.Dot(f"rung {place}", Estimate(10.0 + place / 10), Estimate(0.5))
        for place in range(4)
    ]
    x = scatter.axis("x", [one.x for one in dots], at_least=(0, 0))
    drawn = scatter.scatter(dots, x, scatter.axis("y", [one.y for one in dots]))
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*class="jc-name"', drawn)
    assert len(set(places)) == 4
    assert drawn.count("<circle") == 4


# What could be pulled -----------------------------------------------------------------------------


def test_other_quantisations_of_the_repository_are_named(
    place: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a ladder of a model that was pulled from a hub, and no word where nobody knows."""
    repository = tmp_path / "org" / "mini-GGUF"
    repository.mkdir(parents=True)
    for kind in ("Q4_0", "Q5_0"):
        shutil.copy(files / "mini-Q4_0.gguf", repository / f"mini-{kind}.gguf")
    with Hub(tmp_path) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        pulled = jan.models.pull("hf:org/mini-GGUF:Q4_0", quiet=True)
        assert repository_of(pulled) == "org/mini-GGUF"
        assert repository_of(jan.models.get("jan-mini")) == ""
        made = jan.ladder(pulled, "Who are you?", tokens=0)
        assert made.pull == (
            "org/mini-GGUF also has Q5_0 (1.6 MB): `%jan pull hf:org/mini-GGUF:Q5_0` fetches one."
        )
        assert made.pull in made.bundle()["text/plain"].replace("\n  ", " ")
        told = bridge.wait(others([pulled], ["q5_0", "q4_0"]))
        assert told == "org/mini-GGUF has no other quantisation."
        hub.behave("org/mini-GGUF", status=404)
        assert "is not known: " in bridge.wait(others([pulled], []))
    made = jan.ladder(pulled, "Who are you?", tokens=0)  # without a network
    assert made.pull.startswith("What org/mini-GGUF has beside these is not known: ")
    assert "\n" not in made.pull


def test_asking_anew_measures_anew_and_a_stop_keeps_what_was_measured(
    place: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(place, files / "mini-Q4_0.gguf")
    jan.ladder("jan-mini", PROMPTS, name="once", parameters=GREEDY, tokens=20)
    walked: list[int] = []
    real = flips.walk

    def counted(answer: Answer, position: int, came: Reply) -> tuple[int, int]:
        walked.append(position)
        return real(answer, position, came)

    monkeypatch.setattr(flips, "walk", counted)
    made = jan.ladder("jan-mini", PROMPTS, name="anew", tokens=20, fresh=True)
    assert len(walked) >= len(PROMPTS)
    assert not any(row.reused for row in made.comparison)

    class Stops:
        """Somebody who stops it when the first flips are there."""

        def step(self, counted: Any) -> None:
            if str(counted).startswith("Top tokens"):
                raise KeyboardInterrupt

        def end(self, line: str = "") -> None:
            self.line = line

    monkeypatch.setattr(Session, "shows", Stops)
    half = jan.ladder("jan-mini", PROMPTS, name="half", tokens=19)
    assert len(half.comparison) == 2 * len(PROMPTS)
    assert 0 < len(half.flips) < len(PROMPTS) + 1
    assert "flips" in repr(half)
