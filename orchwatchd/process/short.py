"""Short calls of Go and Git: wait for the end, with a time limit, and leave nothing running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.errors import UnfitError

# systemd's variables are meant for us alone: hundreds of toolexec processes must not be able to speak in our name.
_OURS_ALONE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


class ProgramMissingError(UnfitError):
    """A program that was to be run does not exist or cannot be executed."""


class ProgramTimeoutError(UnfitError):
    """A short call took longer than its limit and was killed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a short call ended; a negative `returncode` is a signal. Bytes of `stdout` that are not UTF-8: surrogates."""

    returncode: int
    stdout: str
    stderr: str


def child_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a child: `env` (default our own) without what systemd meant for us alone."""
    source = os.environ if env is None else env
    return {name: value for name, value in source.items() if name not in _OURS_ALONE}


def run_short(
    argv: Sequence[str | Path],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
    stdin: str | None = None,
) -> Finished:
    """Runs `argv` to its end (at most `timeout` seconds) with `env` as the whole environment (None: our own).

    A non-zero exit is a result. Raises ProgramMissingError where it cannot be started and ProgramTimeoutError after the
    limit; its process group is killed then, and on any other exception (KeyboardInterrupt).
    """
    process = _start(argv, cwd=cwd, env=env, stdin=stdin is not None)
    try:
        out, err = process.communicate(None if stdin is None else stdin.encode(), timeout=timeout)
    except subprocess.TimeoutExpired as expired:
        _kill(process)
        raise ProgramTimeoutError(f"`{_shown(argv)}` did not end within {timeout:g} s") from expired
    except BaseException:
        _kill(process)
        raise
    return Finished(
        process.returncode, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace")
    )


def _start(
    argv: Sequence[str | Path], *, cwd: Path | str | None, env: Mapping[str, str] | None, stdin: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [os.fspath(part) for part in argv],
            cwd=cwd,
            env=child_environment(env),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise not_startable(argv, cwd, error) from error


def not_startable(argv: Sequence[str | Path], cwd: Path | str | None, error: OSError) -> ProgramMissingError:
    """The error for a program that did not start; a missing working folder looks just the same to the system."""
    if cwd is not None and not Path(cwd).is_dir():
        return ProgramMissingError(f"cannot run `{argv[0]}` in {cwd}: no such folder")
    return ProgramMissingError(f"cannot run `{argv[0]}`: {error.strerror or error}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kills the call's whole group. A pipe that an orphan holds open is not waited for."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _shown(argv: Sequence[str | Path]) -> str:
    return " ".join(os.fspath(part) for part in argv)
