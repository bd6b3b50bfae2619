"""One server of each kind for all tests of a file, with models that answer as told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.hosts import HOSTS, Host
from support.jan import add_remote
from support.server import StreamingServer


@pytest.fixture(scope="module", params=[*HOSTS])
def host(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _streaming_server: StreamingServer,
) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp(request.param)
    kind = HOSTS[request.param]
    host = kind(folder, change=getattr(request.module, "CHANGE", ""))
    add_remote(host.data_folder, _streaming_server, quick="n=3")
    with host:
        yield host
