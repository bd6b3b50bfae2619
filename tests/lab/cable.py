"""The wire between a page and a Jupyter server, which can be cut."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Self

SIZE = 2**16


class Cable(socketserver.ThreadingTCPServer):
    """Passes on what goes to a server on this machine; the wires to kernels alone can be cut.

    `port` is what the page goes to. What is on its way while it swallows is lost, as in a cut.
    """

    def __init__(self, to: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.to = to
        self.port: int = self.server_address[1]
        self.whole = True
        self.swallows = False
        self.ends: set[socket.socket] = set()
        self.wires: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        for end in [*self.ends]:
            shut(end)
        self.server_close()  # joins its threads

    def cut(self) -> None:
        self.whole = False
        for wire in [*self.wires]:
            shut(wire)

    def mend(self) -> None:
        self.whole, self.swallows = True, False


class _Connection(socketserver.BaseRequestHandler):
    server: Cable

    def handle(self) -> None:
        cable, page = self.server, self.request
        cable.ends.add(page)
        first = page.recv(SIZE)
        to_kernel = b"/channels?" in first.partition(b"\r\n")[0]
        if not first or (to_kernel and not cable.whole):
            return
        with socket.create_connection(("127.0.0.1", cable.to)) as server:
            ends = {page, server}
            cable.ends |= ends
            if to_kernel:
                cable.wires |= ends
            server.sendall(first)
            back = threading.Thread(target=self._pass, args=(server, page, to_kernel))
            back.start()
            self._pass(page, server, to_kernel)
            back.join()
            cable.wires -= ends
            cable.ends -= ends

    def _pass(self, here: socket.socket, there: socket.socket, to_kernel: bool) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(SIZE):
                if not (to_kernel and self.server.swallows):
                    there.sendall(data)
        shut(here)
        shut(there)


def shut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
