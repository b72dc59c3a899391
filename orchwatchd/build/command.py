"""The command of a build, decided in full before anything runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchwatchd.build.arguments import GoArguments, parse_arguments, refusals, take_apart
from orchwatchd.build.environment import plan_environment
from orchwatchd.build.temp import temp_of
from orchwatchd.config.model import Build
from orchwatchd.errors import ConfigurationError
from orchwatchd.models.build import BuildCommand, LogSetting, Toolchain
from orchwatchd.project import Project


def plan_command(
    project: Project,
    toolchain: Toolchain,
    build: Build,
    log: LogSetting,
    *,
    env: Mapping[str, str],
    work_parent: Path,
    graph: Path,
    cache: Path | None,
    arguments: Sequence[str] = (),
) -> BuildCommand:
    """The build that `[build]` asks for, or, with `arguments` (`test ./...`), the one that these ask for instead.

    `work_parent` is the run's own folder for the work tree, `graph` the file for the action graph, `cache` the
    private build cache or None for the developer's. Pure. Raises UsageError for arguments and ConfigurationError
    for settings that cannot be recorded.
    """
    asked = parse_arguments(arguments) if arguments else _configured(build)
    folder = build_folder(project)
    packages = [asked.arguments[index] for index in asked.packages]
    rebased = [_rebased(package, project, folder) for package in packages]
    whole = _whole_workspace(project, folder)
    if whole and packages == ["./..."]:
        # `go build ./...` beside a go.work without a module of its own finds nothing (golang/go#50745).
        place = asked.packages[0]
        rest = (*asked.arguments[:place], *whole, *asked.arguments[place + 1 :])
        rebased = list(whole)
    else:
        rest = asked.with_packages(rebased)
    temp = temp_of(work_parent)
    ours = ["-work", f"-debug-actiongraph={graph}", *_output(asked)]
    return BuildCommand(
        argv=(str(toolchain.orchestrion), "go", asked.kind, *ours, *rest),
        folder=folder,
        env=plan_environment(env, build.env, toolchain, log, work_parent=work_parent, temp=temp, cache=cache),
        kind=asked.kind,
        packages=tuple(rebased),
        work_parent=work_parent,
        temp=temp,
        graph=graph,
        mark=mark_of(temp),
        log=log,
        notes=(*toolchain.notes, *log.notes),
    )


def mark_of(temp: Path) -> str:
    """What stands in the environment of all processes of a build; child builds have a `GOTMPDIR` of their own."""
    return f"TMPDIR={temp}"


def build_folder(project: Project) -> Path:
    """Where builds run: the project's folder, or in a workspace without a module of its own the main module's.

    Orchestrion reads its configuration from beside the `go.mod` around the folder where it runs.
    """
    return project.root if project.root in project.modules else project.gomod.parent


def _configured(build: Build) -> GoArguments:
    flags = take_apart(build.command, build.flags)
    problems = [f"build.flags: {problem}" for problem in refusals(flags.flags)]
    problems += [f"build.flags: {flags.arguments[index]} is no flag" for index in flags.packages]
    if "o" in flags.names:
        problems.append(
            "build.flags: -o: a recorded build writes no program; use `orchwatchd build -- build -o …`"
        )
    if build.tags and "tags" in flags.names:
        problems.append("build.flags: -tags: use `tags` in [build]")
    if problems:
        raise ConfigurationError("\n".join(problems))
    tags = (f"-tags={','.join(build.tags)}",) if build.tags else ()
    return take_apart(build.command, (*tags, *build.flags, *build.packages))


def _output(asked: GoArguments) -> tuple[str, ...]:
    """`-o /dev/null` writes no program and always links (fact 26); where a person names an output, it is theirs to
    have.
    """
    makes_program = asked.kind == "build" or (asked.kind == "test" and "c" in asked.names)
    return ("-o", os.devnull) if makes_program and "o" not in asked.names else ()


def _whole_workspace(project: Project, folder: Path) -> tuple[str, ...]:
    if project.root in project.modules:
        return ()
    return tuple(_pattern(module, folder) for module in project.modules)


def _pattern(module: Path, folder: Path) -> str:
    relative = os.path.relpath(module, folder)
    return "./..." if relative == "." else f"{relative if relative.startswith('..') else './' + relative}/..."


def _rebased(package: str, project: Project, folder: Path) -> str:
    """A package path that is meant from the project's folder, as it is called from the build's."""
    if folder == project.root or not (package in {".", ".."} or package.startswith(("./", "../"))):
        return package
    relative = os.path.relpath(project.root / package, folder)
    return relative if relative.startswith("..") else f"./{relative}"
