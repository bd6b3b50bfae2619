"""Engine `nvidia-triton-trt-llm`: vocabularies, pieces, and a server that misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import numpy
import pytest
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)
from tritonclient.utils import serialize_byte_tensor

from jan_jupyter import errors
from jan_jupyter.engines.http.client import END
from jan_jupyter.engines.http.failures import Party, error_of
from jan_jupyter.engines.triton.engine import ModelFailed, Unhealthy
from jan_jupyter.engines.triton.grpc import GrpcClient, GrpcRequest
from jan_jupyter.engines.triton.tensors import (
    CLASSIC,
    MAX_TOKENS,
    Signature,
    TritonParser,
    completed,
)
from jan_jupyter.models.store import ModelStore
from jan_jupyter.router import Router, Target
from jan_jupyter.types import ChatRequest, Delta, Message
from jan_jupyter.wire.sse import ServerEvent
from support.jan import write_json
from support.server import StreamingServer, tokens

from .asking import KEY, ask, engine, model, text

KIND = "nvidia-triton-trt-llm"
STREAMING = {"model_transaction_policy": {"decoupled": True}, "max_batch_size": 8}
PROMPT = "<u>hi<a>"


def signature(config: Any = STREAMING, **inputs: str) -> Signature:
    rows = [{"name": name, "datatype": kind, "shape": [-1, 1]} for name, kind in inputs.items()]
    return Signature.read({"inputs": rows}, config)


NEW = {"text_input": "BYTES", "max_tokens": "INT32", "stream": "BOOL", "stop_words": "BYTES"}
OLD = {"text_input": "BYTES", "max_tokens": "INT32", "stream": "BOOL", "random_seed": "UINT64"}
LLMAPI = {
    "text_input": "BYTES",
    "streaming": "BOOL",
    "stop": "BOOL",
    "sampling_param_max_tokens": "INT32",
    "sampling_param_temperature": "FP32",
    "sampling_param_stop": "BYTES",
    "sampling_param_seed": "UINT64",
    "sampling_param_exclude_input_from_output": "BOOL",
    "return_finish_reason": "BOOL",
}


def test_three_vocabularies() -> None:
    asked = {"seed": 7, "stop": "x", "temperature": 1, "max_tokens": "9"}
    new = signature(
        **NEW, seed="UINT64", temperature="FP32", exclude_input_in_output="BOOL", top_k="INT32"
    )
    common = {"text_input": PROMPT, "max_tokens": 9, "stream": True}
    found, left_out = new.tensors(PROMPT, asked)
    assert found == {
        **common,
        "seed": 7,
        "stop_words": ["x"],
        "temperature": 1.0,
        "exclude_input_in_output": True,
    }
    assert left_out == []
    found, left_out = signature(**OLD).tensors(PROMPT, asked)
    assert found == {**common, "random_seed": 7}
    assert left_out == ["temperature"]  # `stop` is looked for on our side
    found, left_out = signature(**LLMAPI).tensors(PROMPT, asked)
    assert found == {
        "text_input": PROMPT,
        "streaming": True,
        "sampling_param_max_tokens": 9,
        "sampling_param_temperature": 1.0,
        "sampling_param_stop": ["x"],
        "sampling_param_seed": 7,
        "sampling_param_exclude_input_from_output": True,
        "return_finish_reason": True,
    }


def test_a_limit_is_always_sent_and_greedy_is_one_choice() -> None:
    found, _ = CLASSIC.tensors(PROMPT, {"temperature": 0, "top_p": 0.9})
    assert found["max_tokens"] == MAX_TOKENS
    assert found["top_k"] == 1
    assert not {"temperature", "top_p"} & set(found)
    with pytest.raises(ValueError, match="temperature: 'warm'"):
        CLASSIC.tensors(PROMPT, {"temperature": "warm"})


def test_a_model_that_is_not_decoupled_is_not_asked_to_stream() -> None:
    coupled = signature({"max_batch_size": 8}, **NEW)
    assert coupled.tensors(PROMPT, {})[0]["stream"] is False
    assert signature({}, **NEW).streams  # nobody could tell
    with pytest.raises(ValueError, match="image"):
        signature(image="FP32")


def read(how: Signature, *outputs: dict[str, Any], **parameters: Any) -> Delta:
    """All that is said, as one delta."""
    parser = TritonParser(how, PROMPT, parameters)
    said = []
    for output in outputs:
        delta = parser.parse(ServerEvent(json.dumps(output)))
        if delta is END:
            break
        if isinstance(delta, Delta):
            said.append(delta.text)
    end = parser.end()
    assert end is not None
    return Delta("".join(said) + end.text, finish=end.finish, usage=end.usage)


def pieces(*texts: str) -> list[dict[str, Any]]:
    return [{"text_output": text} for text in texts]


def test_pieces_of_every_kind_are_one_text() -> None:
    told = {**STREAMING, "parameters": {"accumulate_tokens": {"string_value": "true"}}}
    growing = signature(told, **NEW)
    grown = pieces("Hel", "Hello", "Hello w\ufffd", "Hello wö")
    assert read(growing, *grown).text == "Hello wö"
    assert read(signature(**LLMAPI), *grown).text == "Hello wö"
    parts = pieces("Hel", "lo", " w", "ö")
    assert read(signature(**NEW), *parts).text == "Hello wö"
    assert read(signature(**LLMAPI), *parts).text == "Hello wö"  # by version; it shows itself
    repeated = pieces("ha", "ha", "ha")
    assert read(signature(**NEW), *repeated).text == "hahaha"


def test_the_prompt_is_taken_off() -> None:
    assert read(signature(**NEW), *pieces(f"{PROMPT}Hel", "lo")).text == "Hello"
    assert read(signature(**LLMAPI), *pieces(f"{PROMPT}Hel", f"{PROMPT}Hello")).text == "Hello"


def test_why_it_ended() -> None:
    said = read(signature(**LLMAPI), {"text_output": "a", "finish_reason": "None"})
    assert said.finish == "stop"
    cut = read(signature(**LLMAPI), {"text_output": "a", "finish_reason": "length"})
    assert cut.finish == "length"
    counted = [{"text_output": "a", "num_output_tokens": n, "num_input_tokens": 5} for n in (1, 2)]
    reply = read(signature(**NEW), *counted, max_tokens=2)
    assert reply.finish == "length"
    assert reply.usage is not None
    assert (reply.usage.prompt, reply.usage.completion) == (5, 2)
    assert read(signature(**NEW), *counted, max_tokens=9).finish == "stop"
    old = pieces("one ", "two ", "three")  # which counts nothing: a piece is a token
    assert read(signature(**OLD), *old, max_tokens=3).finish == "length"
    assert read(signature(**OLD), *old, max_tokens=4).finish == "stop"
    assert read(signature(**OLD), *pieces("one two three"), max_tokens=3).finish == "length"
    assert TritonParser(CLASSIC, PROMPT, {}).end() is None  # nothing came at all


def test_tokens_are_counted_in_both_ways() -> None:
    assert completed([1, 2, 3, 3]) == 3
    assert completed([1, 1, 1]) == 3
    assert completed([4]) == 4


def test_a_model_without_stop_words_is_left_at_the_word() -> None:
    said = read(signature(**OLD), *pieces("one ", "tw", "o three", " four"), stop=["two"])
    assert (said.text, said.finish) == ("one ", "stop")


def at(server: StreamingServer, **more: Any) -> Any:
    settings = {"prompt_template": "<u>{prompt}<a>", **more}
    return engine(KIND, server.url, settings=settings)


def test_an_answer(server: StreamingServer) -> None:
    asked = at(server)
    about = model("m:n=20")
    first = ask(asked, about, temperature=0.5, min_p=0.1)
    assert text(first) == "".join(tokens(20))
    assert first[-1].finish == "stop"
    assert first[-1].usage is not None
    assert first[-1].usage.completion == 20
    assert first[-1].notes == ["not sent: min_p"]
    ask(asked, about)
    paths = [entry.path.rpartition("/")[2] for entry in server.journal()]
    named = quote("m:n=20", safe="")
    assert paths == [named, "config", "generate_stream", "generate_stream"]  # it is asked once
    entry = server.journal()[2]
    assert entry.headers["api-key"] == KEY
    assert entry.body == {
        "text_input": PROMPT,
        "max_tokens": MAX_TOKENS,
        "stream": True,
        "temperature": 0.5,
        "return_num_input_tokens": True,
        "return_num_output_tokens": True,
    }


def test_addresses() -> None:
    made = engine(KIND, "http://t:8000/")
    assert made.endpoint(model("a b")).url == "http://t:8000/v2/models/a%20b/generate_stream"
    named = engine(KIND, "http://t:8000/v2/models/ensemble")  # as Jan's own files had it
    assert named.endpoint(model("x")).url == "http://t:8000/v2/models/ensemble/generate_stream"
    front = engine(KIND, "http://t:9000", settings={"format": "openai"})
    assert front.endpoint(model("x")).url == "http://t:9000/v1/chat/completions"
    grpc = engine(KIND, "t:8001", settings={"protocol": "grpc"})
    assert grpc.endpoint(model("x")).url.startswith("grpc://t:8001/")


def test_its_openai_front_end(server: StreamingServer) -> None:
    front = engine(KIND, server.url, settings={"format": "openai", "auth_header": "Authorization"})
    assert text(ask(front, model("m:n=3"))) == "".join(tokens(3))
    assert server.journal()[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("error=forbidden", errors.AuthenticationFailed),
        ("error=model_not_found", errors.NotFoundRemotely),
        ("error=loading", errors.NotFoundRemotely),
        ("error=context_length_exceeded", errors.ContextOverflow),
        ("error=context_length_exceeded,error_at=1", errors.ContextOverflow),
        ("error=invalid_request", errors.BadRequest),
        ("error=server_is_overloaded", errors.Overloaded),
        ("error=server_error", Unhealthy),
        ("error=rate_limit_exceeded,error_at=2", ModelFailed),
        ("cut=2", errors.StreamBroken),
        ("n=0", errors.StreamBroken),
        ("rubbish=2", errors.Malformed),
    ],
)
def test_what_it_refuses_is_one_line(
    server: StreamingServer,
    behaviour: str,
    kind: type[errors.EngineError],
) -> None:
    with pytest.raises(kind) as caught:
        ask(at(server), model(f"m:{behaviour}"))
    assert type(caught.value) is kind
    line = str(caught.value)
    assert "mine" in line
    assert "Traceback" not in line
    assert "(HTTP 200" not in line
    assert KEY not in line
    asked = [entry for entry in server.journal() if entry.method == "POST"]
    assert len(asked) == (3 if kind is errors.Overloaded or behaviour == "n=0" else 1)


def test_a_model_that_fails_at_once_is_no_bad_request() -> None:
    said = "Traceback (most recent call last):\n  x\n\nRuntimeError: no blocks\n"
    failed = b"data: " + json.dumps({"error": said}).encode()
    party = Party("m", KIND, kind_of=engine(KIND, "http://t").kind_of)
    error = error_of(400, {}, failed, party)
    assert isinstance(error, errors.ServerFailed)
    assert not error.retryable
    assert "operators" not in str(error)
    assert "RuntimeError: no blocks" in str(error)
    missing = b'{"error":"expected number of inputs between 2 and 10 but got 1"}'
    assert isinstance(error_of(400, {}, missing, party), errors.BadRequest)


def test_what_it_cannot_do_is_told(server: StreamingServer) -> None:
    for request in (
        ChatRequest([Message("user", "hi")], schema={"type": "object"}),
        ChatRequest([Message("user", "hi")], tools=[{}]),
        ChatRequest([Message("user", "hi")], {"temperature": "warm"}),
    ):
        with pytest.raises(errors.BadRequest, match="mine"):
            ask(at(server), model("m:n=1"), request)


def test_what_a_server_says_before_it_reads_is_never_lost() -> None:
    """grpc.aio drops the status of a call that ends while its question is being sent (3 in 100)."""

    def refuse(_: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")

    method = {"ModelStreamInfer": grpc.stream_stream_rpc_method_handler(refuse)}
    refusing = grpc.method_handlers_generic_handler("inference.GRPCInferenceService", method)

    async def said(port: int) -> set[str]:
        client, found = GrpcClient(), set()
        request = GrpcRequest(
            f"grpc://127.0.0.1:{port}/v2/models/m/generate_stream", {"text_input": "hi"}
        )
        for _ in range(300):
            with pytest.raises(errors.EngineError) as caught:
                async with client._events(request, Party("m", KIND)) as events:
                    await anext(events)
            found.add(f"{type(caught.value).__name__}: {caught.value}")
        await client.close()
        return found

    server = grpc.server(ThreadPoolExecutor(2), handlers=[refusing])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        (line,) = asyncio.run(said(port))
    finally:
        server.stop(None).wait()
    assert line.startswith("PermissionRefused")
    assert "not you" in line


class Speaker(GRPCInferenceServiceServicer):  # type: ignore[misc]
    """A Triton that says one word, by gRPC."""

    def ModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        inputs = [{"name": "text_input", "datatype": "BYTES", "shape": [1]}]
        return service_pb2.ModelMetadataResponse(name=request.name, inputs=inputs)

    def ModelConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        config = {"name": request.name, "model_transaction_policy": {"decoupled": True}}
        return service_pb2.ModelConfigResponse(config=config)

    def ModelStreamInfer(self, requests: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        for request in requests:
            said = service_pb2.ModelInferResponse(
                model_name=request.model_name,
                outputs=[{"name": "text_output", "datatype": "BYTES", "shape": [1]}],
                raw_output_contents=[serialize_byte_tensor(numpy.array([b"word"])).item()],
            )
            yield service_pb2.ModelStreamInferResponse(infer_response=said)


def test_the_channels_of_an_edited_engine_are_closed(tmp_path: Path) -> None:
    request = ChatRequest([Message("user", "hi")])

    async def said(port: int) -> None:
        router = Router(ModelStore(tmp_path))
        asked = replace(model("m"), written_engine=KIND)

        def write(**more: Any) -> None:
            settings = {"protocol": "grpc", **more}
            written = {"base_url": f"grpc://127.0.0.1:{port}", "settings": settings}
            write_json(tmp_path / "engines" / KIND / "engine.json", written)

        async def word(by: Target) -> None:
            assert text([delta async for delta in router.chat(request, by)]) == "word"

        write()
        early = router.target(asked)
        await word(early)
        (channel,) = early.engine._grpc._channels.values()  # type: ignore[attr-defined]
        write(accumulate_tokens=False)
        assert channel._channel.get_state() != grpc.ChannelConnectivity.SHUTDOWN
        await word(router.target(asked))
        assert channel._channel.get_state() == grpc.ChannelConnectivity.SHUTDOWN
        await word(early)
        assert router.registry._open == [router.registry.engine(asked, router.notify)]
        await router.close()

    server = grpc.server(ThreadPoolExecutor(2))
    add_GRPCInferenceServiceServicer_to_server(Speaker(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        asyncio.run(said(port))
    finally:
        server.stop(None).wait()
