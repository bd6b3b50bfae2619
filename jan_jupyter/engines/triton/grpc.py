"""Triton over gRPC (extra `triton-grpc`): the same tensors, by `ModelStreamInfer`.

Addresses are written as for HTTP (`grpc://host:8001/v2/models/NAME`), so that the engine builds and
reads the same things for both.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from ... import errors
from ...addresses import is_this_machine
from ...redaction import without_secrets
from ...settings import stay_here
from ...types import EMPTY
from ...wire.retry import Patience, Wait
from ...wire.sse import ServerEvent
from ..http import client as http
from ..http.failures import Party, error_of, silent, without_frames
from .tensors import CLASSIC, Signature, Tensor

MOST_RACES = 20  # questions that the server ended before they were sent, one after the other


@dataclass(frozen=True, slots=True)
class GrpcRequest(http.HttpRequest):
    """A request whose body is tensors: their types go with them."""

    signature: Signature = CLASSIC

    @classmethod
    def of(cls, request: http.HttpRequest, signature: Signature) -> Self:
        given = {field.name: getattr(request, field.name) for field in fields(request)}
        return cls(**given, signature=signature)


class GrpcClient(http.Client):
    """Channels by server; opened at first use."""

    def __init__(self) -> None:
        super().__init__()
        self._channels: dict[str, Any] = {}

    async def fetch_json(
        self, request: http.HttpRequest, party: Party, on_wait: Wait | None = None
    ) -> Any:
        """The metadata or (`…/config`) the configuration of a model, as HTTP gives it."""
        patience = Patience()
        while True:
            try:
                return await self._described(request, party)
            except errors.EngineError as error:
                await patience.wait(without_frames(error), on_wait)

    async def _described(self, request: http.HttpRequest, party: Party) -> Any:
        name, rest = _model(request.url)
        channel, headers = self._channel(request.url, party), _metadata(request.headers)
        with _translated(request.url, party):
            if rest == "config":
                given = await channel.get_model_config(name, headers=headers, as_json=True)
                return given.get("config", given)
            return await channel.get_model_metadata(name, headers=headers, as_json=True)

    @asynccontextmanager
    async def _events(
        self, request: http.HttpRequest, party: Party
    ) -> AsyncIterator[AsyncGenerator[ServerEvent, None]]:
        assert isinstance(request, GrpcRequest)
        import grpc

        channel, inputs = self._channel(request.url, party), _inputs(request, party)
        name, _ = _model(request.url)

        async def requests() -> AsyncIterator[dict[str, Any]]:
            yield {"model_name": name, "inputs": inputs}

        async def asked() -> AsyncGenerator[ServerEvent, None]:
            answers = channel.stream_infer(requests(), headers=_metadata(request.headers))
            try:
                while True:
                    async with asyncio.timeout(request.read_timeout):
                        result, error = await anext(answers)
                    if error is not None:
                        await _ended(answers)
                        raise error
                    yield ServerEvent(json.dumps(_outputs(result)))
            except StopAsyncIteration:
                return
            finally:
                answers.cancel()

        async def events() -> AsyncGenerator[ServerEvent, None]:
            with _translated(request.url, party, request.read_timeout):
                for left in reversed(range(MOST_RACES)):
                    try:
                        async with aclosing(asked()) as pieces:
                            async for piece in pieces:
                                yield piece
                        return
                    except grpc.RpcError as error:
                        if not (left and _is_lost(error)):
                            raise

        async with aclosing(events()) as given:
            yield given

    def _channel(self, url: str, party: Party) -> Any:
        stay_here(f"Model {party.model} ({party.engine})", url)
        try:
            from tritonclient.grpc.aio import InferenceServerClient
        except ImportError as error:
            raise errors.EngineUnavailable(
                f"`protocol: grpc` of engine {party.engine} (model {party.model}) needs the package"
                " tritonclient: `%pip install 'tritonclient[grpc]'`.",
                model=party.model,
                engine=party.engine,
            ) from error
        parts = urlsplit(url)
        server = f"{parts.scheme}://{parts.netloc}"
        if server not in self._channels:
            tls = parts.scheme in ("https", "grpcs")
            direct = [("grpc.enable_http_proxy", 0)] if is_this_machine(url) else None
            self._channels[server] = InferenceServerClient(
                parts.netloc, ssl=tls, channel_args=direct
            )
        return self._channels[server]

    async def close(self) -> None:
        await super().close()
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            with suppress(Exception):
                await channel.close()


def _is_lost(error: Any) -> bool:
    """Whether grpc.aio lost what the server said: it ended the call while the question was sent."""
    return bool(error.details() == "Internal error from Core")


async def _ended(answers: Any) -> None:
    """Let the server end a stream that has failed: Triton 2.51 can die of a cancel just then."""
    with suppress(Exception):
        async with asyncio.timeout(http.LONGEST_DRAIN):
            while True:
                await anext(answers)


def _model(url: str) -> tuple[str, str]:
    """The model that an address names, and what follows it."""
    name, _, rest = url.partition("/v2/models/")[2].partition("/")
    return unquote(name), rest


def _metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as gRPC has them. Triton expects its own under a longer name there."""
    given = {name.lower(): value for name, value in headers.items()}
    if key := given.get("api-key"):
        given["triton-grpc-protocol-api-key"] = key
    return given


