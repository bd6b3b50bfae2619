"""Which engine meets which peer, with what files, and what that peer is like: all of it data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.engines.triton.engine import ModelFailed, Unhealthy
from peers.process import HOST, MODEL, REPOSITORY, Peer
from peers.triton import Triton

from .house import House, llama_server

WRONG_KEY = "sk-canary-wrong-4711"
JSON = Mapping[str, Any]


@dataclass(frozen=True)
class Script:
    """What a model is asked. Each is a conversation as (role, text)."""

    plain: str
    system: str
    with_system: str
    turns: Sequence[tuple[str, str]]
    stop: str
    """A word that comes in the middle of the answer to `plain`."""


JAN_MINI = Script(
    plain="What is Python?",
    system="You are a pirate, arr.",
    with_system="What is the capital of France?",
    turns=(
        ("user", "Hi, my name is Theo."),
        ("assistant", "Nice to meet you, Theo!"),
        ("user", "Do you still know my name?"),
    ),
    stop=" easy",
)
SCRIPTED = Script(
    plain="hello",
    system="Speak as a pirate does.",
    with_system="what now",
    turns=(("user", "hello"), ("assistant", "Hello!"), ("user", "and again")),
    stop=" script",
)
ECHOED = Script(
    plain="Tell me about rivers and mountains.",
    system="You know everything about rivers.",
    with_system="Tell me about rivers and mountains.",
    turns=(("user", "hello"), ("assistant", "Hello!"), ("user", "Tell me more.")),
    stop="rivers",
)


@dataclass(frozen=True)
class Case:
    """A request that must fail, and as what.

    `model` is the name at the other end if it is another; `settings` and `engine` go over those of
    the pair; `behaviours` are LLMock's. `partial`: text had come before.
    """

    name: str
    kind: type[errors.JanError]
    prompt: str = "hi"
    model: str = ""
    settings: JSON = field(default_factory=dict)
    engine: JSON = field(default_factory=dict)
    parameters: JSON = field(default_factory=dict)
    behaviours: Sequence[JSON] = ()
    partial: bool = False
    says: str = ""
    """What the line must hold, so that a newcomer knows what to do."""


@dataclass(frozen=True)
class Slow:
    """Where an endless answer comes from, and how it is seen that the server goes on with it.

    An empty `model` is that of the pair.
    """

    peer: str
    model: str
    busy: Callable[[House], bool]
    prompt: str = "hi"
    max_tokens: int = 40_000
    parameters: JSON = field(default_factory=dict)


def named(house: House, model: str) -> JSON:
    """The model goes by another name at the other end."""
    return {"model": model}


@dataclass(frozen=True)
class Pair:
    """An engine and a peer that it speaks to.

    `files(peer)` is the engine's `engine.json`, `model` the name that the peer knows, `settings`
    are those of the `model.json` for that name. The truth is asked of the peer and model `truth`,
    in OpenAI's shape and without any code of ours. `unable` names what this peer cannot do, and
    why: the suite expects it to fail there, and says so if it does not.
    """

    engine: str
    peer: str
    model: str
    files: Callable[[Peer], JSON]
    settings: Callable[[House, str], JSON] = named
    truth: tuple[str, str] = ("", "")
    script: Script = JAN_MINI
    unable: Mapping[str, str] = field(default_factory=dict)
    slow: Slow | None = None
    errors: Sequence[Case] = ()
    mark: str = ""
    """`peers`, `slow`, or empty: part of `make test`."""
    counts: bool = True
    """Whether the usage that it reports counts the tokens of the truth."""
    label: str = ""

    @property
    def id(self) -> str:
        return f"{self.engine}-{self.label or self.peer}"


# Who is busy --------------------------------------------------------------------------------------


def llama_is_busy(name: str) -> Callable[[House], bool]:
    return lambda house: house.llama(name).answering() > 0


def is_connected(name: str) -> Callable[[House], bool]:
    """For servers that do not tell what they do: whether they have let go of their client."""
    return lambda house: house[name].connections() > 0


def vllm_is_busy(house: House) -> bool:
    _, metrics = house["vllm"].call("GET", "/metrics")
    running = re.findall(r"^vllm:num_requests_running\{.*\} ([\d.]+)$", metrics, re.MULTILINE)
    return any(float(number) > 0 for number in running)


def misbehaving_is_busy(house: House) -> bool:
    _, entries = house["misbehaving"].call("GET", "/journal")
    return not (entries[-1]["closed"] or entries[-1]["complete"])


def nitro_is_busy(house: House) -> bool:
    return any(row.busy for row in bridge.wait(jan.router.running()))


# Files of local models ----------------------------------------------------------------------------


def file_of(house: House, model: str) -> JSON:
    if model == "slow":
        return {"model_path": str(house.slow_model), "ctx_len": 50_000}
    return {"model_path": str(MODEL), "ctx_len": 2048}


def program_of(peer: Peer) -> JSON:
    path = llama_server(peer.folder)
    return {"settings": {"runtime": "llama-server", "runtime_path": str(path)}}


INTEL_FOLDER = REPOSITORY / ".venv-intel"


def intel_back_end(name: str, **settings: Any) -> Callable[[Peer], JSON]:
    """An engine file with the interpreter of a back end that `make` has installed."""
    python = INTEL_FOLDER / "engines/intel-bigdl" / name / "bin/python"
    return lambda peer: {"settings": {"backend": name, "python": str(python), **settings}}


# Parts that pairs share ---------------------------------------------------------------------------

UNREACHABLE = Case(
    "nobody there",
    errors.ConnectionFailed,
    settings={"base_url": f"http://{HOST}:9"},
    says=f"{HOST}:9",
)
WRONG = Case(
    "wrong key", errors.AuthenticationFailed, engine={"api_key": WRONG_KEY}, says="`api_key` of"
)
NO_KEY = Case("no key", errors.AuthenticationFailed, engine={"api_key": ""}, says="keys set")
ENDLESS = {"ignore_eos": True}
OVERFLOW = Case("overflow", errors.ContextOverflow, prompt="hi " * 3000, says="Shorten")
KEYS = (WRONG, NO_KEY)


def address(path: str = "", **more: Any) -> Callable[[Peer], JSON]:
    """An engine file with the peer's address and key."""
    return lambda peer: {"base_url": f"{peer.url}{path}", "api_key": peer.key, **more}


