"""Real data folders of every Jan version, against a table written from the specification."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jan_jupyter.models import ModelStore
from jan_jupyter.types import EMPTY

from .trees import snapshot


class Row(NamedTuple):
    """What a sample must be read as; `settings` and `parameters` are what to look at."""

    engine: str
    state: str
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    source: str = "json"


NOT = "not-downloaded"
KEY = "needs-key"
PREFIXES = {"prompt_template": None}

EXPECTED: dict[str, dict[str, Row]] = {
    "v0.3-nov2023": {
        "capybara-34b": Row(
            "nitro",
            NOT,
            {"ctx_len": 200000, "ngl": 100},
            {"temperature": 0.7, "max_tokens": 200000, "stream": True},
        ),
        "goliath-120b": Row("nitro", NOT, {"ctx_len": 8192, "ngl": 100}, {"max_tokens": 8192}),
    },
    "v0.4.0": {
        "mistral-ins-7b-q4": Row(
            "nitro",
            NOT,
            {"ctx_len": 2048, "user_prompt": "<s>[INST]", "system_prompt": None},
            {"max_tokens": 2048, "temperature": None},
        ),
        "noromaid-20b": Row("nitro", NOT, PREFIXES, {"max_tokens": 2048}),
        "tinyllama-1.1b": Row("nitro", NOT, {**PREFIXES, "ai_prompt": "<|assistant|>\n"}),
    },
    "v0.4.2-dec2023": {
        "gpt-4": Row("openai", KEY),
        "my-own.Q4_K_M": Row(
            "nitro",
            NOT,
            {
                "ctx_len": 4096,
                "ngl": 0,
                "embedding": False,
                "n_parallel": None,
                "cpu_threads": None,
                "prompt_template": None,
            },
            {"temperature": 0, "top_k": 0, "top_p": 0, "max_tokens": 4096, "stream": False},
        ),
        "solar-10.7b-slerp": Row("nitro", NOT, {"ctx_len": 2048}, {"max_tokens": 2048}),
    },
    "v0.4.6": {
        "gpt-4": Row("openai", KEY),
        "llava-1.5-7b-q5": Row("nitro", NOT, {"mmproj": "mmproj-model-f16.gguf"}),
        "mixtral-8x7b-instruct": Row(
            "nitro", NOT, {"prompt_template": "[INST] {prompt} [/INST]"}, {"stop": None}
        ),
        "phi-2.Q4_K_S": Row(
            "nitro",
            "missing-file",
            {"llama_model_path": "phi-2.Q4_K_S.gguf"},
            {"stop": ["<endofstring>"]},
        ),
        "tinyllama-1.1b": Row("nitro", NOT, {"ctx_len": 4096}, {"stop": [], "top_p": 0.95}),
    },
    "v0.4.9": {
        "gpt-4-vision-preview": Row(
            "openai", KEY, {"vision_model": True, "text_model": False, "textModel": None}
        ),
        "llama2-70b-4096": Row("groq", KEY, {}, {"top_p": 1, "max_tokens": 4096, "stop": None}),
    },
    "docs-v0.4/absolute-path": {"tinyllama-1.1b": Row("nitro", "missing-file")},
    "docs-v0.4/azure": {"gpt-35-hieu-jan": Row("azure-openai", "broken")},
    "docs-v0.4/ollama": {"llama2": Row("openai", "ready")},
    "docs-v0.4/openrouter": {"cognitivecomputations/dolphin-mixtral-8x7b": Row("openai", KEY)},
    "v0.5.2": {
        "claude-3-opus-20240229": Row("claude", KEY, {}, {"stream": False, "temperature": 0.7}),
        "command-r-plus": Row("cohere", KEY, {}, {"max_tokens": 128000}),
        "gpt-4o": Row("openai", KEY, {}, {"stop": [], "frequency_penalty": 0}),
        "llama3-8b-instruct": Row("nitro", NOT, {"ngl": 33, "ctx_len": 8192}),
        "llamacorn-1.1b-chat-fp16": Row("nitro-tensorrt-llm", "broken", {"text_model": False}),
        "llava-7b": Row("nitro", NOT, {"vision_model": True, "text_model": False}),
        "mistralai/mistral-7b-instruct-v0.2": Row("nvidia", KEY, {}, {"stop": None, "seed": None}),
        "open-router-auto": Row("openrouter", KEY),
    },
    "v0.5.9": {
        "llama3.2-1b-instruct": Row("nitro", NOT, {"ctx_len": 131072, "ngl": 33}),
        "o1-mini": Row("openai", KEY, {}, {"max_tokens": 65536, "temperature": 1}),
    },
    "v0.5.17": {
        "gpt-4.5-preview": Row("openai", KEY, {}, {"max_tokens": 16384}, "remote-list"),
        "gpt-4-turbo": Row("openai", KEY, {}, {"max_tokens": 4096}, "remote-list"),
        "gpt-3.5-turbo": Row("openai", KEY, {}, {}, "remote-list"),
        "gpt-4o": Row("openai", KEY, {}, {}, "remote-list"),
        "gpt-4o-mini": Row("openai", KEY, {}, {}, "remote-list"),
        "o1": Row("openai", KEY, {}, {"stream": None}, "remote-list"),
        "o1-preview": Row("openai", KEY, {}, {"stream": True}, "remote-list"),
        "o1-mini": Row("openai", KEY, {}, {}, "remote-list"),
        "o3-mini": Row("openai", KEY, {}, {"max_tokens": 100000}, "remote-list"),
    },
    "cortex/2025": {
        "deepseek-r1-distill-llama-8b:8b-gguf-q2-k": Row(
            "nitro",
            "missing-file",
            {"ctx_len": 4096, "n_parallel": 1, "ngl": 34},
            {"seed": -1, "mirostat": False, "min_p": 0.05, "tfs_z": 1, "max_tokens": 4096},
            "cortex",
        ),
    },
    "cortex/tests": {
        "test_model_v1": Row(
            "test_engine",
            "broken",
            {"n_parallel": 2, "cpu_threads": 3},
            {"top_p": 0.9, "stop": ["END"], "max_tokens": 100},
            "cortex",
        ),
        "cortex:test_model_v1": Row(
            "test_engine", "broken", {}, {"top_p": None, "seed": None}, "cortex"
        ),
    },
    "today": {
        "demo-7b": Row("nitro", "missing-file", {"embedding": False}, {}, "llamacpp"),
        "org/model/q4": Row("nitro", "missing-file", {"embedding": False}, {}, "llamacpp"),
    },
    "odd/01-empty-file": {"codestral-22b": Row("nitro", "broken")},
    "odd/02-minimal": {"tinyllama-1.1b": Row("nitro", NOT, {"ctx_len": 50, "ngl": 32})},
    "odd/04-engine-llama.cpp": {"rocket-3b": Row("nitro", NOT, {"ctx_len": 4096})},
    "odd/09-source-not-sources": {"capybara-34b": Row("nitro", NOT)},
    "odd/10-source-without-filename": {"gpt-4-0613": Row("openai", KEY)},
    "odd/12-stop-null": {"llama2-70b-4096": Row("groq", KEY, {}, {"stop": None})},
    "odd/16-template-system_prompt": {"merlinite-7b": Row("nitro", NOT)},
    "odd/19-state-ready": {"gpt-4": Row("openai", KEY)},
    "odd/22-float-version": {"islm-3b": Row("nitro", NOT, {"user_prompt": "USER: "})},
    "odd/25-jsonc-guide": {"trinity-v1-7b": Row("nitro", NOT, {}, {"max_tokens": 4096})},
    "odd/28-blob-folder-only": {"my-model": Row("nitro", "ready", {}, {}, "bare")},
    "odd/31-threads": {},
    "v0.6": {},
    "cortex": {},
}


@pytest.mark.parametrize("folder", EXPECTED)
def test_sample(shared_data: Path, folder: str) -> None:
    found = {model.reference: model for model in ModelStore(shared_data / folder).list()}
    assert found.keys() == EXPECTED[folder].keys()
    for name, row in EXPECTED[folder].items():
        model = found[name]
        assert (model.engine, model.state, model.source) == (row.engine, row.state, row.source)
        for expected, values in (
            (row.settings, model.settings),
            (row.parameters, model.parameters),
        ):
            assert {key: values.get(key) for key in expected} == expected
        assert bool(model.reason) == (model.state != "ready")


def test_every_sample_with_models_is_in_the_table(shared_data: Path) -> None:
    descriptions = {"model.json", "model.yml"}
    for path in shared_data.rglob("*"):
        if path.name in descriptions or path.suffix == ".gguf":
            parents = [
                parent.relative_to(shared_data).as_posix()
                for parent in path.parents[:-1]
                if parent.is_relative_to(shared_data)
            ]
            assert any(EXPECTED.get(parent) for parent in parents), path


def test_what_the_samples_say_beside_settings(shared_data: Path) -> None:
    def model(folder: str, name: str) -> Any:
        return ModelStore(shared_data / folder).get(name)

    capybara = model("v0.3-nov2023", "capybara-34b")
    assert capybara.metadata["size"] == 24320000000
    assert "/resolve/main/" in capybara.sources[0]["url"]
    assert capybara.sources[0]["filename"] == "nous-capybara-34b.Q5_K_M.gguf"

    goliath = model("v0.3-nov2023", "golitath-120b")
    assert (goliath.id, goliath.version) == ("goliath-120b", "1")
    assert "size" not in goliath.metadata
    assert any("golitath-120b" in warning for warning in goliath.warnings)

    assert model("odd/22-float-version", "islm-3b").version == "1.0"
    assert model("v0.4.6", "phi-2.Q4_K_S").created == pytest.approx(1708308111.506)
    assert model("odd/04-engine-llama.cpp", "rocket-3b").written_engine == "llama.cpp"
    assert "line 1" in model("odd/01-empty-file", "codestral-22b").reason
    assert model("v0.4.9", "groq-llama2-70b").id == "llama2-70b-4096"
    assert model("odd/28-blob-folder-only", "my-model").file.name == "my-model.Q4_K_M.gguf"

    bad = model("cortex/tests", "bad-float")
    assert [w.split(":")[0] for w in bad.warnings[:2]] == ["top_p", "seed"]
    assert bad.raw["top_p"] == "not_a_float"

    deepseek = model("cortex/2025", "deepseek-r1-distill-llama-8b/8b-gguf-q2-k")
    assert deepseek.parameters["stop"][1].startswith("<｜end")
    assert deepseek.metadata["size"] == 3179134413

    shared = model("today", "org/model/q4")
    assert shared.settings["mmproj"].endswith("today/llamacpp/models/org/model/q4/mmproj.gguf")
    assert shared.raw["custom_key"] == "keep-me"


def test_engine_files_of_the_samples(shared_data: Path) -> None:
    def options(folder: str, engine: str) -> Any:
        return ModelStore(shared_data / folder).engine_options(engine)

    nitro = options("v0.4.6", "llama-cpp")
    assert nitro.kind == "nitro"
    assert nitro.settings["ngl"] == 100
    assert (nitro.settings["ctx_len"], nitro.settings["embedding"]) == (2048, True)
    triton = options("v0.4.6", "triton_trtllm")
    assert (triton.kind, triton.address) == ("nvidia-triton-trt-llm", "")
    openai = options("v0.4.2-dec2023", "openai")
    assert openai.full_url == "https://api.openai.com/v1/chat/completions"
    assert openai.api_key == ""
    groq = options("v0.4.9", "groq")
    assert (groq.api_key, groq.full_url.split("/")[2]) == ("", "api.groq.com")
    assert options("docs-v0.4/ollama", "openai").full_url.startswith("http://localhost:11434/")
    azure = options("docs-v0.4/azure", "openai")
    assert (azure.kind, azure.address, azure.api_key) == ("azure-openai", "", "")
    anthropic = options("v0.5.17", "anthropic")
    assert (anthropic.kind, anthropic.full_url) == (
        "claude",
        "https://api.anthropic.com/v1/messages",
    )
    assert options("v0.5.17", "claude") != options("v0.5.2", "claude")
    older = options("v0.5.2", "claude")
    assert older.full_url == "https://api.anthropic.com/v1/messages"
    assert options("v0.5.2", "triton_trtllm").full_url.startswith(
        "http://localhost:8000/v2/models/"
    )
    assert options("v0.5.2", "nitro").settings["ctx_len"] == 2048


def test_reading_writes_nothing(shared_data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(shared_data, copy)
    for folder, _, files in os.walk(copy):  # the samples may be read-only: that would prove nothing
        for path in (folder, *(os.path.join(folder, file) for file in files)):
            os.chmod(path, 0o755)
    before = snapshot(copy)
    for folder in EXPECTED:
        store = ModelStore(copy / folder)
        for model in store.list():
            assert store.get(model.reference) == model
            store.engine_options(model)
    assert snapshot(copy) == before
