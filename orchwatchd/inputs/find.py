"""Finds a build's inputs: what the Go command lists, what its command line names, and what Orchestrion reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from orchwatchd.errors import OrchwatchdError
from orchwatchd.inputs import golist
from orchwatchd.inputs.inputset import InputPackage, InputSet
from orchwatchd.models.watching import InputKind, Reason
from orchwatchd.process import run_short
from orchwatchd.project import Project

_CONFIGURATION = ("orchestrion.tool.go", "orchestrion.yml")
Explicit = dict[str, list[Reason]]


def find_inputs(
    project: Project,
    *,
    go: str | Path = "go",
    packages: Sequence[str] = ("./...",),
    tags: Sequence[str] = (),
    flags: Sequence[str] = (),
    tests: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    config_files: Iterable[Path] = (),
    programs: Iterable[Path] = (),
    private: Iterable[Path] = (),
    injected: Sequence[str] = (),
    extras: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    previous: InputSet | None = None,
    run: golist.Run = run_short,
) -> InputSet:
    """The inputs of `go build FLAGS PACKAGES` in the project, asked of the Go command without network or edits.

    `config_files` are Orchestrion's (existing or not), `programs` the binaries whose replacement counts, `private`
    folders and files that never count, `injected` import paths that woven code needs, `extras` what else decides over
    the build (it enters the digest). Never raises for a broken project: where the Go command cannot tell, `previous`
    (or all modules) is kept, widened to every Go file of every local module, and `problems` says why.
    """
    private = tuple(private)
    environment = golist.offline(os.environ if env is None else env)
    explicit = _explicit_files(project, flags, environment)
    for file in config_files:
        _add(explicit, os.path.abspath(file), InputKind.CONFIGURATION)  # noqa: PTH100
    for program in programs:
        for path in {os.path.abspath(program), os.path.realpath(program)}:  # noqa: PTH100
            _add(explicit, path, InputKind.PROGRAM, detail="a build with another version may differ")
    modules = tuple(str(module) for module in project.modules)
    base = InputSet(
        root=str(project.root),
        modules=modules,
        own_modules=modules,
        private=_private_paths(private),
        include=tuple(include),
        exclude=(*exclude, *_private_patterns(project, private)),
        tests=tests,
    )
    given = {
        **(extras or {}),
        "packages": " ".join(packages),
        "flags": " ".join(flags),
        "tags": ",".join(tags),
        "tests": str(tests),
    }
    try:
        variables = golist.ask_environment(go, cwd=project.root, env=environment, run=run)
        listing = golist.list_packages(
            go,
            cwd=project.root,
            env=environment,
            run=run,
            flags=golist.selecting_flags(flags, tags),
            packages=packages,
            injected=injected,
            tests=tests,
            immutable=(variables["GOMODCACHE"], variables["GOROOT"]),
        )
    except OrchwatchdError as error:
        return _kept(base, previous, explicit, given, error.message)
    variables.pop("GOMODCACHE")
    if (settings := variables.pop("GOENV")) not in {"", "off"}:
        _add(explicit, settings, InputKind.FLAG, detail="go env -w")
    return _found(
        base,
        listing,
        patterns=packages,
        explicit=explicit,
        extras={**given, **variables},
        previous=previous,
    )


def _found(
    base: InputSet,
    listing: golist.Listing,
    *,
    patterns: Sequence[str],
    explicit: Explicit,
    extras: Mapping[str, str],
    previous: InputSet | None,
) -> InputSet:
    for module in listing.modules:
        _add(explicit, module.gomod, InputKind.MODULE, detail=f"go.mod of {module.path}")
        if module.own:
            _add(explicit, f"{module.directory}/go.sum", InputKind.MODULE, detail=f"go.sum of {module.path}")
    modules = {**dict.fromkeys(base.modules), **{module.directory: None for module in listing.modules}}
    own = {*base.own_modules, *(module.directory for module in listing.modules if module.own)}
    found = replace(
        base,
        packages=listing.packages,
        bases=plan_bases(
            patterns,
            base.root,
            {module.path: module.directory for module in listing.modules if module.own},
            tuple(sorted(own)),
        ),
        modules=tuple(sorted(modules)),
        own_modules=tuple(sorted(own)),
        explicit=_frozen(explicit),
        extras=dict(extras),
    )
    if not listing.problems:
        return found
    # A package that does not load hides what it imports: what was known before still counts.
    known = {package.directory: package for package in previous.packages} if previous else {}
    known.update({package.directory: _with_older_embeds(package, known) for package in listing.packages})
    merged = replace(
        found,
        packages=tuple(known[directory] for directory in sorted(known)),
        modules=tuple(sorted({*found.modules, *(previous.modules if previous else ())})),
    )
    return replace(merged.widened(listing.problems[0]), problems=listing.problems)


def _with_older_embeds(package: InputPackage, known: Mapping[str, InputPackage]) -> InputPackage:
    older = known.get(package.directory)
    return replace(package, embeds=tuple(sorted({*package.embeds, *older.embeds}))) if older else package


def _kept(
    base: InputSet,
    previous: InputSet | None,
    explicit: Explicit,
    extras: Mapping[str, str],
    problem: str,
) -> InputSet:
    """The set where the Go command gave nothing: the previous one, or every Go file of the known modules."""
    if previous is None:
        for module in base.modules:
            _add(explicit, f"{module}/go.mod", InputKind.MODULE)
            _add(explicit, f"{module}/go.sum", InputKind.MODULE)
        return replace(base, explicit=_frozen(explicit), extras=dict(extras)).widened(problem)
    return replace(
        base,
        packages=previous.packages,
        bases=previous.bases,
        modules=tuple(sorted({*base.modules, *previous.modules})),
        explicit={**previous.explicit, **_frozen(explicit)},
        extras={**previous.extras, **extras},
    ).widened(problem)


def plan_bases(
    patterns: Sequence[str], root: str, module_paths: Mapping[str, str], own: Sequence[str]
) -> tuple[str, ...]:
    """The folders below which patterns with `...` (and `all`, `work`) take every package."""
    bases: set[str] = set()
    for pattern in patterns:
        if pattern in {"all", "work"}:
            bases.update(own)
            continue
        prefix, dots, _ = pattern.partition("...")
        if not dots:
            continue
        static = prefix.rpartition("/")[0]
        if static.startswith(("./", "../", "/")) or static in {".", ".."}:
            bases.add(os.path.normpath(os.path.join(root, static)))  # noqa: PTH118
            continue
        for path, directory in module_paths.items():
            if static == path or static.startswith(path + "/"):
                bases.add(os.path.normpath(directory + static[len(path) :]))
            elif path.startswith(prefix):
                bases.add(directory)
    return tuple(sorted(bases))


def _explicit_files(project: Project, flags: Sequence[str], env: Mapping[str, str]) -> Explicit:
    """The files that the build reads by name, whatever its packages are; some of them need not exist."""
    explicit: Explicit = {}
    root = str(project.root)
    for module in project.modules:
        _add(explicit, f"{module}/go.mod", InputKind.MODULE)
        _add(explicit, f"{module}/go.sum", InputKind.MODULE)
    if env.get("GOWORK") != "off":
        # Its appearance beside go.mod would change the build, too.
        gowork = str(project.gowork or f"{root}/go.work")
        _add(explicit, gowork, InputKind.WORKSPACE)
        _add(explicit, f"{gowork}.sum", InputKind.WORKSPACE)
    _add(explicit, f"{root}/vendor/modules.txt", InputKind.VENDOR)
    gomod = str(project.gomod.parent)
    for folder in (root, gomod):
        for name in _CONFIGURATION:
            _add(explicit, f"{folder}/{name}", InputKind.CONFIGURATION)
    for name in ("modfile", "overlay", "pgo"):
        if (value := golist.flag_value(flags, name)) and value not in {"auto", "off"}:
            _flag_file(explicit, name, os.path.normpath(os.path.join(root, value)))  # noqa: PTH118
    return explicit


def _flag_file(explicit: Explicit, flag: str, path: str) -> None:
    _add(explicit, path, InputKind.FLAG, detail=f"-{flag}")
    if flag == "modfile":
        _add(explicit, re.sub(r"\.mod$", ".sum", path), InputKind.FLAG, detail="-modfile")
    if flag == "overlay":
        try:
            replaced = json.loads(Path(path).read_bytes())["Replace"]
            for target in filter(None, replaced.values()):
                _add(explicit, os.path.abspath(target), InputKind.FLAG, detail="-overlay")  # noqa: PTH100
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return  # the build will say what is wrong with it


def _private_paths(private: Iterable[Path]) -> tuple[str, ...]:
    plain = [path for path in private if "$" not in str(path)]
    given = {os.path.abspath(path) for path in plain}  # noqa: PTH100
    return tuple(sorted(given | {os.path.realpath(path) for path in plain}))


def _private_patterns(project: Project, private: Iterable[Path]) -> Iterable[str]:
    """Patterns for log files with `$PID` in their names."""
    for path in private:
        if "$" in str(path):
            relative = os.path.relpath(path, project.root)
            yield "/" + re.sub(r"\$\{?PID\}?", "*", relative)


def _add(explicit: Explicit, path: str, kind: InputKind, *, detail: str = "") -> None:
    reasons = explicit.setdefault(path, [])
    if not any(reason.kind == kind for reason in reasons):
        reasons.append(Reason(kind, (), detail))


def _frozen(explicit: Explicit) -> dict[str, tuple[Reason, ...]]:
    return {path: tuple(reasons) for path, reasons in sorted(explicit.items())}