def llmock_cases(model: str, overloaded: int) -> tuple[Case, ...]:
    """What LLMock can do to a client; the verdict on how we took it must be PASS."""

    def fail(status: int, **more: Any) -> JSON:
        return {"type": "fail", "status": status, "times": None, **more}

    def break_stream(kind: str) -> JSON:
        return {"type": "stream_fault", "kind": kind, "after_chunks": 5, "times": 1}

    always: tuple[tuple[str, type[errors.EngineError], JSON], ...] = (
        ("bad request", errors.BadRequest, fail(400)),
        ("auth", errors.AuthenticationFailed, fail(401)),
        ("permission", errors.PermissionRefused, fail(403)),
        ("not found", errors.NotFoundRemotely, fail(404)),
        ("unprocessable", errors.BadRequest, fail(422)),
        ("rate limit", errors.RateLimited, fail(429, retry_after=0.3)),
        ("server", errors.ServerFailed, fail(500)),
        ("gateway", errors.ServerFailed, fail(502)),
        ("overloaded", errors.Overloaded, fail(overloaded)),
    )
    broken: tuple[tuple[str, type[errors.EngineError], JSON], ...] = (
        ("cut stream", errors.StreamBroken, break_stream("truncate")),
        ("dropped", errors.StreamBroken, break_stream("disconnect")),
        ("malformed", errors.Malformed, break_stream("malformed")),
    )
    return (
        *(Case(name, kind, model=model, behaviours=[done]) for name, kind, done in always),
        *(
            Case(name, kind, model=model, behaviours=[done], partial=True)
            for name, kind, done in broken
        ),
    )


# The pairs ----------------------------------------------------------------------------------------

LLAMA_IGNORES_NAMES = "llama.cpp's server answers to every model name"
LLMOCK_NO_STOP = "LLMock knows no stop words"
LLMOCK_NO_LENGTH = "LLMock knows no max_tokens"
MISBEHAVING_NO_STOP = "the misbehaving server knows no stop words"
MISBEHAVING_NO_COUNT = "the misbehaving server's Triton does not count the prompt"
MISBEHAVING_NO_LENGTH = "the misbehaving server knows no max_tokens"
TRANSFORMERS_NO_STOP = "transformers serve ignores stop words"
AIMOCK_NO_STOP = "aimock's answers are scripts: stop words do nothing"
AIMOCK_NO_LENGTH = "aimock's answers are scripts: max_tokens does nothing"

