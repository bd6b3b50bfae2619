"""Branches: what holds for every history of asking, regenerating, editing, switching, deleting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.errors import ThreadNotFound
from jan_jupyter.threads.message import ThreadMessage
from jan_jupyter.threads.tree import ROOT, Off, Tree


def turn(id: str, role: str = "user", created: float = 1.0) -> ThreadMessage:
    return ThreadMessage(role, id, id=id, created=created)  # type: ignore[arg-type]


def ids(tree: Tree) -> list[str]:
    return [message.id for message in tree.line]


def all_ids(tree: Tree) -> set[str]:
    return {*ids(tree), *(off.message.id for off in tree.off)}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["append", "answer", "fork", "switch", "delete"]), st.integers(0, 50)
    ),
    max_size=40,
)


@given(STEPS)
def test_no_history_loses_a_turn(steps: list[tuple[str, int]]) -> None:
    tree = Tree()
    known: set[str] = set()
    for number, (what, pick) in enumerate(steps):
        everywhere = sorted(known)
        id = everywhere[pick % len(everywhere)] if everywhere else ""
        on = ids(tree)
        new = turn(f"m{number}", "assistant" if number % 2 else "user", created=number + 1)
        if what == "append" or not known:
            tree = tree.appended(new)
            known.add(new.id)
            assert ids(tree) == [*on, new.id]
        elif what == "answer":
            tree = tree.answered(new, id)
            known.add(new.id)
            assert [i for i in ids(tree) if i != new.id] == on
        elif what == "fork" and on:
            at = on[pick % len(on)]
            tree = tree.forked(at)
            assert ids(tree) == on[: on.index(at)]
            assert ids(tree.switched(at))[: len(ids(tree))] == ids(tree)
        elif what == "switch":
            tree = tree.switched(id)
            assert id in ids(tree)
        elif what == "delete":
            tree = tree.without([id])
            known.remove(id)
        assert all_ids(tree) == known
        assert len({*ids(tree)}) == len(tree.line)
        for message in tree.line:
            assert message.id in tree.versions(message.id)
        for off in tree.off:  # every turn off the line can be brought back
            assert off.parent == ROOT or off.parent in known
            assert off.message.id in ids(tree.switched(off.message.id))


def test_versions_and_switching_back_and_forth() -> None:
    tree = Tree((turn("q"), turn("a1", "assistant", 2), turn("q2", created=3)))
    tree = tree.forked("a1").appended(turn("a2", "assistant", 4))
    assert tree.versions("a2") == tree.versions("a1") == ("a1", "a2")
    back = tree.switched("a1")
    assert ids(back) == ["q", "a1", "q2"]
    assert ids(back.switched("a2")) == ["q", "a2"]
    assert ids(back.switched("q2")) == ["q", "a1", "q2"]


def test_several_answers_to_one_question() -> None:
    tree = Tree((turn("q"),)).answered(turn("a", "assistant", 2), "q")
    tree = tree.answered(turn("b", "assistant", 3), "q")
    assert ids(tree) == ["q", "a"]
    assert tree.versions("a") == ("a", "b")


def test_an_answer_goes_behind_its_question_even_if_another_was_asked_meanwhile() -> None:
    tree = Tree((turn("q1"), turn("q2", created=2))).answered(turn("a1", "assistant", 3), "q1")
    assert ids(tree) == ["q1", "a1", "q2"]
    gone = Tree((turn("q1"),)).forked("q1").answered(turn("a1", "assistant"), "q1")
    assert ids(gone) == []
    assert ids(gone.switched("a1")) == ["q1", "a1"]


def test_deleting_the_last_answer_shows_another_version() -> None:
    tree = Tree((turn("q"), turn("a2", "assistant", 3)), (Off("q", turn("a1", "assistant", 2)),))
    assert ids(tree.without(["a2"])) == ["q", "a1"]
    assert ids(tree.without(["a2", "a1"])) == ["q"]
    middle = Tree((turn("q"), turn("a", "assistant"), turn("q2")))
    assert ids(middle.without(["a"])) == ["q", "q2"]


def test_what_is_not_there_is_told() -> None:
    tree = Tree((turn("q"),), (Off("gone", turn("a")), Off("y", turn("x")), Off("x", turn("y"))))
    for broken in ("a", "x", "y"):  # an orphan, and two that follow each other in a circle
        with pytest.raises(ThreadNotFound):
            tree.switched(broken)
    with pytest.raises(ThreadNotFound):
        tree.message("nobody")
    with pytest.raises(ThreadNotFound):
        tree.forked("a")
    assert all_ids(tree.forked("q")) == {"q", "a", "x", "y"}
