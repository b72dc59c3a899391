"""`watch` and `build`: what records."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from orchwatchd.cli.context import Context, pass_context

if TYPE_CHECKING:
    from orchwatchd.client import Answer
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.render.live import Live

INTERRUPTED = 130


@click.command()
@pass_context
def watch(context: Context) -> int:
    """Watch the project and rebuild it after each change, until Ctrl-C or SIGTERM.

    This is the daemon, in the foreground, as systemd starts it. SIGHUP reads the configuration again.
    """
    from orchwatchd.config.load import warnings
    from orchwatchd.daemon.logs import set_up_logging
    from orchwatchd.daemon.loop import Daemon
    from orchwatchd.jobs.recorder import open_recorder
    from orchwatchd.lock import acquire
    from orchwatchd.render.live import Live

    config, project, paths = context.config(), context.project(), context.paths()
    set_up_logging()
    for warning in warnings(config):
        click.echo(f"warning: {warning}", err=True)
    paths.create()
    with (
        acquire(paths.state, "watch"),
        open_recorder(project, paths, config) as recorder,
        Live() as live,
    ):
        return Daemon(recorder, show=live.tell, reload=context.config).run()


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("go_args", nargs=-1, type=click.UNPROCESSED, metavar="[-- GO ARGS]")
@pass_context
def build(context: Context, go_args: tuple[str, ...]) -> int:
    """Record one build now and say what changed in the instrumentation.

    GO ARGS replace the configured `build ./...` whole: `orchwatchd build -- test ./...` records a run of kind test. A
    running daemon does the build; else this command does. Ctrl-C cancels the build, which is then recorded as such.
    """
    from orchwatchd.build.arguments import parse_arguments
    from orchwatchd.client import ask
    from orchwatchd.render.live import Live

    if go_args:
        parse_arguments(go_args)  # what cannot be recorded is refused here, a daemon is not troubled with it
    paths = context.paths()
    with Live() as live:
        try:
            answer = ask(paths.socket, "build", {"arguments": list(go_args)}, on_event=live.tell)
        except KeyboardInterrupt:
            click.echo("the daemon was asked to cancel the build; `orchwatchd runs` shows it", err=True)
            return INTERRUPTED
        return _here(context, go_args, live) if answer is None else _outcome(answer)


def _outcome(answer: Answer) -> int:
    if isinstance(answer.result, dict) and "error" in answer.result:
        click.echo(f"orchwatchd: {answer.result['error']}", err=True)
    return answer.exit_code


def _here(context: Context, go_args: tuple[str, ...], live: Live) -> int:
    """Builds in this process, which holds the state lock meanwhile."""
    from orchwatchd.jobs.record import record
    from orchwatchd.jobs.recorder import open_recorder
    from orchwatchd.jobs.recover import recover
    from orchwatchd.jobs.report import summarise
    from orchwatchd.jobs.sources import FreshSources
    from orchwatchd.jobs.upkeep import disk_is_low, prune
    from orchwatchd.lock import acquire
    from orchwatchd.models.event import Line
    from orchwatchd.models.request import BuildRequest
    from orchwatchd.render.summary import summary_lines

    config, project, paths = context.config(), context.project(), context.paths()
    paths.create()
    with (
        acquire(paths.state, "build"),
        open_recorder(project, paths, config) as recorder,
        cancelled_by_signals() as cancel,
    ):
        for run in recover(recorder):
            live.tell(Line("note", f"#{run} was interrupted; what it had compiled is recorded"))
        if disk_is_low(recorder):
            prune(recorder)
        hooks, reasons = hooks_here(recorder, live, cancel)
        view = FreshSources(recorder.preparation, paths)
        done = record(recorder, BuildRequest(arguments=go_args), hooks, view)
        for line in summary_lines(summarise(paths.database, done.run)):
            live.tell(Line("result", line))
        keep_limits(recorder, live)
        if cancel.is_set() and not reasons:
            return INTERRUPTED
        return 0 if done.status == "ok" else 1


def hooks_here(recorder: Recorder, live: Live, cancel: threading.Event) -> tuple[Hooks, list[str]]:
    """How this process takes part in a build: shows it, and cancels it when the disk runs low; then the list holds
    why.
    """
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.upkeep import BuildRoom

    reasons: list[str] = []

    def low(why: str) -> None:
        reasons.append(why)
        cancel.set()

    return Hooks(
        tell=live.tell,
        cancel=cancel,
        tick=BuildRoom(recorder, low).look,
        why_cancelled=lambda: reasons[0] if reasons else None,
    ), reasons


@contextmanager
def cancelled_by_signals() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C, SIGTERM or end of the terminal (SIGHUP) sets; a second Ctrl-C ends us."""
    cancel = threading.Event()

    def on_signal(number: int, _frame: object) -> None:
        if cancel.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        cancel.set()

    # Under nohup SIGHUP is ignored, and stays so.
    caught = [signal.SIGINT, signal.SIGTERM]
    caught += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else []
    before = {number: signal.signal(number, on_signal) for number in caught}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    sys.stdout.flush()


def keep_limits(recorder: Recorder, live: Live) -> None:
    """What follows every run. A limit that cannot be kept just now is told, and changes nothing about the run."""
    from orchwatchd.errors import OrchwatchdError
    from orchwatchd.jobs.upkeep import after_run
    from orchwatchd.models.event import Line

    try:
        after_run(recorder)
    except OrchwatchdError as error:
        live.tell(Line("warning", error.message))
