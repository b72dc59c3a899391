"""Asks the Go command, offline, which local packages a build is made of."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchwatchd.errors import UnfitError
from orchwatchd.inputs.inputset import InputPackage
from orchwatchd.process import Finished

Run = Callable[..., Finished]

_FIELDS = (
    "Dir,ImportPath,Name,Standard,Module,ForTest,IgnoredGoFiles,IgnoredOtherFiles,EmbedPatterns,TestEmbedPatterns,"
    "XTestEmbedPatterns,Error"
)
# The flags of a build that decide which files belong to it; others would only slow the question down.
_SELECTING = frozenset(
    {"mod", "modfile", "overlay", "race", "msan", "asan", "compiler", "installsuffix", "pgo", "tags"}
)
_BOOLEAN = frozenset({"race", "msan", "asan"})
_VARIABLES = (
    "AR",
    "CC",
    "CGO_CFLAGS",
    "CGO_CPPFLAGS",
    "CGO_CXXFLAGS",
    "CGO_ENABLED",
    "CGO_FFLAGS",
    "CGO_LDFLAGS",
    "CXX",
    "FC",
    "GCCGO",
    "GO386",
    "GOAMD64",
    "GOARCH",
    "GOARM",
    "GOARM64",
    "GOEXPERIMENT",
    "GOFIPS140",
    "GOFLAGS",
    "GOMIPS",
    "GOMIPS64",
    "GOOS",
    "GOPPC64",
    "GORISCV64",
    "GOROOT",
    "GOVERSION",
    "GOWASM",
    "PKG_CONFIG",
)


class GoListError(UnfitError):
    """The Go command could not say which packages belong to the build."""


@dataclass(frozen=True, slots=True)
class LocalModule:
    """A module whose files lie on this machine and can change: the main one, a workspace's, a replaced one."""

    path: str
    directory: str
    gomod: str
    own: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What the Go command said. `problems` are its complaints about single packages."""

    packages: tuple[InputPackage, ...]
    modules: tuple[LocalModule, ...]
    problems: tuple[str, ...]


def ask_environment(go: str | Path, *, cwd: Path, env: Mapping[str, str], run: Run) -> dict[str, str]:
    """What `go env` says of all that decides over a build, with GOENV and GOMODCACHE. Raises GoListError."""
    done = run([go, "env", "-json", "GOENV", "GOMODCACHE", *_VARIABLES], cwd=cwd, env=env)
    if done.returncode != 0:
        raise GoListError(f"`go env` failed: {_first_line(done.stderr)}")
    return {name: str(value) for name, value in json.loads(done.stdout).items()}


def list_packages(
    go: str | Path,
    *,
    cwd: Path,
    env: Mapping[str, str],
    run: Run,
    flags: Sequence[str],
    packages: Sequence[str],
    injected: Sequence[str],
    tests: bool,
    immutable: Sequence[str],
) -> Listing:
    """Lists the local packages among all dependencies; `immutable` are folders whose packages are not local.

    Raises GoListError where the Go command gives no list at all (a broken go.mod).
    """
    test = ["-test"] if tests else []
    argv = [go, "list", "-e", "-deps", "-buildvcs=false", *test, *flags, f"-json={_FIELDS}", "--"]
    done = run([*argv, *packages, *injected], cwd=cwd, env=env)
    if done.returncode != 0:
        raise GoListError(f"`go list` failed: {_first_line(done.stderr)}")
    folders = tuple(os.path.join(folder, "") for folder in immutable if folder)  # noqa: PTH118
    found: dict[str, InputPackage] = {}
    modules: dict[str, LocalModule] = {}
    problems = []
    for entry in _entries(done.stdout):
        if entry.get("Error") and entry["ImportPath"] not in injected:
            problems.append(_problem(entry))
        directory = entry.get("Dir", "")
        if entry.get("Standard") or not directory or directory.startswith(folders):
            continue
        package = _package(entry, tests=tests)
        known = found.get(directory)
        found[directory] = package if known is None else _merged(known, package)
        if module := _module(entry.get("Module") or {}):
            modules.setdefault(module.directory, module)
    return Listing(
        tuple(found[directory] for directory in sorted(found)),
        tuple(modules[directory] for directory in sorted(modules)),
        tuple(dict.fromkeys(problems)),
    )


def selecting_flags(flags: Sequence[str], tags: Sequence[str]) -> list[str]:
    """The flags for `go list` among those of a build. `-mod=mod` is left out: it may edit the user's go.mod."""
    taken = []
    words = iter(flags)
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if name not in _SELECTING:
            continue
        if not equals and name not in _BOOLEAN:
            value, equals = next(words, ""), "="
        if (name, value) != ("mod", "mod"):
            taken.append(f"-{name}{equals}{value}")
    return [*taken, f"-tags={','.join(tags)}"] if tags else taken


def flag_value(flags: Sequence[str], name: str) -> str | None:
    """The value of a flag, given as `-name=value` or `-name value`; None where it is not given."""
    for index, word in enumerate(flags):
        if re.fullmatch(rf"--?{name}", word) and index + 1 < len(flags):
            return flags[index + 1]
        if match := re.fullmatch(rf"--?{name}=(.*)", word, re.DOTALL):
            return match[1]
    return None


def offline(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for questions: no downloads, no locks taken in Git, nothing of the user's files edited."""
    flags = [word for word in env.get("GOFLAGS", "").split() if word.lstrip("-") != "mod=mod"]
    return {**env, "GOPROXY": "off", "GIT_OPTIONAL_LOCKS": "0", "GOFLAGS": " ".join(flags)}


def _entries(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    index = 0
    while (index := text.find("{", index)) >= 0:
        entry, index = decoder.raw_decode(text, index)
        yield entry


def _package(entry: dict[str, Any], *, tests: bool) -> InputPackage:
    patterns = list(entry.get("EmbedPatterns") or ())
    if tests:
        patterns += [*(entry.get("TestEmbedPatterns") or ()), *(entry.get("XTestEmbedPatterns") or ())]
    ignored = [*(entry.get("IgnoredGoFiles") or ()), *(entry.get("IgnoredOtherFiles") or ())]
    path = entry["ImportPath"].partition(" [")[0]
    return InputPackage(
        path,
        entry["Dir"],
        main=entry.get("Name") == "main" and not path.endswith(".test"),
        embeds=tuple(sorted(set(patterns))),
        ignored=tuple(ignored),
    )


def _merged(one: InputPackage, other: InputPackage) -> InputPackage:
    """Two entries of one folder: a package and its variants for tests."""
    return InputPackage(
        min(one.path, other.path, key=len),
        one.directory,
        main=one.main or other.main,
        embeds=tuple(sorted({*one.embeds, *other.embeds})),
        ignored=one.ignored or other.ignored,
    )


def _module(module: dict[str, Any]) -> LocalModule | None:
    directory = module.get("Dir")
    if not directory:
        return None
    replaced = module.get("Replace") or {}
    if not module.get("Main") and (not replaced or replaced.get("Version")):
        return None
    return LocalModule(
        module["Path"], directory, module.get("GoMod") or f"{directory}/go.mod", bool(module.get("Main"))
    )


def _problem(entry: dict[str, Any]) -> str:
    error = entry["Error"]
    position = f"{error['Pos']}: " if error.get("Pos") else ""
    return f"{position}{_first_line(error.get('Err', ''))}"


def _first_line(text: str) -> str:
    """The part of the Go command's complaint that says what is wrong."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        return f"{lines[0]} {lines[1]}"
    return lines[0] if lines else "no reason given"
