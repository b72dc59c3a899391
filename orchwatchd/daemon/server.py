"""The daemon's Unix socket: hands each request to the loop, and answers questions about the daemon itself at once."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchwatchd.daemon.request import Request

log = logging.getLogger(__name__)

LONGEST_REQUEST = 1 << 20
RETRY = 1.0


class Server:
    """Listens at `path` (0600, in a folder of 0700) until `stop`. `handle` is called in the connection's thread
    and must either answer or queue the request; it never blocks for long.
    """

    def __init__(self, path: Path, handle: Callable[[Request], None]) -> None:
        self._path = path
        self._handle = handle
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="socket", daemon=True)

    def start(self) -> None:
        """Binds the socket and starts to answer. A socket file of a dead daemon is replaced: the caller holds the
        lock.
        """
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(self._path))
        finally:
            os.umask(before)
        self._socket.listen(16)
        self._thread.start()

    def stop(self) -> None:
        """Stops listening and removes the socket file; requests under way keep their connections."""
        self._stopping.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("the socket was not connected")
        self._socket.close()
        self._path.unlink(missing_ok=True)
        self._thread.join(timeout=2)

    @property
    def alive(self) -> bool:
        """Whether requests can still come in."""
        return self._thread.is_alive()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                # Out of descriptors, or a client that gave up: an end here would let every later client wait for ever.
                log.exception("the socket failed to accept a connection")
                self._stopping.wait(RETRY)
                continue
            threading.Thread(target=self._serve, args=(connection,), name="request", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _read_request(connection)
            except (OSError, ValueError) as error:
                Request(connection, "", {}).answer(2, {"error": f"no such request: {error}"})
                return
            try:
                self._handle(request)
            except Exception:
                log.exception("request %s failed", request.command)
                request.answer(3, {"error": "the daemon failed; its log has the trace"})
            request.wait_for_hangup()


def _read_request(connection: socket.socket) -> Request:
    """Reads one line of JSON; raises ValueError for anything else."""
    data = b""
    while not data.endswith(b"\n"):
        chunk = connection.recv(65536)
        if not chunk or len(data) > LONGEST_REQUEST:
            raise ValueError("it does not end")
        data += chunk
    message: Any = json.loads(data)
    match message:
        case {"command": str(command), "arguments": dict(arguments)}:
            return Request(connection, command, arguments)
    raise ValueError("it is no object with a command and arguments")
