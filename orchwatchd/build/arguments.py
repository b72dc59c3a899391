"""A Go command as a person gives it (`test -run X ./...`): where its flags and packages are, and what it must not
hold.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from orchwatchd.errors import UsageError

KINDS = ("build", "test", "install")

# Flags that take no value; any other takes the next argument unless it holds `=`.
_BARE = frozenset(
    [
        "a",
        "asan",
        "artifacts",
        "benchmem",
        "buildvcs",
        "c",
        "cover",
        "failfast",
        "fullpath",
        "i",
        "json",
        "linkshared",
        "modcacherw",
        "msan",
        "n",
        "race",
        "short",
        "trimpath",
        "v",
        "work",
        "x",
    ]
)
_OURS = {
    "toolexec": "Orchestrion sets -toolexec itself",
    "debug-actiongraph": "orchwatchd sets -debug-actiongraph itself, to know every package of the build",
    "log-file": "set `file` in [log] instead",
    "log-level": "set `level` in [log] instead",
    "C": "give the folder to orchwatchd instead: `orchwatchd -C DIR build`",
    "n": "it builds nothing, so there is nothing to record",
}


@dataclass(frozen=True, slots=True)
class GoArguments:
    """A Go command taken apart. `arguments` is everything after `kind` as it was given; `packages` are positions in
    it.

    `flags` are the flags without their values, `names` their bare names.
    """

    kind: str
    arguments: tuple[str, ...]
    packages: tuple[int, ...]
    flags: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of the flags, without dashes and values."""
        return frozenset(_name(flag) for flag in self.flags)

    def with_packages(self, packages: Sequence[str]) -> tuple[str, ...]:
        """The arguments with other packages at the same positions."""
        changed = dict(zip(self.packages, packages, strict=True))
        return tuple(changed.get(index, argument) for index, argument in enumerate(self.arguments))


def parse_arguments(arguments: Sequence[str]) -> GoArguments:
    """Takes a Go command apart as the Go command would. Raises UsageError for what cannot be recorded, with every
    reason.
    """
    if not arguments:
        raise UsageError("no Go command after --", hint="for example `orchwatchd build -- test ./...`")
    kind, *rest = arguments
    if kind in {"go", "orchestrion"}:
        raise UsageError(
            f"leave out `{kind}`: orchwatchd puts it there",
            hint="for example `orchwatchd build -- test ./...`",
        )
    if kind.startswith("-"):
        problems = refusals([kind])
        raise UsageError(
            problems[0] if problems else f"{kind} stands before the command",
            hint="the command comes first, for example `orchwatchd build -- build -race ./...`",
        )
    if kind not in KINDS:
        raise UsageError(
            f"`go {kind}` is no command that orchwatchd records",
            hint=f"it records {', '.join(KINDS)}{_meant(arguments)}",
        )
    parsed = take_apart(kind, rest)
    problems = refusals(parsed.flags)
    if problems:
        raise UsageError("\n".join(problems), hint="flags for the test program itself go after -args")
    return parsed


def _meant(arguments: Sequence[str]) -> str:
    """The command that someone may have meant who gave packages alone."""
    if not ("..." in arguments[0] or arguments[0].startswith(".") or "/" in arguments[0]):
        return ""
    packages = takewhile(lambda argument: not argument.startswith("-"), arguments)
    return f"; the command is given whole: `orchwatchd build -- build {shlex.join(packages)}`"


def refusals(flags: Sequence[str]) -> tuple[str, ...]:
    """Why flags cannot be given to a recorded build, a sentence each; none if they can."""
    problems = []
    for flag in flags:
        name, value = _name(flag), flag.partition("=")[2]
        if name in _OURS:
            problems.append(f"{flag}: {_OURS[name]}")
        elif name == "work" and value.lower() in {"false", "0", "f"}:
            problems.append(f"{flag}: without its work tree a build cannot be recorded")
    return tuple(problems)


def take_apart(kind: str, arguments: Sequence[str]) -> GoArguments:
    """Finds flags and packages; what follows `-args` belongs to the test program. Raises UsageError for a flag
    after a package.
    """
    flags: list[str] = []
    packages: list[int] = []
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument == "--" or (kind == "test" and argument in {"-args", "--args"}):
            if kind != "test":
                packages.extend(range(index + 1, len(arguments)))
            break
        if not argument.startswith("-") or argument == "-":
            packages.append(index)
        elif packages and kind != "test":
            # The Go command would take it for a package, and say something obscure.
            raise UsageError(f"{argument} stands after a package", hint="give flags before packages")
        else:
            flags.append(argument)
            if "=" not in argument and _name(argument) not in _BARE:
                index += 1
        index += 1
    return GoArguments(kind, tuple(arguments), tuple(packages), tuple(flags))


def _name(flag: str) -> str:
    """A flag's bare name; `-test.run` is `-run` to `go test`."""
    return flag.lstrip("-").partition("=")[0].removeprefix("test.")
