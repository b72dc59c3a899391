"""Which Go and which Orchestrion build this project, and whether they fit it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchwatchd.build.gomod import (
    ORCHESTRION,
    PIN_HINT,
    TOOL_FILE,
    check_pin,
    read_gomod,
    required_orchestrion,
)
from orchwatchd.config.model import Build
from orchwatchd.errors import UnfitError
from orchwatchd.models.build import GoModule, Toolchain
from orchwatchd.process import ProgramMissingError, run_short
from orchwatchd.project import Project

_OFF_LEVELS = ("DISABLED", "OFF", "NONE")


@dataclass(frozen=True, slots=True)
class _Go:
    program: Path
    version: str
    env: Mapping[str, str]


def find_toolchain(project: Project, build: Build, env: Mapping[str, str] | None = None) -> Toolchain:
    """Finds Go (configured, else on the PATH) and Orchestrion (configured, else the project's `go tool`, else on
    the PATH).

    Checks both against the project, so that Orchestrion neither refuses nor pins itself later. Takes about 0.3 s;
    changes no file of the project. Raises UnfitError with the next step.
    """
    base = {**(os.environ if env is None else env), **build.env}
    go = _find_go(project, build, base)
    modules = tuple(read_gomod(go.program, folder / "go.mod", go.env) for folder in project.modules)
    main = next(module for module in modules if module.file == project.gomod)
    for module in modules:
        _check_go(go.version, module)
    check_pin(main, modules)
    program, origin = _find_orchestrion(project, build, go, modules)
    version = _version_of(program, go.env)
    verified, notes = _check_version(project, go, program, version)
    return Toolchain(
        go.program, go.version, program, version, origin, verified, _disabled_level(program, go.env), notes
    )


def with_go_first(env: Mapping[str, str], go: Path) -> dict[str, str]:
    """`env` with the folder of `go` first on the PATH: Orchestrion takes the first `go` that it finds there."""
    return {**env, "PATH": os.pathsep.join(filter(None, (str(go.parent), env.get("PATH", ""))))}


def _find_go(project: Project, build: Build, env: Mapping[str, str]) -> _Go:
    if build.go:
        program = _program(build.go, project.root)
        if program is None:
            raise UnfitError(f"build.go: {build.go} is no program", hint="correct or remove `go` in [build]")
        if program.stem != "go":
            raise UnfitError(
                f"build.go: {program} is not named go, and Orchestrion looks for `go` on the PATH",
                hint="give the `go` in the bin folder of that Go installation",
            )
    else:
        found = shutil.which("go", path=env.get("PATH", ""))
        if found is None:
            raise UnfitError(
                "Go is not on the PATH", hint="install Go (https://go.dev/dl), or set `go` in [build]"
            )
        program = Path(found)
    whole = with_go_first(env, program)
    done = run_short([program, "env", "-json", "GOVERSION"], cwd=project.gomod.parent, env=whole, timeout=300)
    if done.returncode != 0:
        raise UnfitError(
            f"Go does not work here: {done.stderr.strip().removeprefix('go: ')}", hint=_go_hint(done.stderr)
        )
    return _Go(program, str(json.loads(done.stdout)["GOVERSION"]), whole)


def _go_hint(stderr: str) -> str:
    if "requires go >=" in stderr:
        return "install that Go, or let GOTOOLCHAIN=auto download it"
    return "see `go env` in the project's folder"


def _check_go(version: str, module: GoModule) -> None:
    if module.go and go_order(version) < go_order(module.go):
        raise UnfitError(
            f"{module.file} needs Go {module.go}, but this is {version}",
            hint="install that Go, or let GOTOOLCHAIN=auto download it",
        )


def go_order(version: str) -> tuple[int, ...]:
    """A key that orders Go versions: `go1.26.8`, `1.26`, `go1.27rc1` (before 1.27.0), `go1.26.1-X:custom`."""
    found = re.match(r"(?:go)?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(beta|rc)(\d+))?", version)
    if found is None:
        return (1 << 30,)  # a development version (`devel go1.28-…`) is as new as can be
    major, minor, patch, kind, number = found.groups()
    stage = {"beta": -2, "rc": -1, None: 0}[kind]
    return (int(major), int(minor or 0), stage, int(number or 0), int(patch or 0))


def _find_orchestrion(
    project: Project, build: Build, go: _Go, modules: tuple[GoModule, ...]
) -> tuple[Path, str]:
    if build.orchestrion:
        program = _program(build.orchestrion, project.root)
        if program is None:
            raise UnfitError(
                f"build.orchestrion: {build.orchestrion} is no program",
                hint="correct or remove `orchestrion` in [build]",
            )
        return program, "configuration"
    if any(ORCHESTRION in module.tools for module in modules):
        return _go_tool(project, go), "go tool"
    found = shutil.which("orchestrion", path=go.env.get("PATH", ""))
    if found is None:
        wanted, _ = required_orchestrion(go.program, project.gomod.parent, go.env)
        raise UnfitError("Orchestrion is not on the PATH", hint=install_hint(wanted))
    return Path(found), "PATH"


def _go_tool(project: Project, go: _Go) -> Path:
    """The program of the module's `tool` directive; the Go command builds it into its cache if need be."""
    done = run_short(
        [go.program, "tool", "-n", ORCHESTRION], cwd=project.gomod.parent, env=go.env, timeout=1800
    )
    path = Path(done.stdout.strip())
    if done.returncode != 0 or not path.is_file():
        raise UnfitError(
            f"`go tool orchestrion` does not work: {done.stderr.strip().removeprefix('go: ')}",
            hint="run `go tool orchestrion version` in the project",
        )
    return path


