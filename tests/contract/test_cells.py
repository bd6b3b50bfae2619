"""The same in a notebook: `%%jan MODEL` with nothing but a `model.json` and an engine file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from peers.process import KEY
from support.kernel import Kernel, Result

from .conftest import write_files
from .house import House, answer_of
from .pairs import PAIRS, WRONG_KEY, Case, Pair, cases, parameters


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("cells")
    with Kernel(folder=folder, env={"JAN_KEEP_ALIVE": "2"}) as kernel:
        assert kernel.execute("%load_ext jan_jupyter").outputs == []
        yield kernel


def prepare(data_folder: Path, house: House, pair: Pair, case: Case | None = None) -> str:
    """Write the files of a pair, under names of its own; returns the model's id."""
    name = pair.id.replace("/", "-")
    engine = "" if pair.engine == "nitro" else f"my-{name}"
    write_files(data_folder, house, pair, case, name=f"model-{name}", engine=engine)
    return f"model-{name}"


def no_key_in(result: Result) -> None:
    for message in result.received:
        for frame in message.frames:
            assert KEY.encode() not in frame
            assert WRONG_KEY.encode() not in frame


@pytest.mark.parametrize("pair", parameters(PAIRS, "answer"))
def test_a_cell_shows_the_answer(notebook: Kernel, house: House, pair: Pair) -> None:
    model = prepare(notebook.data_folder, house, pair)
    result = notebook.execute(f"%%jan {model} -t 0\n{pair.script.plain}")
    assert result.status == "ok", result.error
    (output,) = result.outputs
    peer, known = pair.truth
    said = answer_of(house[peer], known, [{"role": "user", "content": pair.script.plain}])
    assert output["data"]["text/plain"] == said["choices"][0]["message"]["content"]
    assert model in output["data"]["text/markdown"]
    no_key_in(result)


def is_final(case: Case) -> bool:
    """Whether it is told at once: the others are waited out, which others test."""
    retried = getattr(case.kind, "retryable", False)
    return not (retried or case.behaviours or case.parameters)


FINAL = [row for row in cases(PAIRS) if is_final(row.values[1])]


@pytest.mark.parametrize(("pair", "case"), FINAL)
def test_a_failure_is_one_line(notebook: Kernel, house: House, pair: Pair, case: Case) -> None:
    model = prepare(notebook.data_folder, house, pair, case)
    result = notebook.execute(f"%%jan {model}\n{case.prompt}")
    assert result.error is not None
    (line,) = result.error.traceback
    assert len(line.strip().splitlines()) == 1
    assert model in line
    assert case.says in line
    no_key_in(result)
    shown = result.data("text/plain")
    assert bool("".join(shown)) == case.partial
