"""One request that came over the socket, and the line back to whoever sent it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

from orchwatchd.models.event import Event, to_json

LONGEST_SEND = 5
"""Seconds that a client may let what it is sent lie unread when nothing more fits in between."""


class Request:
    """What a client asked for. Events and the answer are sent as lines of JSON; a client that hangs up cancels its
    request.
    """

    def __init__(self, connection: socket.socket, command: str, arguments: dict[str, Any]) -> None:
        self.command = command
        self.arguments = arguments
        self.cancelled = threading.Event()
        self._connection = connection
        self._sending = threading.Lock()
        self._deaf = False
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", LONGEST_SEND, 0))

    def tell(self, event: Event) -> None:
        """Sends an event; a client that is gone is no error."""
        self._send(to_json(event))

    def answer(self, exit_code: int, result: Any = None) -> None:
        """Ends the request."""
        self._send({"exit_code": exit_code, "result": result})
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def wait_for_hangup(self) -> None:
        """Blocks until the client closes its side, then marks the request cancelled; runs in the connection's own
        thread.
        """
        try:
            while self._connection.recv(4096):
                pass
        except OSError:
            pass
        self.cancelled.set()

    def _send(self, message: dict[str, Any]) -> None:
        if self._deaf:
            return
        try:
            with self._sending:
                self._connection.sendall(json.dumps(message).encode() + b"\n")
        except BlockingIOError:
            # A client that is stopped (Ctrl-Z) and reads nothing must not hold up the daemon; its work goes on.
            self._deaf = True
        except OSError:
            self.cancelled.set()