def _version_of(program: Path, env: Mapping[str, str]) -> str:
    try:
        # Without the logging variables: a level that this version refuses must not look like a broken program.
        quiet = {name: value for name, value in env.items() if not name.startswith("ORCHESTRION_")}
        done = run_short([program, "version"], env=quiet, timeout=60)
    except ProgramMissingError as error:
        raise UnfitError(f"{program}: {error.message}", hint="install it anew") from error
    found = re.fullmatch(r"orchestrion (v\S+)", done.stdout.strip())
    if done.returncode != 0 or found is None:
        shown = (done.stderr or done.stdout).strip()[:200] or f"exit code {done.returncode}"
        raise UnfitError(f"{program} is no Orchestrion that works: {shown}", hint="install it anew")
    return found[1]


def _check_version(project: Project, go: _Go, program: Path, version: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the version is what the project requires, by Orchestrion's own rule, and what is to be said of it."""
    folder = project.gomod.parent
    wanted, replaced_by = required_orchestrion(go.program, folder, go.env)
    if version.endswith("+dev"):
        if not (
            folder / TOOL_FILE
        ).is_file():  # a development build looks for nothing else before it pins itself
            raise UnfitError(f"{folder} has no {TOOL_FILE}", hint=PIN_HINT)
        return False, (f"Orchestrion {version} is a development build: its version is not checked",)
    if replaced_by is not None:
        return False, (
            f"go.mod replaces Orchestrion by {replaced_by}: Orchestrion itself checks that it fits",
        )
    if wanted != version:
        raise UnfitError(
            f"go.mod requires Orchestrion {wanted}, but {program} is {version}", hint=install_hint(wanted)
        )
    return True, ()


def install_hint(version: str | None) -> str:
    """The command that installs the Orchestrion that the project requires."""
    if version is None:
        return f"run `go install {ORCHESTRION}` in the project (go.mod replaces it)"
    return f"run `go install {ORCHESTRION}@{version}`"


def _disabled_level(program: Path, env: Mapping[str, str]) -> str:
    """The word by which this Orchestrion's log is turned off: v1.15.0 refuses `NONE` and `OFF` (fact 19)."""
    for word in _OFF_LEVELS:
        probe = {**env, "ORCHESTRION_LOG_LEVEL": word}
        probe.pop("ORCHESTRION_LOG_FILE", None)
        if run_short([program, "version"], env=probe, timeout=60).returncode == 0:
            return word
    return ""


def _program(name: str, root: Path) -> Path | None:
    """A configured program: a path (relative to the project, `~` allowed) or a name on the PATH."""
    path = Path(name).expanduser()
    found = shutil.which(path if path.is_absolute() or len(path.parts) == 1 else root / path)
    return Path(found) if found else None
