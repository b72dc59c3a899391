"""Reading `go.mod` through the Go command, and what it must say before Orchestrion may run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from orchwatchd.errors import UnfitError
from orchwatchd.models.build import GoModule
from orchwatchd.process import run_short

ORCHESTRION = "github.com/DataDog/orchestrion"
TOOL_FILE = "orchestrion.tool.go"
PIN_HINT = "run `orchestrion pin` in the project, and look at what it changes"
_PROBLEM = re.compile(
    r"^(?:go: )?(?P<file>\S*go\.(?:mod|work)):(?P<line>\d+)(?::\d+)?: (?P<text>.+)$", re.MULTILINE
)


def read_gomod(go: Path, file: Path, env: Mapping[str, str]) -> GoModule:
    """What `file` says. Raises UnfitError that names file, line and reason of every problem, if the Go command
    refuses it.
    """
    done = run_short([go, "mod", "edit", "-json", str(file)], cwd=file.parent, env={**env, "GOFLAGS": ""})
    if done.returncode != 0:
        raise _broken(file, done.stderr)
    data = json.loads(done.stdout)
    return GoModule(
        file=file,
        path=data.get("Module", {}).get("Path", ""),
        go=data.get("Go"),
        requires={row["Path"]: row["Version"] for row in data.get("Require") or ()},
        replaces={
            row["Old"]["Path"]: (row["New"]["Path"], row["New"].get("Version"))
            for row in data.get("Replace") or ()
        },
        tools=tuple(row["Path"] for row in data.get("Tool") or ()),
    )


def _broken(file: Path, stderr: str) -> UnfitError:
    problems = [f"{file}:{found['line']}: {found['text']}" for found in _PROBLEM.finditer(stderr)]
    if not problems:
        problems = [f"{file}: {stderr.strip().removeprefix('go: ')}"]
    return UnfitError("go.mod cannot be read: " + "; ".join(problems), hint="mend it, then try again")


def check_pin(module: GoModule, modules: tuple[GoModule, ...]) -> None:
    """Raises UnfitError unless Orchestrion is pinned: else it would pin itself and edit the user's files (fact 28).

    A requirement in any module of a workspace counts for all of them; the configuration is that beside `module`'s
    `go.mod`.
    """
    if not any(ORCHESTRION in each.requires or ORCHESTRION in each.replaces for each in modules):
        raise UnfitError(f"{module.file} does not require {ORCHESTRION}", hint=PIN_HINT)
    folder = module.file.parent
    if not any((folder / name).is_file() for name in (TOOL_FILE, "orchestrion.yml")):
        raise UnfitError(f"{folder} has no {TOOL_FILE}: nothing would be woven", hint=PIN_HINT)
    if not any(_counts_as_go(file) for file in folder.glob("*.go")):
        raise UnfitError(
            f"{folder} has orchestrion.yml and no {TOOL_FILE}, nor another Go file: Orchestrion refuses to build it",
            hint=PIN_HINT,
        )


def _counts_as_go(file: Path) -> bool:
    """Whether Orchestrion finds the folder's configuration by this file: build constraints do not matter to it."""
    return file.is_file() and not file.name.startswith(("_", ".")) and not file.name.endswith("_test.go")


def required_orchestrion(go: Path, folder: Path, env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The version of Orchestrion that the build list has, and the folder that replaces it, if one does (version
    None then).

    The very question that Orchestrion asks; it pins itself when the answer is an error, a missing line of `go.sum`
    included. Raises UnfitError with that error.
    """
    query: list[str | Path] = [go, "list", "-e", "-json=ImportPath,Module,Error", ORCHESTRION]
    done = run_short(query, cwd=folder, env=env, timeout=300)
    data = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else {}
    module = data.get("Module")
    if data.get("Error") or not module:
        reason = (data.get("Error") or {}).get("Err") or done.stderr or "the Go command does not say why"
        first, *rest = [line.strip() for line in reason.strip().splitlines()]
        step = next((f"run `{line}`" for line in rest if line.startswith("go ")), PIN_HINT)
        raise UnfitError(
            f"the Go command does not find {ORCHESTRION}: {first.removesuffix('; to add:')}", hint=step
        )
    replaced = module.get("Replace")
    if replaced and not replaced.get("Version"):
        return None, replaced.get("Dir") or replaced.get("Path")
    return (replaced or module).get("Version"), None