LLAMA = Pair(
    engine="",
    peer="llama.cpp",
    model="jan-mini",
    files=address("/v1"),
    truth=("llama.cpp", "jan-mini"),
    slow=Slow("llama.cpp/slow", "slow", llama_is_busy("llama.cpp/slow")),
    errors=(*KEYS, OVERFLOW, UNREACHABLE),
)
AIMOCKED = Pair(
    engine="",
    peer="aimock",
    model="gpt-4o",
    files=address("/v1"),
    truth=("aimock", "gpt-4o"),
    script=SCRIPTED,
    unable={"stop": AIMOCK_NO_STOP, "length": AIMOCK_NO_LENGTH},
    slow=Slow("aimock", "gpt-4o", is_connected("aimock"), prompt="speak slowly"),
    errors=(
        *KEYS,
        Case("not found", errors.NotFoundRemotely, prompt="not in the script"),
        Case("overflow", errors.ContextOverflow, prompt="overflow", says="Shorten"),
        Case("filtered", errors.ContentFiltered, prompt="filter my prompt", says="Rephrase"),
        Case("rate limit", errors.RateLimited, prompt="too many"),
        Case("overloaded", errors.Overloaded, prompt="overloaded"),
        Case("server", errors.ServerFailed, prompt="break down"),
        Case("cut stream", errors.StreamBroken, prompt="break off", partial=True),
    ),
    mark="peers",
)
LLMOCKED = Pair(
    engine="",
    peer="llmock",
    model="gpt-4o",
    files=address("/v1"),
    truth=("llmock", "gpt-4o"),
    script=ECHOED,
    unable={"stop": LLMOCK_NO_STOP, "length": LLMOCK_NO_LENGTH},
    errors=llmock_cases("gpt-4o", 503),
    mark="peers",
)

MISBEHAVING = Pair(
    engine="",
    peer="misbehaving",
    model="fine:n=20",
    files=address("/v1"),
    truth=("misbehaving", "fine:n=20"),
    script=replace(SCRIPTED, stop="model"),
    unable={"stop": MISBEHAVING_NO_STOP, "length": MISBEHAVING_NO_LENGTH},
    slow=Slow("misbehaving", "slow:n=5000,delay=0.01", misbehaving_is_busy),
    errors=(
        Case("auth", errors.AuthenticationFailed, model="bad:status=401,form=detail"),
        Case("auth, empty body", errors.AuthenticationFailed, model="bad:status=401,form=empty"),
        Case("billing", errors.BillingRefused, model="bad:error=insufficient_quota"),
        Case("payment", errors.BillingRefused, model="bad:status=402"),
        Case("permission", errors.PermissionRefused, model="bad:error=forbidden"),
        Case("not found", errors.NotFoundRemotely, model="bad:error=model_not_found"),
        Case("overflow", errors.ContextOverflow, model="bad:error=context_length_exceeded"),
        Case("filtered", errors.ContentFiltered, model="bad:error=content_filter"),
        Case("bad request", errors.BadRequest, model="bad:error=invalid_request"),
        Case("a page", errors.BadRequest, model="bad:status=422,form=html"),
        Case("rate limit", errors.RateLimited, model="bad:error=rate_limit_exceeded"),
        Case("overloaded", errors.Overloaded, model="bad:error=server_is_overloaded"),
        Case("server", errors.ServerFailed, model="bad:error=server_error"),
        Case("timeout", errors.TimedOut, model="bad:stall=0", settings={"timeout": 0.3}),
        Case("no answer", errors.ConnectionFailed, model="bad:hangup"),
        Case("cut", errors.StreamBroken, model="bad:cut=3", partial=True, says="cut off"),
        Case("reset", errors.StreamBroken, model="bad:reset=3", partial=True, says="cut off"),
        Case("no end", errors.StreamBroken, model="bad:noend", partial=True, says="cut off"),
        Case("no finish", errors.StreamBroken, model="bad:nofinish", partial=True, says="cut off"),
        Case("error in the stream", errors.ServerFailed, model="bad:error_at=3", partial=True),
        Case("rubbish", errors.Malformed, model="bad:rubbish=3", partial=True),
        UNREACHABLE,
    ),
)
NITRO = Pair(
    engine="nitro",
    peer="llama.cpp",
    model="jan-mini",
    files=lambda peer: {"settings": {"runtime": "xllamacpp"}},
    settings=file_of,
    truth=("llama.cpp", "jan-mini"),
    slow=Slow("llama.cpp", "slow", nitro_is_busy, parameters=ENDLESS),
    errors=(
        OVERFLOW,
        Case("no such file", errors.ModelNotReady, settings={"model_path": "/nowhere/x.gguf"}),
        Case("no model file", errors.ModelBroken, settings={"model_path": __file__}),
    ),
    label="xllamacpp",
)
INTEL = Pair(
    engine="intel-bigdl",
    peer="llama.cpp",
    model="jan-mini",
    files=intel_back_end("ipex-llm", low_bit="sym_int8"),  # as exact as the file of llama.cpp
    settings=lambda house, model: {"model_path": str(house.hugging_face)},
    truth=("llama.cpp", "jan-mini"),
    slow=Slow("llama.cpp", "jan-mini", nitro_is_busy, max_tokens=2000, parameters=ENDLESS),
    errors=(
        OVERFLOW,
        Case("no such folder", errors.ModelNotReady, settings={"model_path": "/nowhere/x"}),
        Case("no model folder", errors.ModelBroken, settings={"model_path": __file__}),
        Case("no back end", errors.EngineUnavailable, settings={"backend": "x"}, says="openvino"),
        Case(
            "no program",
            errors.EngineUnavailable,
            engine={"settings": {"python": "/nowhere"}},
            says="/nowhere",
        ),
    ),
    mark="slow",
    label="ipex-llm",
)
LITELLM = Pair(
    engine="",
    peer="litellm",
    model="jan-mini",
    files=address("/v1"),
    truth=("llama.cpp", "jan-mini"),
    slow=Slow("litellm", "slow", llama_is_busy("llama.cpp/slow")),
    errors=(
        WRONG,
        Case("no key", errors.ServerFailed, engine={"api_key": ""}),  # it fails itself over that
        Case("wrong model", errors.NotFoundRemotely, model="nope", says="model's"),
        OVERFLOW,
        Case("rate limit", errors.RateLimited, model="limited"),
        Case("server", errors.ServerFailed, model="failing"),
        UNREACHABLE,
    ),
    mark="slow",
)
VLLM = Pair(
    engine="",
    peer="vllm",
    model="jan-mini",
    files=address("/v1"),
    truth=("vllm", "jan-mini"),
    slow=Slow("vllm", "jan-mini", vllm_is_busy, max_tokens=900, parameters=ENDLESS),
    errors=(
        *KEYS,
        Case("wrong model", errors.NotFoundRemotely, model="nope", says="model's"),
        OVERFLOW,
        UNREACHABLE,
    ),
    mark="slow",
)
TRANSFORMERS = Pair(
    engine="",
    peer="transformers",
    model="jan-mini",
    files=address("/v1"),
    truth=("transformers", "jan-mini"),
    unable={"stop": TRANSFORMERS_NO_STOP},
    slow=Slow("transformers", "jan-mini", is_connected("transformers"), max_tokens=100_000),
    errors=(
        Case("wrong model", errors.NotFoundRemotely, model="nope", says="model's"),
        UNREACHABLE,
    ),
    mark="slow",
)

