"""Whether a build succeeded: exit code 0 is not enough (fact 11, and Orchestrion killed by a signal exits 0)."""

from __future__ import annotations

import re
import signal

from orchwatchd.models.build import BuildOutcome, Stop
from orchwatchd.models.run import RunStatus

# Orchestrion passes the Go command's exit code on; of a Go command killed by a signal it says so and ends with 255.
_ORCHESTRION_FAILED = 255
_GO_KILLED = re.compile(rb"^signal: (.+)$", re.MULTILINE)


def status_of(outcome: BuildOutcome, go_ended: bool) -> tuple[RunStatus, str | None]:
    """The run's status and, unless ok, one sentence why. `go_ended`: the action graph proves that the Go command
    came to its end.
    """
    if outcome.stop is Stop.CANCELLED:
        return RunStatus.CANCELLED, "cancelled on request"
    if outcome.stop is Stop.TIME_LIMIT:
        return RunStatus.CANCELLED, f"cancelled: the time limit was reached after {outcome.duration:.0f} s"
    code = outcome.exit_code
    if code is not None and code < 0:
        return RunStatus.INTERRUPTED, f"killed from outside by {_name(-code)}"
    if go_ended:
        return (
            (RunStatus.OK, None)
            if code == 0
            else (RunStatus.FAILED, f"the Go command failed (exit code {code})")
        )
    if code == 0:
        return (
            RunStatus.INTERRUPTED,
            "killed from outside: Orchestrion ended with 0, but nothing proves that the Go command came to its end",
        )
    if (killed := _GO_KILLED.search(outcome.stderr)) and code == _ORCHESTRION_FAILED:
        return RunStatus.INTERRUPTED, f"the Go command was killed from outside ({killed[1].decode()})"
    if outcome.graph_written:
        return RunStatus.FAILED, f"the Go command gave up (exit code {code})"
    return RunStatus.FAILED, f"the build did not begin (exit code {code})"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
