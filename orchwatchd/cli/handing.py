"""Commands that write: a running daemon does it, else this process does, under the state lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchwatchd.cli.context import Context

if TYPE_CHECKING:
    from orchwatchd.jobs.requests import Done


INTERRUPTED = 130


def hand_over(context: Context, command: str, words: dict[str, Any], *, cancellable: bool = False) -> Done:
    """Has a request carried out, and shows its events. Raises what the job raises when this process does it; the
    daemon's errors come as its message and exit code. `cancellable`: Ctrl-C lets a job that this process does end in
    order.
    """
    from orchwatchd.client import ask
    from orchwatchd.jobs.requests import Done
    from orchwatchd.render.live import Live

    with Live() as live:
        answer = ask(context.paths().socket, command, words, on_event=live.tell)
        if answer is None:
            return _here(context, command, words, live, cancellable=cancellable)
    if isinstance(answer.result, dict) and "error" in answer.result:
        click.echo(f"orchwatchd: {answer.result['error']}", err=True)
    return Done(answer.exit_code, answer.result)


def _here(context: Context, command: str, words: dict[str, Any], live: Any, *, cancellable: bool) -> Done:
    from dataclasses import replace

    from orchwatchd.cli.building import cancelled_by_signals, hooks_here, keep_limits
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import open_recorder
    from orchwatchd.jobs.recover import recover
    from orchwatchd.jobs.requests import carry_out
    from orchwatchd.jobs.upkeep import disk_is_low, prune
    from orchwatchd.lock import acquire

    config, project, paths = context.config(), context.project(), context.paths()
    paths.create()
    with acquire(paths.state, command), open_recorder(project, paths, config) as recorder:
        recover(recorder)
        if not cancellable:
            return carry_out(recorder, command, words, Hooks(tell=live.tell))
        with cancelled_by_signals() as cancel:
            if disk_is_low(recorder):
                prune(recorder)
            hooks, reasons = hooks_here(recorder, live, cancel)
            done = carry_out(recorder, command, words, hooks)
            keep_limits(recorder, live)
            return replace(done, exit_code=INTERRUPTED) if cancel.is_set() and not reasons else done
