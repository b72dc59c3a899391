"""The `TMPDIR` of a build: a folder of the run's own, so that what a killed Orchestrion leaves there is known to be
ours.

Orchestrion keeps a lock for pinning in `TMPDIR`, which must be shared with the developer's own builds. Ours never pin
(`environment.NO_PIN`), so they need not share it; and nothing in an `orchestrion.nbt-*` folder tells whose it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from orchwatchd.errors import OrchwatchdError


def temp_of(work_parent: Path) -> Path:
    """The `TMPDIR` that belongs to the run whose `GOTMPDIR` is `work_parent`.

    Short, and where temporary files always go: tests of the developer may put sockets there, whose paths must not
    be long. It follows from `work_parent`, so that it is found again after our own death.
    """
    digest = hashlib.sha256(os.fsencode(work_parent)).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"orchwatchd-{digest}"


def make_temp(temp: Path) -> None:
    """Makes the folder, 0700. Raises OrchwatchdError if something that is not ours has its name."""
    remove_temp(temp)
    try:
        temp.mkdir(mode=0o700)
    except OSError as error:
        raise OrchwatchdError(
            f"cannot make {temp}: {error.strerror}", hint="remove it, or set TMPDIR to a folder of your own"
        ) from error


def remove_temp(temp: Path) -> None:
    """Removes the folder with all that is in it, if it is ours: a folder, no link, of our own user. What remains is
    left for later.
    """
    try:
        facts = temp.lstat()
    except OSError:
        return
    if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid():
        shutil.rmtree(temp, ignore_errors=True)
