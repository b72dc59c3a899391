"""Files in a folder of our own whose events tell how far the reader of events has come."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import threading
from pathlib import Path


class Cookies:
    """A new folder below `parent` (default: the system's temporary folder), to be watched by whoever asks. `parent` is
    used by no other process: what one that was killed left there is removed.
    """

    def __init__(self, parent: Path | None) -> None:
        mine = f"orchwatchd-cookies-{os.getpid()}-"
        for left in parent.glob("orchwatchd-cookies-*") if parent is not None else ():
            if not left.name.startswith(mine):
                shutil.rmtree(left, ignore_errors=True)
        self.folder = tempfile.mkdtemp(prefix=mine, dir=parent)
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()
        self._last = 0

    def bake(self, timeout: float) -> bool:
        """Writes a cookie and waits until it was seen; False where that did not come to pass in time."""
        number = next(self._numbers)
        path = Path(self.folder, str(number))
        try:
            path.touch()
            path.unlink()
        except OSError:
            return False
        with self._arrived:
            return self._arrived.wait_for(lambda: self._last >= number, timeout)

    def seen(self, name: str) -> None:
        """An event of the folder has come, for an entry of this name; called in the reader's thread."""
        with self._arrived:
            self._last = max(self._last, int(name) if name.isdigit() else 0)
            self._arrived.notify_all()

    def remove(self) -> None:
        """Removes the folder."""
        with contextlib.suppress(OSError):
            Path(self.folder).rmdir()
