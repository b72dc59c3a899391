"""Why a package, or a whole run, was compiled: what of its inputs is not as it was in an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchwatchd.compare.causes import causes
from orchwatchd.models.comparison import NO_VERSION, Cause, CauseKind, RunFacts
from orchwatchd.models.why import CompiledCode, Pair, Reason, WhyCompiled

_LEAST = 5  # of fewer packages "all of them" says nothing about a key
# What goes into the action id of every package, or may.
_KEY_CAUSES = (
    CauseKind.ORCHESTRION,
    CauseKind.GO,
    CauseKind.TOOLEXEC,
    CauseKind.FLAGS,
    CauseKind.TAGS,
    CauseKind.INTEGRATION,
    CauseKind.ASPECT,
    CauseKind.ENVIRONMENT,
    CauseKind.MODULE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two runs tell: what was in force, the packages that both have, who imports whom (None: not recorded)."""

    before: RunFacts
    after: RunFacts
    pairs: Mapping[str, Pair]
    imports_before: Mapping[str, tuple[str, ...]] | None
    imports_after: Mapping[str, tuple[str, ...]] | None


def key_changed(pairs: Sequence[Pair]) -> bool | None:
    """Whether every package that both runs have got a new action id: then what all ids are made of changed. None for
    too few packages.
    """
    known = [pair for pair in pairs if None not in pair.actions]
    return all(pair.new_action for pair in known) if len(known) >= _LEAST else None


def key_reasons(evidence: Evidence) -> tuple[Reason, ...]:
    """What can have changed the key of every package, as far as the history tells."""
    found = [one for one in causes(evidence.before, evidence.after) if one.kind in _KEY_CAUSES]
    reasons = [Reason(CompiledCode.KEY, f"{one.kind.value}: {_told(one)}", (one.name,)) for one in found]
    for package in sorted(_injectable(evidence)):
        files = own_files(package, evidence.before, evidence.after)
        if files:
            edited = f"{package}, which injected code needs, was edited ({', '.join(files)})"
            text = f"{edited}: its files are part of the key"
            reasons.append(Reason(CompiledCode.KEY, text, files))
    return tuple(reasons)


def _injectable(evidence: Evidence) -> set[str]:
    """The packages that aspects in force can inject, and what these import in their turn: Orchestrion hashes the files
    of those that have no version.
    """
    open_packages = [
        path
        for facts in (evidence.before, evidence.after)
        if facts.configuration is not None
        for aspect in facts.configuration.aspects
        for advice in aspect.advice
        for path in (
            *(path for template in advice.templates for _, path in template.imports),
            *advice.links,
            *((advice.value,) if advice.kind == "add-blank-import" else ()),
        )
    ]
    found: set[str] = set()
    while open_packages:
        package = open_packages.pop()
        if package not in found:
            found.add(package)
            open_packages += (evidence.imports_after or {}).get(package, ())
    return found


def why_compiled(package: str, against: int, evidence: Evidence) -> WhyCompiled:
    """Why a package that was compiled had to be, against the run `against` that has it, too."""
    pair = evidence.pairs[package]
    if not pair.new_action:
        text = f"its inputs are those of #{against}: the Go cache no longer had its output"
        return WhyCompiled(True, against, (Reason(CompiledCode.SAME_INPUTS, text),))
    reasons = [*_own(package, evidence), *_module(package, evidence), *_dependencies(package, evidence)]
    if key_changed(list(evidence.pairs.values())):
        count = f"all {len(evidence.pairs)} packages that #{against} has, too,"
        text = f"the key of every package changed: {count} were to be compiled anew"
        reasons = [Reason(CompiledCode.KEY, text), *key_reasons(evidence), *reasons]
    if not reasons:
        text = "what of its inputs changed is not known"
        if evidence.imports_after is None:
            text += ": the run kept no graph of imports"
        reasons = [Reason(CompiledCode.UNKNOWN, text)]
    return WhyCompiled(True, against, tuple(reasons))


