"""Reading what a process group prints, as it comes, without hanging on a pipe that an orphan holds open."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
from collections.abc import Callable
from typing import IO

OnLine = Callable[[str, bytes], None]
_CHUNK = 1 << 16
_KEPT = 16 << 20  # bytes of one stream; a build that prints more is not kept whole, and says so
_LONGEST_LINE = 1 << 20
_DRAIN_LIMIT = 1.0


class OutputReader:
    """Reads named pipes in one thread; hands each line to `on_line(stream, line without its end)` and keeps the bytes.

    `finish()` ends it: what lies in the pipes is read, then they are closed, even if someone still holds the other end.
    """

    def __init__(self, pipes: dict[str, IO[bytes]], on_line: OnLine | None) -> None:
        self._on_line = on_line
        self._pending = {name: bytearray() for name in pipes}
        self._kept = {name: bytearray() for name in pipes}
        self._dropped = dict.fromkeys(pipes, 0)
        self._failure: BaseException | None = None
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._open: dict[str, IO[bytes]] = dict(pipes)
        for name, pipe in pipes.items():
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)
        self._thread = threading.Thread(target=self._run, name="build-output", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Reads what is left (for a second at most), closes the pipes, and raises what `on_line` raised, if so."""
        os.write(self._wake_write, b"x")
        self._thread.join()
        for pipe in self._open.values():
            with contextlib.suppress(OSError):
                pipe.close()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        if self._failure is not None:
            raise self._failure

    def kept(self, name: str) -> bytes:
        """The bytes that the stream printed; of a flood the first 16 MB, and a line that says how much is missing."""
        dropped = self._dropped[name]
        tail = f"\n… {dropped} bytes left out\n".encode() if dropped else b""
        return bytes(self._kept[name]) + tail

    def _run(self) -> None:
        stopping = False
        while self._open and not stopping:
            for key, _ in self._selector.select():
                if key.data is None:
                    stopping = True
                else:
                    self._read(key.data)
        limit = threading.Event()
        timer = threading.Timer(_DRAIN_LIMIT, limit.set)
        timer.start()
        while self._open and not limit.is_set() and self._read_all():
            pass
        timer.cancel()
        for name in self._pending:
            self._flush(name)

    def _read_all(self) -> bool:
        """Reads each pipe once; False if all were empty."""
        return sum(self._read(name) for name in tuple(self._open)) > 0

    def _read(self, name: str) -> bool:
        """Reads once; False if there was nothing (any more)."""
        try:
            data = os.read(self._open[name].fileno(), _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            pipe = self._open.pop(name)
            self._selector.unregister(pipe)
            pipe.close()
            return False
        self._take(name, data)
        return True

    def _take(self, name: str, data: bytes) -> None:
        kept = self._kept[name]
        room = max(0, _KEPT - len(kept))
        kept += data[:room]
        self._dropped[name] += len(data) - min(room, len(data))
        pending = self._pending[name]
        pending += data
        *lines, rest = pending.split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines.append(rest)
            rest = bytearray()
        self._pending[name] = rest
        for line in lines:
            self._tell(name, bytes(line))

    def _flush(self, name: str) -> None:
        if self._pending[name]:
            self._tell(name, bytes(self._pending[name]))
            self._pending[name] = bytearray()

    def _tell(self, name: str, line: bytes) -> None:
        if self._on_line is None or self._failure is not None:
            return
        try:
            self._on_line(name, line.removesuffix(b"\r"))
        except BaseException as error:  # noqa: BLE001 - raised by finish(), in the caller's thread
            self._failure = error
