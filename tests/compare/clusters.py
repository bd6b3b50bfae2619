"""A Dask cluster of this machine, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def cluster(folder: Path, **environment: str) -> Iterator[Any]:
    """The client of two workers with four threads each; they have these variables besides ours.

    What they tell each other is not compressed.
    """
    import dask
    import distributed

    cluster_of: Any = distributed.LocalCluster
    client_of: Any = distributed.Client
    plain: Any = dask.config.set({"distributed.comm.compression": None})
    with (
        plain,
        cluster_of(
            n_workers=2,
            threads_per_worker=4,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=str(folder / "dask"),
            silence_logs=50,
            env=environment,
        ) as made,
        client_of(made, set_as_default=False) as client,
    ):
        yield client