def own_files(package: str, before: RunFacts, after: RunFacts) -> tuple[str, ...]:
    """The project's files in the package's own folder that differ between two runs, test files left out."""
    folder = package_folder(package, after) or package_folder(package, before)
    if folder is None or before.manifest is None or after.manifest is None:
        return ()
    prefix = f"{folder}/" if folder else ""
    changed = {
        path
        for path in before.manifest.keys() | after.manifest.keys()
        if before.manifest.get(path) != after.manifest.get(path)
    }
    return tuple(
        sorted(
            path
            for path in changed
            if path.startswith(prefix)
            and "/" not in path[len(prefix) :]
            and path.endswith(".go")
            and (not path.endswith("_test.go") or after.kind == "test")
            and not path.endswith("orchestrion.tool.go")
        )
    )


def package_folder(package: str, facts: RunFacts) -> str | None:
    """The folder of a package of the project, from the project's folder; None for packages from elsewhere, and where
    several modules leave it open.
    """
    mains = [path for path, version in (facts.modules or {}).items() if version == NO_VERSION]
    fitting = [path for path in mains if package == path or package.startswith(path + "/")]
    if not fitting or facts.manifest is None:
        return None
    module = max(fitting, key=len)
    rest = package[len(module) :].lstrip("/")
    folders = [path.removesuffix("go.mod").rstrip("/") for path in facts.manifest if _is_gomod(path)]
    if len(mains) == 1 and "" in folders:
        return rest
    last = module.rpartition("/")[2]
    named = [folder for folder in folders if folder.rpartition("/")[2] == last]
    return f"{named[0]}/{rest}".strip("/") if len(named) == 1 else None


def _is_gomod(path: str) -> bool:
    return path == "go.mod" or (path.endswith("/go.mod") and not path.startswith("/"))


def _own(package: str, evidence: Evidence) -> list[Reason]:
    path = package.partition(" [")[0]
    files = own_files(path, evidence.before, evidence.after)
    return (
        [Reason(CompiledCode.OWN_FILES, f"its own files changed: {', '.join(files)}", files)] if files else []
    )


def _module(package: str, evidence: Evidence) -> list[Reason]:
    before, after = evidence.before.modules or {}, evidence.after.modules or {}
    fitting = [
        path for path in before.keys() & after.keys() if package == path or package.startswith(path + "/")
    ]
    module = max(fitting, key=len, default=None)
    if module is None or before[module] == after[module]:
        return []
    text = f"its module {module} went from {before[module]} to {after[module]}"
    return [Reason(CompiledCode.MODULE, text, (module,))]


def _dependencies(package: str, evidence: Evidence) -> list[Reason]:
    """Imports whose output is another one now, and imports that came or went."""
    if evidence.imports_after is None or package not in evidence.imports_after:
        return []
    now = evidence.imports_after[package]
    changed = tuple(one for one in now if (pair := evidence.pairs.get(one)) and pair.new_content)
    reasons = []
    if changed:
        text = f"the output of what it imports changed: {_list(changed)}"
        reasons.append(Reason(CompiledCode.DEPENDENCY, text, changed))
    before = evidence.imports_before.get(package) if evidence.imports_before is not None else None
    if before is not None and set(before) != set(now):
        names = tuple(sorted(set(before) ^ set(now)))
        reasons.append(Reason(CompiledCode.IMPORTS, f"its imports changed: {_list(names)}", names))
    return reasons


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _told(cause: Cause) -> str:
    if cause.kind is CauseKind.ASPECT:
        return f"{cause.name} {'added' if cause.before is None else 'removed' if cause.after is None else 'changed'}"
    if cause.kind is CauseKind.TOOLEXEC:
        return "the key that Orchestrion adds to the tools' versions is another one"
    return f"{cause.name} {cause.change}"
