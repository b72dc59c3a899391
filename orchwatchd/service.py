"""The daemon's word to systemd: readiness, status text, watchdog pings (sd_notify(3)); silence where no manager
listens.
"""

from __future__ import annotations

import os
import socket
import time


class Notifier:
    """Sends sd_notify messages to $NOTIFY_SOCKET; every method does nothing when systemd did not start us."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        environment = dict(os.environ) if environment is None else environment
        self._address = environment.get("NOTIFY_SOCKET", "")
        interval = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._ping_every = int(interval) / 2e6 if interval.isdigit() and ours else None
        self._last_ping = 0.0

    def ready(self, status: str) -> None:
        """The daemon has started."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it (sd_notify(3) wants the monotonic time, in
        microseconds).
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, seconds: float) -> None:
        """The daemon is ending and may need that long."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def alive(self) -> None:
        """A watchdog ping, sent at most twice an interval; called by the one loop whose hanging is to be noticed."""
        if self._ping_every is None:
            return
        now = time.monotonic()
        if now - self._last_ping >= self._ping_every:
            self._last_ping = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # An address that begins with @ lies in Linux's abstract namespace.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(message.encode(), address)
        except OSError:
            # A manager that went away is no reason to stop recording.
            return
