"""One writer a project: the second is refused and told who the first is, whatever happens to the lock's file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchwatchd import lock
from orchwatchd.errors import BusyError, DatabaseError

HOLD = "import sys; from pathlib import Path; from orchwatchd import lock; held = lock.acquire(Path(sys.argv[1]), 'watch'); print('held', flush=True); sys.stdin.read()"
TRY = """
import sys
from pathlib import Path
from orchwatchd import lock
from orchwatchd.errors import BusyError
sys.stdin.readline()
try:
    held = lock.acquire(Path(sys.argv[1]), "watch")
except BusyError as error:
    print(error.exit_code, flush=True)
else:
    print("held", flush=True)
sys.stdin.read()
"""


def program(text: str, state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with program(HOLD, state) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"`watch`, process {other.pid}") as refused:
            lock.acquire(state, "build")
        assert refused.value.exit_code == 75

        other.send_signal(signal.SIGKILL)
        other.wait()
        lock.acquire(state, "build").release()


def test_of_many_that_start_at_once_one_wins(tmp_path: Path) -> None:
    programs = [program(TRY, tmp_path / "state") for _ in range(8)]
    try:
        for each in programs:
            assert each.stdin
            each.stdin.write("\n")
            each.stdin.flush()
        answers = sorted(each.stdout.readline().strip() for each in programs if each.stdout)
        assert answers == ["75"] * 7 + ["held"]
    finally:
        for each in programs:
            each.communicate()


def test_removing_the_lock_file_lets_nobody_in(tmp_path: Path) -> None:
    with lock.acquire(tmp_path, "watch") as held:
        (tmp_path / "lock").unlink()
        with pytest.raises(BusyError, match="another orchwatchd holds"):
            lock.acquire(tmp_path, "build")
        assert held.intact()


def test_a_state_folder_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with lock.acquire(state, "watch") as held:
        state.rename(tmp_path / "moved")
        assert not held.intact()
        with lock.acquire(state, "watch") as second:
            assert second.intact()


def test_where_a_folder_cannot_be_locked_its_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS refuses to lock a folder that is open for reading."""
    real = lock.fcntl.flock

    def refuse_folders(descriptor: int, operation: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(9, "Bad file descriptor")
        real(descriptor, operation)

    monkeypatch.setattr(lock.fcntl, "flock", refuse_folders)
    with lock.acquire(tmp_path, "watch") as held:
        assert held.intact()
        with pytest.raises(BusyError, match=f"process {os.getpid()}"):
            lock.acquire(tmp_path, "watch")
        (tmp_path / "lock").unlink()
        assert not held.intact()


def test_the_folder_is_private_and_release_is_idempotent(tmp_path: Path) -> None:
    held = lock.acquire(tmp_path / "a/state", "watch")
    assert (tmp_path / "a/state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a/state/lock").stat().st_mode & 0o777 == 0o600
    held.release()
    held.release()
    assert not held.intact()
    with lock.acquire(tmp_path / "a/state", "build") as second:
        assert second.intact()


def test_a_state_folder_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="file/state cannot be used: Not a directory"):
        lock.acquire(tmp_path / "file/state", "watch")
