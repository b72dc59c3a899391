"""Running other programs, the only home of `subprocess`: short calls, and groups that end for certain."""

from __future__ import annotations

from orchwatchd.process.group import Ended, Group, end_group, start_group
from orchwatchd.process.identity import boot_id, identity_of, start_ticks
from orchwatchd.process.members import Member, members_of
from orchwatchd.process.short import (
    Finished,
    ProgramMissingError,
    ProgramTimeoutError,
    child_environment,
    run_short,
)

__all__ = [
    "Ended",
    "Finished",
    "Group",
    "Member",
    "ProgramMissingError",
    "ProgramTimeoutError",
    "boot_id",
    "child_environment",
    "end_group",
    "identity_of",
    "members_of",
    "run_short",
    "start_group",
    "start_ticks",
]
