"""Answers `why` from the history of a run: why a package is (not) instrumented, and why it was compiled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.compare.causes import causes
from orchwatchd.compare.why import directive_reasons, makers, why_not
from orchwatchd.compare.why_compiled import Evidence, key_changed, key_reasons, why_compiled
from orchwatchd.errors import NotFoundError
from orchwatchd.jobs.proven import known_of
from orchwatchd.models.why import CompiledCode, Reason, WhyCode, WhyCompiled, WhyPackage, WhyRun

if TYPE_CHECKING:
    from orchwatchd.models.rows import PackageRow
    from orchwatchd.query import History


def explain_package(history: History, package: str, run: int, root: Path | None) -> WhyPackage:
    """Why a package is (not) instrumented in a run, and why it was compiled. `root` is the project's folder.

    Raises NotFoundError for a package of which several variants fit.
    """
    row = _row(history, package, run)
    if row is None:
        return _absent(history, package, run)
    name = row.package or package
    injections = tuple(one for found in history.package_side(run, name) for one in found.injections)
    reasons: tuple[Reason, ...]
    if row.state == "woven" and injections:
        reasons = (
            _instrumented(history, row, run),
            *directive_reasons(known_of(history, row, run, root, injections)),
        )
    elif row.state == "woven":
        text = "Orchestrion wrote its files anew and injected nothing"
        reasons = (Reason(WhyCode.NO_MATCH, text), *why_not(known_of(history, row, run, root, ())))
    elif row.state == "plain":
        reasons = why_not(known_of(history, row, run, root, ()))
    else:
        reasons = (_without_output(history, row, run),)
    return WhyPackage(
        package=name,
        run=run,
        state=row.state,
        instrumented={"woven": bool(injections), "plain": False}.get(row.state),
        reasons=reasons,
        by=makers(injections),
        recorded_in=row.recorded_in,
        compiled=_compiled(history, name, run),
    )


def explain_run(history: History, run: int) -> WhyRun:
    """Why a run compiled what it compiled."""
    row = history.run(run)
    cpu, waited, children = history.costs(run)
    before = history.run_before(run)
    empty = WhyRun(
        run=run,
        against=before,
        packages=row.packages,
        compiled=row.compiled,
        common=0,
        new_actions=0,
        outputs_changed=0,
        outputs_unknown=0,
        texts_changed=0,
        key_changed=None,
        key_proof=None,
        causes=(),
        reasons=(),
        changed_packages=(),
        wall=row.duration,
        cpu=cpu,
        waited=waited,
        child_builds=children,
    )
    if before is None:
        text = "it is the first run that this history has: everything that it compiled was new to it"
        return replace(empty, reasons=(Reason(CompiledCode.FIRST, text),))
    evidence = _evidence(history, before, run)
    pairs = list(evidence.pairs.values())
    new = [pair for pair in pairs if pair.new_action]
    changed = key_changed(pairs)
    return replace(
        empty,
        common=len(pairs),
        new_actions=len(new),
        outputs_changed=sum(pair.new_content is True for pair in new),
        outputs_unknown=sum(pair.new_content is None for pair in new),
        texts_changed=sum(pair.same_text is False for pair in new),
        key_changed=changed,
        key_proof=_key_proof(evidence, changed=changed),
        causes=causes(evidence.before, evidence.after),
        reasons=key_reasons(evidence) if changed else _roots(evidence),
        changed_packages=tuple(pair.package for pair in new if pair.new_content),
    )


def _row(history: History, package: str, run: int) -> PackageRow | None:
    rows = [row for row in history.packages(run) if row.package is not None]
    exact = [row for row in rows if row.package == package]
    if exact:
        # Where a name stands twice, what is not known weighs more than what is.
        return min(exact, key=lambda row: row.state in {"woven", "plain"})
    variants = [row for row in rows if row.package and row.package.partition(" [")[0] == package]
    if len(variants) > 1:
        listed = ", ".join(repr(row.package) for row in variants[:6])
        raise NotFoundError(f"run #{run} has several variants of {package}", hint=f"which one? {listed}")
    return variants[0] if variants else None


def _absent(history: History, package: str, run: int) -> WhyPackage:
    details = history.show(run)
    known = {row.package for row in history.packages(run) if row.package}
    compiled = history.was_compiled(run, package)
    whole = (
        details.run.status == "ok" and details.graph_known and all(one.complete for one in details.programs)
    )
    if compiled or (compiled is None and any(one.package == package for one in history.stages(run))):
        text = "it was compiled for this run by a child build of Orchestrion, and is no part of what the run built"
        reason = Reason(WhyCode.NOT_IN_BUILD, text)
    elif whole:
        near = _near(package, known)
        text = f"no package of run #{run} has that name: nothing in it imports it"
        reason = Reason(WhyCode.NOT_IN_BUILD, text + (f"; near it: {', '.join(near)}" if near else ""), near)
    else:
        text = f"run #{run} ({details.run.status}) does not tell all its packages: whether it has this one is unknown"
        reason = Reason(WhyCode.UNKNOWN, text)
    state = "unknown" if reason.code is WhyCode.UNKNOWN else "absent"
    nothing = WhyCompiled(bool(compiled) if compiled is not None else None, None, ())
    return WhyPackage(package, run, state, None, (reason,), (), None, nothing)


def _near(package: str, known: set[str]) -> tuple[str, ...]:
    from difflib import get_close_matches

    ends = sorted(name for name in known if name.endswith("/" + package))
    return tuple((ends or get_close_matches(package, known, n=3, cutoff=0.75))[:3])


def _instrumented(history: History, row: PackageRow, run: int) -> Reason:
    since = (
        "recorded in this run"
        if row.recorded_in == run
        else f"recorded in #{row.recorded_in}, and the same output since"
        if row.recorded_in is not None
        else "recorded"
    )
    files = f"{row.modified_files} file{'s' * (row.modified_files != 1)}"
    names = tuple(
        file.original or file.path for file in history.files(run, package=row.package) if file.member
    )
    return Reason(
        WhyCode.INSTRUMENTED,
        f"{row.injections} injection{'s' * (row.injections != 1)} in {files}; {since}",
        names,
    )


def _without_output(history: History, row: PackageRow, run: int) -> Reason:
    if row.state == "failed":
        return Reason(
            WhyCode.FAILED, f"it failed to compile in run #{run}: `orchwatchd show {run}` has the messages"
        )
    if row.state == "unreached":
        return Reason(WhyCode.UNREACHED, f"run #{run} failed before it came to this package")
    shared = history.run(run).cache == "shared"
    text = "no run that was recorded compiled it, so nobody saw whether it was woven"
    text += (
        ': with cache = "shared" another build may have; `orchwatchd baseline` finds out for today\'s sources'
        if shared
        else "; the next build that compiles it tells"
    )
    return Reason(WhyCode.UNKNOWN, text)


def _compiled(history: History, package: str, run: int) -> WhyCompiled:
    compiled = history.was_compiled(run, package)
    if not compiled:
        text = (
            "its output was up to date" if compiled is False else "the run's trees do not tell whether it was"
        )
        return WhyCompiled(compiled, None, (Reason(CompiledCode.NOT_COMPILED, text),))
    against = history.run_before(run, package)
    if against is None:
        text = "no run before this one has it"
        return WhyCompiled(True, None, (Reason(CompiledCode.FIRST, text),))
    evidence = _evidence(history, against, run)
    if package not in evidence.pairs:
        text = f"what became of it since #{against} is not known"
        return WhyCompiled(True, against, (Reason(CompiledCode.UNKNOWN, text),))
    return why_compiled(package, against, evidence)


def _evidence(history: History, before: int, run: int) -> Evidence:
    return Evidence(
        before=history.facts(before),
        after=history.facts(run),
        pairs={pair.package: pair for pair in history.pairs(before, run)},
        imports_before=history.dependencies(before),
        imports_after=history.dependencies(run),
    )


def _key_proof(evidence: Evidence, *, changed: bool | None) -> str | None:
    keys = evidence.before.toolexec_key, evidence.after.toolexec_key
    if all(keys) and keys[0] != keys[1]:
        return "Orchestrion's log of both runs has the key"
    return "every package that both runs have got a new action id" if changed else None


def _roots(evidence: Evidence) -> tuple[Reason, ...]:
    """Where no key changed: the packages whose own inputs did, which the others follow."""
    reasons = []
    for pair in evidence.pairs.values():
        if pair.new_action:
            found = why_compiled(pair.package, 0, evidence).reasons
            own = [one for one in found if one.code in {CompiledCode.OWN_FILES, CompiledCode.MODULE}]
            reasons += [Reason(one.code, f"{pair.package}: {one.text}", one.names) for one in own]
    return tuple(reasons)
