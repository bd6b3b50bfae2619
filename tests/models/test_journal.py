"""Which bytes are there: checked against the plainest model, a set of numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.models.hub import journal
from jan_jupyter.models.hub.journal import Journal, Ranges

SIZE = 60
spans = st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)), max_size=30)


@given(spans)
def test_ranges_are_a_set_of_bytes(added: list[tuple[int, int]]) -> None:
    ranges, there = Ranges(), set[int]()
    for start, end in added:
        ranges.add(start, end)
        there |= set(range(start, end))
        assert ranges.total == len(there)
    assert {n for start, end in ranges for n in range(start, end)} == there
    missing = [n for start, end in ranges.missing(SIZE) for n in range(start, end)]
    assert missing == [n for n in range(SIZE) if n not in there]
    borders = [border for span in ranges for border in span]
    assert borders == sorted(set(borders))  # apart from each other, none empty


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.part.journal"
    written = Journal(100, "a" * 64, '"etag"', Ranges([(0, 10), (20, 30)]))
    written.begin(path)
    assert journal.read(tmp_path, "x") is None  # its part is not there
    (tmp_path / "x.part").write_bytes(bytes(29))
    assert journal.read(tmp_path, "x") is None  # its part is too short
    (tmp_path / "x.part").write_bytes(bytes(100))
    with (tmp_path / "x.part").open("r+b") as part:
        written.add(30, 40)
        written.sync(part)
        written.add(50, 60)
    written.close()
    found = journal.read(tmp_path, "x")
    assert found is not None
    assert (found.size, found.sha256, found.validator) == (100, "a" * 64, '"etag"')
    assert [*found.done] == [(0, 10), (20, 40), (50, 60)]
    with path.open("ab") as file:
        file.write(b"[70, 8")  # the process was killed as it wrote this
    assert (again := journal.read(tmp_path, "x")) is not None
    assert [*again.done] == [*found.done]
    journal.forget(tmp_path, "x")
    assert [*tmp_path.iterdir()] == []


def test_after_a_start_of_the_machine_only_what_was_synced_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.part").write_bytes(bytes(100))
    written = Journal(100, "", '"etag"', Ranges([(0, 10)]))
    written.begin(tmp_path / "x.part.journal")
    written.add(10, 20)
    with (tmp_path / "x.part").open("r+b") as part:
        written.sync(part)
    written.add(20, 30)
    written.close()
    monkeypatch.setattr(journal, "boot", lambda: "another")
    found = journal.read(tmp_path, "x")
    assert found is not None
    assert [*found.done] == [(0, 20)]


def test_of_which_file_a_part_can_be() -> None:
    hashed, named, neither = Journal(9, "a" * 64), Journal(9, "", '"e"'), Journal(9)
    assert hashed.is_of(9, "a" * 64)
    assert hashed.is_of(None, "")
    assert not hashed.is_of(9, "b" * 64)
    assert not hashed.is_of(8, "a" * 64)
    assert named.is_of(9, "")
    assert not neither.is_of(9, "")
