"""How another thread ends a connection that hangs."""

import socket
import threading
from contextlib import suppress


class Cord:
    """Ends a connection from another thread, whatever it waits for: to connect, for TLS, for an answer.

    It holds a duplicate of the socket, since TLS puts another object in its place; the kernel's connection is the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._pulled = False

    def hold(self, line: socket.socket) -> None:
        """Take a socket that is about to connect. Raises ConnectionAbortedError where the end came first."""
        self.let_go()
        with self._lock:
            if self._pulled:
                raise ConnectionAbortedError("aborted before it was connected")
            self._socket = line.dup()

    def pull(self) -> None:
        """End the connection, or the one to come."""
        with self._lock:
            self._pulled = True
            if self._socket:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        """Close the duplicate: the kernel ends a connection with the last of its descriptors."""
        with self._lock:
            if self._socket:
                self._socket.close()
                self._socket = None
