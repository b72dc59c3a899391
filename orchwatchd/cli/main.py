"""The program's entry: the group of commands, and how every failure becomes one message and one exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click

from orchwatchd import __version__
from orchwatchd.cli import streams
from orchwatchd.cli.context import Context
from orchwatchd.errors import OrchwatchdError

# Command → (module, or module:name where the command's own name is taken; one line of help). A command's module is
# imported only when it runs, so that `--help` and reading start in a blink: importing everything costs 0.3 s.
COMMANDS: dict[str, tuple[str, str]] = {
    "watch": (
        "building",
        "Watch the project and rebuild it after each change (the daemon, in the foreground).",
    ),
    "build": ("building", "Record one build now and say what changed in the instrumentation."),
    "index": ("adopting", "Adopt a work tree that someone else's build left."),
    "runs": ("runs", "List the recorded runs, newest first."),
    "show": ("runs:show_run", "Show one run: how it was made, how it ended, what it wove."),
    "files": ("trees", "List the modified files that a run is made of."),
    "stages": ("trees", "List every stage directory of a run's work trees."),
    "imports": ("trees", "List what was added to import configurations, links and sources."),
    "source": ("trees", "Print a modified file as it was compiled then."),
    "logs": ("logs", "Search Orchestrion's log lines of a run."),
    "prune": ("upkeep", "Remove old work trees, runs and cache files, each with its reason."),
    "pin": ("upkeep", "Keep a run for ever, under a name if you give one."),
    "unpin": ("upkeep", "Take the pins from a run."),
    "rotate": ("upkeep", "Rotate Orchestrion's log files."),
    "baseline": ("adopting", "Fill in packages that nobody recorded, by one cold build."),
    "inputs": ("inputs", "Which files start a build, and why."),
    "doctor": ("doctor", "Is this machine fit to record; what is used where."),
    "diff": ("comparing", "Compare two runs: what changed in the instrumentation, and what made it so."),
    "history": (
        "comparing:history_of",
        "When the instrumentation of a package, file or by an integration changed.",
    ),
    "why": ("explaining", "Why a package is (not) instrumented, why it, or a whole run, was compiled."),
    "integrations": ("explaining", "List enabled integrations: what they wove and where, or nothing."),
    "sql": ("database", "Query the history with read-only SQL."),
    "status": ("state", "Is the daemon alive, what is it doing, what lies where."),
    "config": ("settings", "Check, show or write the configuration."),
}


# Where a trace of our own bug is kept: `entry` meets it when click's context is gone.
_GIVEN_STATE: list[Path] = []


class Commands(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Imports the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"orchwatchd.cli.{module}"), name or cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Work as if started in this folder.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Configuration file (default: orchwatchd.toml beside go.mod).",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ORCHWATCHD_STATE",
    default=None,
    help="Keep history, work trees, cache and logs of this one project below this folder.",
)
@click.version_option(__version__, prog_name="orchwatchd")
@click.pass_context
def cli(ctx: click.Context, directory: Path, config_file: Path | None, state: Path | None) -> None:
    """A flight recorder for builds of Go services instrumented with Orchestrion.

    In a Go module with orchestrion.tool.go: `orchwatchd watch` builds and builds again after each change;
    `orchwatchd runs`, `show`, `files` and `source` answer from the history, also for work trees long gone.

    RUN is @ (the last), @-1 (the one before), @ok (the last that built), a number, a pin's name or a git
    commit.
    """
    ctx.obj = Context(directory, config_file, state)
    if state is not None:
        _GIVEN_STATE.append(state)


def entry() -> None:
    """Runs the program and exits: 0 done, 1 failed or different, 2 usage, 3 bug, and what `errors` says."""
    streams.make_safe()
    code = _ended(lambda: cli.main(standalone_mode=False, prog_name="orchwatchd"))
    unwritten = _ended(sys.stdout.flush)
    sys.exit(code or unwritten)


def _ended(work: Callable[[], object]) -> int:
    """How a piece of work ended, as an exit code; what went wrong is told."""
    try:
        code = work()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OrchwatchdError as error:
        return _refuse(error)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # `orchwatchd runs | head` is no failure: the reader has what it wanted.
        streams.abandon_output()
        return 0
    except streams.OutputLostError as error:
        streams.abandon_output()
        return _refuse(OrchwatchdError(f"the output could not be written: {error.strerror}"))
    except Exception as error:  # noqa: BLE001
        return _bug(error)
    return code if isinstance(code, int) else 0


def _refuse(error: OrchwatchdError) -> int:
    click.echo(f"orchwatchd: {error.message}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)
    return error.exit_code


def _bug(error: Exception) -> int:
    """Keeps the trace in a file, and asks for it: what is not in the tree of errors is our fault."""
    import platform
    import tempfile
    import traceback

    from orchwatchd.config.paths import crash_folder

    text = "".join(traceback.format_exception(error))
    header = f"orchwatchd {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv[1:]}\n\n"
    try:
        folder = crash_folder(_GIVEN_STATE[-1] if _GIVEN_STATE else None)
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="crash-",
            suffix=".txt",
            dir=folder,
            delete=False,
        ) as file:
            file.write(header + text)
        where = f"its trace is in {file.name}"
    except OSError:
        where = f"its trace could not be kept:\n{text}"
    click.echo(f"orchwatchd: this is a bug: {type(error).__name__}: {error}\n  {where}", err=True)
    return 3
