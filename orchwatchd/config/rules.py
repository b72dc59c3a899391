"""What must hold between keys, and for values that only Orchestrion or the Go command understand; pure but for a look
at the log file's folder.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from orchwatchd.config.model import Build, Config, Keep, Watch

# What log.file says instead of a path for no file at all.
STDERR = "stderr"
# Flags that orchwatchd sets itself, or that would break the recording, each with the way that is open.
_FLAGS = {
    "toolexec": "Orchestrion sets it; a second one would switch weaving off",
    "log-file": "set log.file instead",
    "log-level": "set log.level instead",
    "debug-actiongraph": "orchwatchd sets it to know the packages of the build",
    "work": "orchwatchd sets it",
    "o": "orchwatchd discards the programs (-o /dev/null)",
    "n": "it prints the commands and builds nothing",
    "C": "start orchwatchd with -C instead",
    "tags": "set build.tags instead",
}
_VARIABLES = {
    "GOTMPDIR": "orchwatchd gives each run a folder of its own",
    "TMPDIR": "orchwatchd gives each run a folder of its own",
    "ORCHESTRION_JOBSERVER_URL": "each build has a job server of its own",
    "ORCHESTRION_LOG_FILE": "set log.file instead",
    "ORCHESTRION_LOG_LEVEL": "set log.level instead",
}
_OF_THE_CACHE = ("GOCACHE", "GOCACHEPROG")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[^}]*)\}|(?P<bare>\w+))?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(config: Config) -> Iterator[tuple[str, str]]:
    """Every (dotted key, reason) that no single type can refuse."""
    yield from _check_build(config.build)
    yield from ((f"log.file{where}", why) for where, why in log_file_problems(config.log.file))
    if "log.file" in config.given and config.log.file not in {"", STDERR}:
        yield from (("log.file", why) for why in _unsafe(Path(config.log.file)))
    yield from _check_watch(config.watch)
    yield from _check_keep(config.keep)
    if config.logs.level in {"NONE", "OFF", "DISABLED"}:
        yield "logs.level", "wants ERROR, WARN, INFO, DEBUG or TRACE; set logs.keep_runs = 0 to index nothing"


def warnings(config: Config) -> tuple[str, ...]:
    """What is allowed and still better known; one sentence each."""
    found = []
    if _VARIABLE.search(config.log.file):
        found.append(
            f"log.file: {config.log.file}: $PID gives each process a file of its own; a large project makes"
            " hundreds of files a build (rotate.merge_pid joins them)"
        )
    if config.log.level in {"DEBUG", "TRACE"}:
        found.append(
            f"log.level: {config.log.level} slows builds down and writes several megabytes a cold build"
        )
    if config.build.cache == "shared":
        found.append(
            'build.cache: "shared": what your own builds compile is not seen, so runs may hold unknown packages'
            " (`orchwatchd baseline` fills them in)"
        )
    if config.baseline.when == "idle" and config.build.cache == "private":
        found.append('baseline.when: "idle" has no effect with build.cache = "private"')
    return tuple(found)


def log_file_problems(file: str) -> Iterator[tuple[str, str]]:
    """Reasons to refuse the text of a log file's path; the first of each pair is always empty."""
    if "\n" in file or "\0" in file:
        yield "", "a path with a line break or a NUL is refused"
    for found in _VARIABLE.finditer(file):
        if (found["braced"] or found["bare"]) != "PID":
            yield "", f'"{found[0]}" is refused: only $PID and ${{PID}} are replaced by Orchestrion'


def _check_build(build: Build) -> Iterator[tuple[str, str]]:
    if not build.packages:
        yield "build.packages", 'is empty; the default is ["./..."]'
    for word in build.packages:
        if not word or word.startswith("-"):
            yield "build.packages", f'"{word}" is no package; flags belong to build.flags'
    for tag in build.tags:
        if not tag or re.search(r"[\s,]", tag):
            yield "build.tags", f'"{tag}" is no build tag; give one a text'
    if build.flags and not build.flags[0].startswith("-"):
        yield "build.flags", f'"{build.flags[0]}" is no flag; packages belong to build.packages'
    for word in build.flags:
        name = word.lstrip("-").partition("=")[0] if word.startswith("-") else ""
        if name in _FLAGS:
            yield "build.flags", f'"{word}" is refused: {_FLAGS[name]}'
    for name, value in build.env.items():
        if not _NAME.fullmatch(name) or "\0" in value:
            yield "build.env", f'"{name}" is no name or value of an environment variable'
        elif name in _VARIABLES:
            yield f"build.env.{name}", f"is refused: {_VARIABLES[name]}"
        elif name in _OF_THE_CACHE and build.cache == "private":
            yield f"build.env.{name}", 'is refused: set build.cache = "shared" to use a cache of your own'
        elif name == "GOFLAGS" and "-toolexec" in value:
            yield "build.env.GOFLAGS", f'"-toolexec" is refused: {_FLAGS["toolexec"]}'


def _check_watch(watch: Watch) -> Iterator[tuple[str, str]]:
    if watch.longest_wait < watch.rest:
        yield "watch.longest_wait", "is shorter than watch.rest"
    for name in ("include", "exclude"):
        for pattern in getattr(watch, name):
            if not pattern.strip() or "\n" in pattern:
                yield f"watch.{name}", f'"{pattern}" is no pattern'


def _check_keep(keep: Keep) -> Iterator[tuple[str, str]]:
    for name in ("trees", "thin", "history"):
        policy = getattr(keep, name)
        if not (policy.keep_last or policy.keep_failed or policy.keep_daily or policy.keep_within):
            yield f"keep.{name}", "keeps nothing: set one of keep_last, keep_failed, keep_daily, keep_within"


def _unsafe(file: Path) -> Iterator[str]:
    """Why a configured log file could not be rotated safely: others could swap it under our hands."""
    for path in (file.parent, file):
        try:
            found = path.stat(follow_symlinks=False) if path == file else path.stat()
        except OSError:
            continue
        if path == file and not stat.S_ISREG(found.st_mode):
            yield f"{path} is no plain file, so it cannot be rotated"
        elif found.st_uid != os.getuid():
            yield f"{path} belongs to another user, so it cannot be rotated safely"
        elif found.st_mode & 0o022:
            yield f"{path} is writable by others, so it cannot be rotated safely: chmod go-w {path}"
