"""What intel-bigdl decides without any of Intel's packages."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import errors, units
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines.intel_bigdl import RECIPES, IntelBigdl
from jan_jupyter.models.model import Model
from jan_jupyter.types import ChatRequest, Event, Message
from support.jan import engine_options
from support.server import StreamingServer, tokens


class Bench:
    def __init__(self, **settings: Any) -> None:
        self.events: list[Event] = []
        options = EngineOptions("intel-bigdl", "intel-bigdl", settings)
        self.engine = IntelBigdl(options, self.events.append)

    def messages(self) -> list[str]:
        return [event.message for event in self.events]


def model(folder: Path, **settings: Any) -> Model:
    return Model("m", "", "intel-bigdl", "ready", "json", folder, settings, file=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    return tmp_path / "model"


def test_what_is_not_installed_is_named_with_its_cost(folder: Path) -> None:
    with pytest.raises(errors.EngineUnavailable) as caught:
        Bench().engine.spec(model(folder))
    assert "`%jan engines install intel-bigdl[ipex-llm]`" in str(caught.value)
    assert "1.3 GB" in str(caught.value)


def test_an_exported_folder_is_openvinos(folder: Path) -> None:
    assert Bench().engine.backend(model(folder)) == "ipex-llm"
    (folder / "openvino_model.xml").touch()
    assert Bench().engine.backend(model(folder)) == "openvino"
    assert Bench(backend="bigdl_llm").engine.backend(model(folder)) == "bigdl-llm"
    assert Bench(backend="bigdl-llm").engine.backend(model(folder, backend="ipex-llm")) == (
        "ipex-llm"
    )


def test_a_folder_that_is_not_exported(folder: Path) -> None:
    with pytest.raises(errors.ModelBroken, match="optimum-cli export openvino"):
        Bench(backend="openvino", python="/p").engine.spec(model(folder))


def test_settings_reach_the_worker(folder: Path) -> None:
    bench = Bench(backend="ipex-llm", python="/p/python")
    given = {"low_bit": "nf4", "ctx_len": "512", "cpu_threads": 2, "ngl": 100, "wibble": 1}
    template = {"prompt_template": "<|user|>{prompt}<|bot|>"}
    spec = bench.engine.spec(model(folder, **given, **template))
    launch = spec.launch()
    settings = json.loads(launch.input)
    assert settings.pop("chat_template").endswith("{{- '<|bot|>' -}}{%- endif -%}")
    assert settings == {
        "folder": str(folder),
        "package": "ipex_llm",
        "low_bit": "nf4",
        "context": 512,
        "threads": 2,
    }
    assert launch.command[:2] == ("/p/python", "-I")
    assert launch.environment["HF_HUB_OFFLINE"] == "1"
    left_out, archived = spec.notes
    assert "wibble is not known" in left_out
    assert "archived upstream" in archived
    changed = bench.engine.spec(model(folder, low_bit="sym_int8"))
    assert changed.key != spec.key


def test_ctx_len_0_is_the_models_own(folder: Path) -> None:
    spec = Bench(backend="openvino", python="/p")
    (folder / "openvino_model.xml").touch()
    assert json.loads(spec.engine.spec(model(folder, ctx_len=0)).launch().input)["context"] is None


def test_what_old_transformers_do_not_know_is_not_sent(folder: Path) -> None:
    request = ChatRequest([Message("user", "hi")], {"temperature": 0, "min_p": 0.1})
    engine = Bench().engine
    body = engine.body(model(folder), request)
    assert body["temperature"] == 0
    assert "min_p" not in body
    assert engine.notes(model(folder), request) == ["not sent: min_p"]
    assert "min_p" in engine.body(model(folder, backend="openvino"), request)


@pytest.mark.parametrize("name", [*RECIPES])
def test_every_back_end_says_what_it_costs(name: str) -> None:
    assert units.size(RECIPES[name].size) in IntelBigdl.installs[name]


def test_intels_serving_is_an_openai_server(server: StreamingServer) -> None:
    async def ask() -> str:
        options = engine_options("intel-bigdl", server.base_url, "k")
        engine = IntelBigdl(options)
        served = Model("fine:n=3", "", "intel-bigdl", "ready", "json", Path())
        await engine.load(served)
        request = ChatRequest([Message("user", "hi")])
        text = [delta.text async for delta in engine.chat(served, request)]
        await engine.close()
        return "".join(text)

    assert asyncio.run(ask()) == "".join(tokens(3))
