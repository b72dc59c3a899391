"""The errors that a user can meet, as one tree; each knows its exit code.

OrchwatchdError                  1   what fits none below: the daemon is gone, the output cannot be written
├── UsageError                   2   wrong arguments
├── NotFoundError                4   no such run, file, package or pin
├── UnfitError                  69   Go or Orchestrion missing or unfit, or watching impossible
├── DatabaseError               74   the history cannot be used
├── BusyError                   75   another daemon holds the project
└── ConfigurationError          78   bad configuration

Whatever is not in this tree is a bug: exit code 3, and its trace is kept in the state folder.
"""

from __future__ import annotations

from typing import ClassVar


class OrchwatchdError(Exception):
    """A failure that the user can act on: one sentence, and the next step as `hint`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OrchwatchdError):
    """The arguments do not fit together."""

    exit_code = 2


class NotFoundError(OrchwatchdError):
    """A run, file, package or pin that the history does not have, or that several things fit."""

    exit_code = 4


class UnfitError(OrchwatchdError):
    """Go or Orchestrion is missing or unfit for this project, or the project cannot be watched."""

    exit_code = 69


class DatabaseError(OrchwatchdError):
    """The history cannot be opened, is damaged, or belongs to another version of the program."""

    exit_code = 74


class BusyError(OrchwatchdError):
    """Another daemon holds the project."""

    exit_code = 75


class ConfigurationError(OrchwatchdError):
    """The configuration is wrong; the message names every problem, one a line."""

    exit_code = 78
