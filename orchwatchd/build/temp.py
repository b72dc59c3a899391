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

# Beside the work tree while the build runs: another orchwatchd may have another TMPDIR when it clears up after us.
_NOTE = "tmpdir"


def temp_of(work_parent: Path) -> Path:
    """The `TMPDIR` for the run whose `GOTMPDIR` is `work_parent`.

    Short, and where temporary files always go: tests of the developer may put sockets there, whose paths must not be
    long.
    """
    return Path(tempfile.gettempdir()) / _name(work_parent)


def make_temp(temp: Path, work_parent: Path) -> None:
    """Makes the folder, 0700. Raises OrchwatchdError if something that is not ours has its name."""
    _remove(temp)
    try:
        temp.mkdir(mode=0o700)
    except OSError as error:
        raise OrchwatchdError(
            f"cannot make {temp}: {error.strerror}", hint="remove it, or set TMPDIR to a folder of your own"
        ) from error
    (work_parent / _NOTE).write_bytes(os.fsencode(temp))


def noted_temp(work_parent: Path) -> Path:
    """The `TMPDIR` that a run of an earlier orchwatchd had, as it noted it, else what it would be now."""
    try:
        noted = Path(os.fsdecode((work_parent / _NOTE).read_bytes()))
    except OSError:
        return temp_of(work_parent)
    return noted if noted.name == _name(work_parent) else temp_of(work_parent)


def remove_temp(work_parent: Path) -> None:
    """Removes the run's `TMPDIR` with all that is in it, if it is ours: a folder, no link, of our own user."""
    _remove(noted_temp(work_parent))
    (work_parent / _NOTE).unlink(missing_ok=True)


def _name(work_parent: Path) -> str:
    return f"orchwatchd-{hashlib.sha256(os.fsencode(work_parent)).hexdigest()[:10]}"


def _remove(temp: Path) -> None:
    try:
        facts = temp.lstat()
    except OSError:
        return
    if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid():
        shutil.rmtree(temp, ignore_errors=True)
