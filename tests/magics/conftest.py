"""The kernel that the tests of a file share: with the extension, and a model for each of the file's
`BEHAVIOURS`. Files that want another one have their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.jan import add_remote
from support.kernel import Kernel
from support.server import StreamingServer


@pytest.fixture(scope="module")
def notebook(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _streaming_server: StreamingServer,
) -> Iterator[Kernel]:
    with Kernel(folder=tmp_path_factory.mktemp("notebook")) as kernel:
        add_remote(kernel.data_folder, _streaming_server, **request.module.BEHAVIOURS)
        assert kernel.execute("%load_ext jan_jupyter").outputs == []
        yield kernel


@pytest.fixture
def ask(request: pytest.FixtureRequest, notebook: Kernel, server: StreamingServer) -> Kernel:
    """The kernel, with the server's journal empty and no conversation or defaults left over."""
    for name, behaviour in request.module.BEHAVIOURS.items():
        server.behave(name, behaviour)
    notebook.execute("%reload_ext jan_jupyter")
    return notebook