TEMPLATE = "<|system|>{system_message}<|end|><|user|>{prompt}<|end|><|assistant|>"

# What differs for the other engines ---------------------------------------------------------------


def without(pair: Pair, *names: str) -> Sequence[Case]:
    """The error cases of a pair, but not these."""
    assert {*names} <= {case.name for case in pair.errors}
    return [case for case in pair.errors if case.name not in names]


CLAUDE = partial(replace, engine="claude", files=address())
# The API's newer version takes no temperature, and without one the model does not say the same.
CLAUDE_AT_ZERO = partial(CLAUDE, files=address(settings={"anthropic_version": "2023-06-01"}))
AZURE = partial(replace, engine="azure-openai", files=address())
HUGGING_FACE = partial(replace, engine="hf-endpoints", files=address())
LLMAPI_COUNTS_NOT = "TensorRT-LLM's llmapi model tells no counts of tokens"
COUPLED = "a model that is not decoupled answers in one piece"
TRITON = Pair(
    engine="nvidia-triton-trt-llm",
    peer="triton",
    model="ensemble",
    files=address(),
    settings=lambda house, model: {"model": model, "prompt_template": TEMPLATE},
    truth=("llama.cpp", "jan-mini"),
    slow=Slow("triton/slow", "", llama_is_busy("llama.cpp/slow")),
    errors=(
        *KEYS,
        Case("wrong model", errors.NotFoundRemotely, model="nope", says="model"),
        OVERFLOW,
        Case("model fails", ModelFailed, model="fails_first"),
        Case("model fails later", ModelFailed, model="fails_later", partial=True),
        Case("bad request", errors.BadRequest, parameters={"max_tokens": "many"}),
        UNREACHABLE,
    ),
    mark="peers",
    counts=False,  # by Jan's rule for templates its prompt has one token more than the model's own
)
LITELLM_TRANSLATES = "LiteLLM's translation to OpenAI's API drops it"
LLMOCK_HEARS_NO_SYSTEM = "LLMock repeats messages, and Anthropic's system text is none"
AIMOCK_COUNTS_NOT = "aimock counts no tokens in Anthropic's shape"

