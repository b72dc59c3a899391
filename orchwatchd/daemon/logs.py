"""The daemon's own log: to standard error, one line an event, where systemd and people read it."""

from __future__ import annotations

import logging
import os
import sys
import warnings


def set_up_logging() -> None:
    """Sends warnings and errors of all libraries to standard error. Under systemd the journal adds the time
    itself.
    """
    under_systemd = "JOURNAL_STREAM" in os.environ
    form = "%(levelname)s %(name)s: %(message)s"
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format=form if under_systemd else f"%(asctime)s {form}"
    )
    # watchdog 7.1 prints its whole table of watches, megabytes, when folders are made fast; we handle that ourselves.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog.observers.inotify_c")
