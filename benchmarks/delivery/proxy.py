"""A mail server far away: ``python -m benchmarks.delivery.proxy PORT SECONDS`` passes all on, later.

What comes from either side is passed on after half of the round trip, in order. It prints its own port.
"""

import asyncio
import sys
from collections import deque


class Side(asyncio.Protocol):
    """One end of a connection through the proxy."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None
        self.queue: deque[bytes] = deque()  # empty octets: the other side has hung up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it, for the other side to write to."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass it on, later."""
        self._later(data)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Hang up on the other side, later."""
        self._later(b"")

    def _later(self, data: bytes) -> None:
        self.queue.append(data)
        asyncio.get_running_loop().call_later(self.delay, self._pass_on)

    def _pass_on(self) -> None:
        data = self.queue.popleft()  # not an argument: two calls of the same instant may come in any order
        if self.other and self.other.transport:
            if data:
                self.other.transport.write(data)
            else:
                self.other.transport.close()


class Door(Side):
    """The side of the client, which opens the other one."""

    def __init__(self, delay: float, port: int) -> None:
        super().__init__(delay)
        self.port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the other side before anything is read."""
        super().connection_made(transport)
        transport.pause_reading()  # type: ignore[attr-defined]
        self.opening = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        assert self.transport
        self.other = Side(self.delay)
        self.other.other = self
        other = self.other
        await asyncio.get_running_loop().create_connection(lambda: other, "127.0.0.1", self.port)
        self.transport.resume_reading()


async def serve(port: int, round_trip: float) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Door(round_trip / 2, port), "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