CLAUDE_MISBEHAVES = without(
    MISBEHAVING,
    "filtered",  # a stop reason there, never an error
    "no finish",  # its end mark alone says that an answer is whole
)
TGI_MISBEHAVES = (
    *without(MISBEHAVING, "billing", "payment", "filtered", "rate limit", "overloaded"),
    Case("rate limit", errors.Overloaded, model="bad:error=rate_limit_exceeded"),
)
TOOLKIT_MISBEHAVES = (
    Case("auth", errors.AuthenticationFailed, model="bad:status=401"),
    Case("not found", errors.NotFoundRemotely, model="bad:error=model_not_found"),
    Case("server", errors.ServerFailed, model="bad:status=500"),
    Case("a web page", errors.Malformed, model="bad:rubbish=0", says="base_url"),
    UNREACHABLE,
)
TRITON_MISBEHAVES = (
    Case("key", errors.AuthenticationFailed, model="bad:error=forbidden"),
    Case("not found", errors.NotFoundRemotely, model="bad:error=model_not_found"),
    Case("overflow", errors.ContextOverflow, model="bad:error=context_length_exceeded"),
    Case("bad request", errors.BadRequest, model="bad:error=invalid_request"),
    Case("overloaded", errors.Overloaded, model="bad:error=server_is_overloaded"),
    Case("stub died", Unhealthy, model="bad:error=server_error", says="load the model"),
    Case("timeout", errors.TimedOut, model="bad:stall=0", settings={"timeout": 0.3}),
    Case("no answer", errors.ConnectionFailed, model="bad:hangup"),
    Case("cut", errors.StreamBroken, model="bad:cut=3", partial=True, says="cut off"),
    Case("reset", errors.StreamBroken, model="bad:reset=3", partial=True, says="cut off"),
    Case("rubbish", errors.Malformed, model="bad:rubbish=3", partial=True),
    UNREACHABLE,
)
IN_ONE_PIECE = "the toolkit's container does not stream"
UNCOUNTED = "the toolkit's container counts no tokens"


def addressed(house: House, model: str) -> JSON:
    """For servers of one model, where the address is all that names it."""
    return {"model": model, "base_url": f"{house['misbehaving'].url}/{quote(model, safe='')}"}


def by_grpc(peer: Peer) -> JSON:
    assert isinstance(peer, Triton)
    where = f"grpc://{HOST}:{peer.grpc_port}"
    return {"base_url": where, "api_key": peer.key, "settings": {"protocol": "grpc"}}


NOWHERE_BY_GRPC: JSON = {"base_url": f"grpc://{HOST}:9"}

