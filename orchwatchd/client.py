"""Talking to a running daemon over its Unix socket: one request as a line of JSON, events as lines, then the
result.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchwatchd.errors import OrchwatchdError
from orchwatchd.models.event import Event, from_json

CONNECT_TIMEOUT = 2.0


class DaemonGoneError(OrchwatchdError):
    """The daemon closed the connection before it answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request ended with: its exit code, and its result as JSON data."""

    exit_code: int
    result: Any


def ask(
    path: Path,
    command: str,
    arguments: dict[str, Any] | None = None,
    *,
    on_event: Callable[[Event], None] | None = None,
    patience: float | None = None,
) -> Answer | None:
    """Sends a request to the daemon at `path` and waits for its end.

    Returns None where no daemon listens. Events go to `on_event` as they come. `patience` is how many seconds of
    silence are borne (None: any number, as for a build). KeyboardInterrupt while waiting closes the connection, which
    cancels the request; raises DaemonGoneError when the daemon dies, or is silent for too long.
    """
    with _connected(path) as connection:
        if connection is None:
            return None
        connection.settimeout(CONNECT_TIMEOUT)
        try:
            connection.sendall(
                json.dumps({"command": command, "arguments": arguments or {}}).encode() + b"\n"
            )
            connection.settimeout(patience)
            for message in _messages(connection):
                if "exit_code" in message:
                    return Answer(int(message["exit_code"]), message.get("result"))
                event = from_json(message)
                if event is not None and on_event is not None:
                    on_event(event)
        except (OSError, ValueError) as error:
            raise DaemonGoneError(f"the daemon did not answer: {error}") from error
    raise DaemonGoneError(
        "the daemon closed the connection before it answered",
        hint="see `orchwatchd status` and `orchwatchd runs`",
    )


@contextmanager
def _connected(path: Path) -> Iterator[socket.socket | None]:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_TIMEOUT)
    try:
        connection.connect(str(path))
    except OSError:
        # No socket file, or one that a killed daemon left behind.
        connection.close()
        yield None
        return
    with connection:
        yield connection


def _messages(connection: socket.socket) -> Iterator[dict[str, Any]]:
    with connection.makefile("rb") as lines:
        for line in lines:
            message = json.loads(line)
            if isinstance(message, dict):
                yield message