def _inputs(request: GrpcRequest, party: Party) -> list[Any]:
    from tritonclient.grpc import InferInput

    inputs = []
    for name, value in (request.body or EMPTY).items():
        if name not in request.signature.inputs:
            raise errors.BadRequest(f"{party.model} ({party.engine}) has no input {name!r}.")
        tensor = request.signature.inputs[name]
        array = _array(tensor, value, batched=request.signature.batched)
        inputs.append(InferInput(name, array.shape, tensor.kind))
        inputs[-1].set_data_from_numpy(array)
    return inputs


def _array(tensor: Tensor, value: Any, *, batched: bool) -> Any:
    """A value as an array of the tensor's rank: `[n]`, and `[1, n]` where there is a batch."""
    import numpy
    from tritonclient.utils import triton_to_np_dtype

    values = value if isinstance(value, list) else [value]
    if tensor.kind == "BYTES":
        values = [text.encode() for text in values]
    array = numpy.array(values, dtype=triton_to_np_dtype(tensor.kind))
    return array.reshape(1, -1) if batched else array


def _outputs(result: Any) -> dict[str, Any]:
    """The outputs of a piece as the generate extension writes them."""
    written = {}
    for output in result.get_response().outputs:
        values = result.as_numpy(output.name).reshape(-1).tolist()
        texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
        written[output.name] = texts[0] if len(texts) == 1 else texts
    return written


@contextmanager
def _translated(
    url: str, party: Party, seconds: float | None = http.READ_SECONDS
) -> Iterator[None]:
    """Turn what the two libraries raise into our errors."""
    import grpc
    from tritonclient.utils import InferenceServerException

    try:
        yield
    except TimeoutError as error:
        raise silent(party, seconds) from error
    except grpc.RpcError as error:
        raise _of(str(error.code()), error.details() or "", url, party) from error
    except InferenceServerException as error:
        raise _of(error.status() or "", error.message() or "", url, party) from error


_STATUS = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 503,
    "DEADLINE_EXCEEDED": 504,
}


def _of(code: str, said: str, url: str, party: Party) -> errors.EngineError:
    code = code.removeprefix("StatusCode.")
    if code == "UNAVAILABLE" and "restricted" not in said:
        server = without_secrets(urlsplit(url).netloc)
        return errors.ConnectionFailed(
            f"{party.engine} cannot be reached at {server} (model {party.model}):"
            f" {party.hidden(said)}. Is that"
            " the address of its gRPC port (mostly 8001), and the server running?",
            model=party.model,
            engine=party.engine,
        )
    # An error inside a stream has no status: the request was taken, and the model has failed.
    return error_of(_STATUS.get(code, 500 if code else 200), EMPTY, {"error": said}, party)