PAIRS: Sequence[Pair] = (
    NITRO,
    replace(NITRO, label="llama-server", files=program_of),
    replace(
        NITRO,
        label="llama-cpp-python",
        files=lambda peer: {"settings": {"runtime": "llama-cpp-python"}},
        mark="slow",
    ),
    INTEL,
    replace(
        INTEL,
        label="openvino",
        files=intel_back_end("openvino"),
        settings=lambda house, model: {"model_path": str(INTEL_FOLDER / "jan-mini-openvino")},
    ),
    replace(LLAMA, engine="openai"),
    replace(MISBEHAVING, engine="openai"),
    replace(AIMOCKED, engine="openai"),
    replace(LLMOCKED, engine="openai"),
    replace(LITELLM, engine="openai"),
    replace(VLLM, engine="openai"),
    replace(TRANSFORMERS, engine="openai"),
    CLAUDE_AT_ZERO(LLAMA),
    CLAUDE(MISBEHAVING, errors=CLAUDE_MISBEHAVES),
    CLAUDE(
        AIMOCKED,
        model="claude-opus-4-5",
        unable={**AIMOCKED.unable, "usage": AIMOCK_COUNTS_NOT},
        errors=without(AIMOCKED, "filtered"),  # a finish reason there, never an error
    ),
    CLAUDE(
        LLMOCKED,
        model="claude-opus-4-5",
        truth=("llmock", "claude-opus-4-5"),
        files=address("/anthropic"),
        unable={**LLMOCKED.unable, "system": LLMOCK_HEARS_NO_SYSTEM},
        errors=llmock_cases("claude-opus-4-5", 529),
    ),
    CLAUDE_AT_ZERO(LITELLM, unable={"stop": LITELLM_TRANSLATES, "length": LITELLM_TRANSLATES}),
    CLAUDE(
        VLLM,
        slow=None,  # in this API it cannot be asked for an answer without end
        # Its context is smaller than what the engine asks for unless somebody sets less.
        files=address(settings={"anthropic_version": "2023-06-01"}, parameters={"max_tokens": 256}),
    ),
    AZURE(
        LLAMA,
        peer="llama.cpp/azure",
        files=address(settings={"auth_header": "Authorization"}),
        slow=Slow("llama.cpp/azure-slow", "slow", llama_is_busy("llama.cpp/azure-slow")),
        label="llama.cpp",
    ),
    AZURE(MISBEHAVING),
    AZURE(AIMOCKED),
    AZURE(AIMOCKED, files=address(settings={"api_version": "2024-10-21"}), label="aimock-dated"),
    AZURE(LITELLM, files=address(settings={"api_version": "2024-10-21"})),
    HUGGING_FACE(LLAMA),
    HUGGING_FACE(
        MISBEHAVING,
        files=address(settings={"scale_up_timeout": 0}),
    ),
    HUGGING_FACE(
        MISBEHAVING,
        files=address(settings={"format": "tgi", "scale_up_timeout": 0}),
        settings=addressed,
        unable={},
        errors=TGI_MISBEHAVES,
        label="tgi",
    ),
    HUGGING_FACE(
        MISBEHAVING,
        files=address(settings={"format": "toolkit", "scale_up_timeout": 0}),
        settings=addressed,
        unable={"stream": IN_ONE_PIECE, "usage": UNCOUNTED},
        slow=None,
        errors=TOOLKIT_MISBEHAVES,
        label="toolkit",
    ),
    HUGGING_FACE(VLLM),
    HUGGING_FACE(TRANSFORMERS),
    TRITON,
    replace(
        MISBEHAVING,
        engine=TRITON.engine,
        files=address(),
        unable={"usage": MISBEHAVING_NO_COUNT, "length": MISBEHAVING_NO_LENGTH},
        errors=TRITON_MISBEHAVES,
    ),
    replace(
        TRITON,
        files=by_grpc,
        errors=(
            *without(TRITON, "nobody there"),
            Case("nobody there", errors.ConnectionFailed, settings=NOWHERE_BY_GRPC, says="8001"),
        ),
        label="grpc",
    ),
    replace(TRITON, model="tensorrt_llm_bls", errors=(), label="bls"),
    replace(
        TRITON, model="tensorrt_llm", errors=(), label="llmapi", unable={"usage": LLMAPI_COUNTS_NOT}
    ),
    replace(
        TRITON, model="coupled", slow=None, errors=(), label="coupled", unable={"stream": COUPLED}
    ),
)


PARSED: Mapping[str, str] = {
    "openai": "openai",
    "nitro": "openai",
    "intel-bigdl": "openai",
    "azure-openai": "openai",
    "hf-endpoints": "openai",
    "claude": "claude",
    "nvidia-triton-trt-llm": "nvidia-triton-trt-llm",
}
"""Engines, and the prefix of the recordings that their parsers must read."""


HEAVY = {"litellm", "transformers", "vllm"}
"""Peers with an environment, and a mark, of their own."""


def parameters(pairs: Sequence[Pair], aspect: str = "") -> list[Any]:
    """The pairs as parameters of a test; where a peer is unable, the test is expected to fail."""
    return [pytest.param(pair, id=pair.id, marks=marks(pair, aspect)) for pair in pairs]


def cases(pairs: Sequence[Pair]) -> list[Any]:
    """Every error of every pair."""
    return [
        pytest.param(pair, case, id=f"{pair.id}-{case.name}", marks=marks(pair))
        for pair in pairs
        for case in pair.errors
    ]


def marks(pair: Pair, aspect: str = "") -> list[pytest.MarkDecorator]:
    found = [getattr(pytest.mark, pair.mark)] if pair.mark else []
    if pair.mark == "slow":
        found.append(pytest.mark.timeout(1200))
    if pair.peer in HEAVY:
        found.append(getattr(pytest.mark, pair.peer))
    if reason := pair.unable.get(aspect):
        found.append(pytest.mark.xfail(reason=reason, strict=True))
    return found
