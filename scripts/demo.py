#!/usr/bin/env python3
"""A short story on real builds: the daemon watches a copy of examples/greeter while this script edits it.

`make demo` runs it with Go and Orchestrion on the PATH. It ends by itself and leaves nothing running; with
`--project PATH` it only becomes the daemon on that project.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = str(ROOT / ".venv/bin/orchwatchd")
GREET = "greet/greet.go"


@dataclass(frozen=True)
class Chapter:
    """One edit, the status that its build must have, and the command that then answers a question."""

    title: str
    old: str
    new: str
    status: str
    question: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "An edit that changes no instrumentation: Hello says good day.",
        'return "hello, " + name',
        'return "good day, " + name',
        "ok",
        ("diff", "@-1", "@"),
    ),
    Chapter(
        "Banner gets a //greeter:span, so Orchestrion weaves one function more.",
        "// Banner returns the embedded banner.\n",
        "// Banner returns the embedded banner.\n//\n//greeter:span\n",
        "ok",
        ("source", "@", GREET, "--diff"),
    ),
    Chapter(
        "A typing error.",
        '"reset " + what + suffix',
        '"reset " + wat + suffix',
        "failed",
        ("show", "@"),
    ),
    Chapter(
        "Back to green.",
        '"reset " + wat + suffix',
        '"reset " + what + suffix',
        "ok",
        ("history", "example.com/greeter/greet"),
    ),
)


class DemoError(Exception):
    """The story cannot go on; the message says why."""


class Demo:
    """The daemon on a copy of the greeter, and the commands that read its history."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "greeter"
        self.state = folder / "state"
        shutil.copytree(ROOT / "examples/greeter", self.project)
        self.words = [PROGRAM, "--state", str(self.state), "-C", str(self.project)]
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the daemon; what it prints goes straight to our terminal."""
        print(f"\n$ orchwatchd -C {self.project} watch", flush=True)
        self.daemon = subprocess.Popen([*self.words, "watch"], stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        """Ends the daemon as Ctrl-C or systemd would, and waits until it is gone."""
        if self.daemon is None or self.daemon.poll() is not None:
            return
        self.daemon.terminate()
        try:
            self.daemon.wait(45)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()

    def read(self, *words: str) -> Any:
        """The JSON of a reading command, None while there is no history yet."""
        done = subprocess.run([*self.words, *words, "--json"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def ask(self, *words: str) -> None:
        """Shows a command and its answer as the user would see it."""
        print(f"\n$ orchwatchd {shlex.join(words)}", flush=True)
        subprocess.run([*self.words, *words], check=False)

    def edit(self, old: str, new: str) -> None:
        """Changes the source as an editor does, in one save."""
        path = self.project / GREET
        text = path.read_text()
        if old not in text:
            raise DemoError(f"{old!r} is not in {path}")
        path.write_text(text.replace(old, new))

    def wait_for_run(self, number: int, seconds: float) -> str:
        """Waits until run `number` has ended and the daemon rests; returns the run's status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.daemon is not None and self.daemon.poll() is not None:
                raise DemoError(f"the daemon ended with exit code {self.daemon.returncode}")
            runs = self.read("runs") or [{"id": 0, "status": "none"}]
            if runs[0]["id"] >= number and runs[0]["status"] != "running" and self._rests():
                return str(runs[0]["status"])
            time.sleep(0.5)
        raise DemoError(f"run {number} did not end within {seconds:.0f} seconds")

    def _rests(self) -> bool:
        return (self.read("status") or {}).get("state") == "idle"


def tell(demo: Demo) -> None:
    """The story: five builds, a question after each."""
    say("The first build compiles everything once, into a Go cache of its own (10 to 60 seconds).")
    demo.start()
    expect(demo.wait_for_run(1, 900), "ok", 1)
    demo.ask("files", "@")
    for number, chapter in enumerate(CHAPTERS, start=2):
        say(chapter.title)
        demo.edit(chapter.old, chapter.new)
        expect(demo.wait_for_run(number, 180), chapter.status, number)
        demo.ask(*chapter.question)


def expect(status: str, wanted: str, number: int) -> None:
    """The demo is a promise, too: a run that ends otherwise than told is an error."""
    if status != wanted:
        raise DemoError(f"run {number} is {status}, and not {wanted}")


def say(text: str) -> None:
    """One line of the story, set apart from what the program prints."""
    style = ("\033[1m", "\033[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    print(f"\n{style[0]}── {text}{style[1]}", flush=True)


def watch(project: Path) -> NoReturn:
    """Becomes the daemon on a project of the user's."""
    os.execv(PROGRAM, [PROGRAM, "-C", str(project), "watch"])  # noqa: S606


def interrupt(_number: int, _frame: object) -> NoReturn:
    """However the demo is ended, the daemon is ended as well."""
    raise KeyboardInterrupt


def main() -> int:
    """Tells the story; 0 when it went as told, 1 when not, 130 when interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="only watch this project, until Ctrl-C")
    project = parser.parse_args().project
    if project is not None:
        watch(project)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    folder = Path(tempfile.mkdtemp(prefix="orchwatchd-demo-"))
    demo = Demo(folder)
    try:
        tell(demo)
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        return 130
    except DemoError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    finally:
        demo.stop()
        epilogue(demo, folder)
    return 0


def epilogue(demo: Demo, folder: Path) -> None:
    """Where everything lies, and what to type next."""
    command = shlex.join(["orchwatchd", "--state", str(demo.state), "-C", str(demo.project)])
    say("The daemon has ended. The history is still there:")
    print(demo.state)
    if not (demo.state / "history.db").exists():
        return
    print()
    print("Ask it more, with the program of this checkout:")
    print(f"  export PATH={shlex.quote(str(ROOT / '.venv/bin'))}:$PATH")
    print(f"  alias o={shlex.quote(command)}")
    print(
        "  o runs; o why example.com/greeter/greet; o integrations; o show 1 --slowest; o stages 1; o imports"
    )
    print("Watch a project of your own:  make demo PROJECT=~/src/service")
    print(f"Remove all of this, {megabytes(folder)} MB:  rm -rf {shlex.quote(str(folder))}")


def megabytes(folder: Path) -> int:
    """What a folder takes on the disk."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) * 512 // 1000**2


if __name__ == "__main__":
    sys.exit(main())
