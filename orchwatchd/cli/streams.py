"""The standard streams as the program is given them, made safe once, at its entry. Whoever prints need not know."""

from __future__ import annotations

import os
import sys


def make_safe() -> None:
    """Replaces those of the process's standard streams that are closed."""
    _open_missing()


def _open_missing() -> None:
    """Stands in for streams that were closed (`>&-`). Their numbers are taken: a file of ours under one of them would
    get what a child process prints.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            os.set_inheritable(descriptor, True)
            stream = open(descriptor, mode, encoding="utf-8", errors="replace")  # noqa: SIM115, PTH123 - for good
            setattr(sys, name, stream)
