"""Decides what a prune removes and what stays, with the reason for each: pure, so that a dry run is the same code.

Three tiers (whole trees, thin trees, history) have rules that keep and limits that remove. A run that a rule
keeps in one tier is kept in those below. Rules count runs in the order of their numbers, so a clock that jumped
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchwatchd.config.model import Keep, bytes_of
from orchwatchd.jobs.keeping import Reasons, protections, require_keeping, rule_reasons
from orchwatchd.models.run import RunId, RunStatus, WorkState
from orchwatchd.models.upkeep import (
    PruneAction,
    PruneKeep,
    PrunePlan,
    PruneStep,
    RunUse,
    Shortfall,
    Usage,
)

_LOW_WATER = 0.9
_FUTURE = timedelta(minutes=5)
_TREES = (WorkState.KEPT, WorkState.THIN)


def plan_prune(use: Usage, keep: Keep, *, keep_logs: int, now: datetime) -> PrunePlan:
    """What to remove and what to keep of `use` under the policy `keep`, and log lines of the last `keep_logs` runs.

    `now` carries the zone whose days `keep_daily` counts. Raises ConfigurationError for a policy that keeps
    nothing. Planning again after the plan was carried out gives an empty plan.
    """
    require_keeping(keep)
    draft = _Draft(use, keep, now)
    draft.limit_whole()
    draft.limit_thin()
    draft.limit_disk()
    draft.limit_history()
    draft.drop_logs(keep_logs)
    return draft.plan()


def plan_finish(use: Usage) -> PrunePlan:
    """What a removal that was interrupted still has to do, and nothing else: for the start of the program."""
    actions = [action for item in use.runs if (action := _interrupted(item))]
    return PrunePlan(tuple(actions + _trash(use)))


@dataclass(slots=True)
class _Target:
    """What is to become of one run, and why things go."""

    use: RunUse
    work: WorkState
    rows: bool = True
    why_work: str = ""
    why_rows: str = ""


@dataclass(slots=True)
class _Draft:
    """A plan in the making: targets from the rules, then lowered by the limits."""

    use: Usage
    keep: Keep
    now: datetime
    runs: list[RunUse] = field(init=False)
    safe: Reasons = field(init=False)
    rules: dict[str, Reasons] = field(init=False)
    targets: dict[RunId, _Target] = field(init=False)
    logs: list[PruneAction] = field(default_factory=list)
    cache_trim: int = 0
    why_cache: str = ""
    shortfalls: list[Shortfall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runs = sorted(self.use.runs, key=lambda item: item.run, reverse=True)
        self.safe = protections(self.runs)
        good = [item for item in self.runs if item.status is RunStatus.OK]
        self.rules = {
            "tree": rule_reasons(self.keep.trees, good, self.runs, self.now),
            "thin tree": rule_reasons(self.keep.thin, self.runs, self.runs, self.now),
            "history": rule_reasons(self.keep.history, self.runs, self.runs, self.now),
        }
        self.targets = {item.run: self._by_rules(item) for item in self.runs}

    def _by_rules(self, item: RunUse) -> _Target:
        target = _Target(item, item.work)
        if item.run in self.safe:
            return target
        whole, thin = item.run in self.rules["tree"], item.run in self.rules["thin tree"]
        if item.work is WorkState.KEPT and not whole:
            target.work, target.why_work = WorkState.THIN, "no rule keeps its tree whole"
        if item.work in _TREES and not whole and not thin:
            target.work, target.why_work = WorkState.PRUNED, "no rule keeps its tree"
        return target

    def limit_whole(self) -> None:
        """Thins the oldest whole trees until the rest is within the limit."""
        limit = self.keep.trees.max_used
        over = self._used(WorkState.KEPT) - limit
        self._lower(
            WorkState.KEPT,
            WorkState.THIN,
            lambda: self._used(WorkState.KEPT) > limit,
            _over("whole trees", over),
        )
        self._short("[keep.trees] max_used", self._used(WorkState.KEPT) - limit)

    def limit_thin(self) -> None:
        """Drops the oldest thin trees until the rest is within the limit."""
        limit = self.keep.thin.max_used
        over = self._used(WorkState.THIN) - limit
        self._lower(
            WorkState.THIN,
            WorkState.PRUNED,
            lambda: self._used(WorkState.THIN) > limit,
            _over("thin trees", over),
        )
        self._short("[keep.thin] max_used", self._used(WorkState.THIN) - limit)

    def limit_history(self) -> None:
        """Forgets runs that only their trees kept, then the oldest ones, trees included, until the database is
        within the limit.
        """
        for target in self._oldest_first():
            if target.work not in _TREES and target.use.run not in self.rules["history"] and target.rows:
                target.rows, target.why_rows = False, "no rule keeps it"
        limit = self.keep.history.max_used
        reason = _over("the history", self._database() - limit)
        for target in self._oldest_first():
            if self._database() <= limit:
                break
            if target.rows:
                target.rows, target.why_rows = False, reason
                if target.work in _TREES:
                    target.work, target.why_work = WorkState.PRUNED, reason
        self._short("[keep.history] max_used", self._database() - limit)

    def limit_disk(self) -> None:
        """Keeps the cache within its limit and `min_free` of the disk free: what is cheap to make again goes
        first.
        """
        limit, used = self.keep.cache.max_used, self.use.cache_bytes or 0
        idle = all(item.status is not RunStatus.RUNNING for item in self.runs)
        if used > limit and idle:
            self.cache_trim, self.why_cache = used - int(limit * _LOW_WATER), _over("the cache", used - limit)
        floor = bytes_of(self.keep.trees.min_free, self.use.disk.total)
        missing = floor - self.use.disk.free
        if missing > 0:
            reason = f"the disk has {missing} bytes too few free"
            self._lower(WorkState.KEPT, WorkState.THIN, lambda: self._free() < floor, reason)
            self._lower(WorkState.THIN, WorkState.PRUNED, lambda: self._free() < floor, reason)
            more = min(floor - self._free(), used - self.cache_trim)
            if more > 0 and idle:
                self.cache_trim, self.why_cache = self.cache_trim + more, reason
            self._short("[keep.trees] min_free", floor - self._free())
        # A thinned tree may have put thin trees over their limit.
        self.shortfalls = [item for item in self.shortfalls if item.limit != "[keep.thin] max_used"]
        self.limit_thin()
        if used - self.cache_trim > limit:
            self.shortfalls.append(
                Shortfall(
                    "[keep.cache] max_used", used - self.cache_trim - limit, "a build is using the cache"
                )
            )

    def drop_logs(self, keep_logs: int) -> None:
        """Log lines stay for the newest runs that have any, and for pinned and running ones."""
        reason = f"log lines are kept for {keep_logs} runs"
        with_logs = [item for item in self.runs if item.log_bytes]
        self.logs = [
            PruneAction(PruneStep.LOG, item.run, item.log_bytes, reason)
            for item in with_logs[keep_logs:]
            if self.targets[item.run].rows and not item.pins and item.status is not RunStatus.RUNNING
        ]

    def plan(self) -> PrunePlan:
        """The draft as a plan: trees before rows, so that no tree is left without a record."""
        oldest = [self.targets[item.run] for item in reversed(self.runs)]
        actions = _trash(self.use)
        actions += [action for target in oldest if (action := _work_action(target))]
        actions += sorted(self.logs, key=lambda action: action.run or 0)
        actions += [
            PruneAction(PruneStep.ROWS, target.use.run, target.use.row_bytes, target.why_rows)
            for target in oldest
            if not target.rows
        ]
        if self.cache_trim > 0:
            actions.append(PruneAction(PruneStep.CACHE, None, self.cache_trim, self.why_cache))
        return PrunePlan(
            tuple(actions),
            tuple(self._keeps()),
            tuple(self.shortfalls),
            (*self.use.problems, *self._future()),
        )

    def _keeps(self) -> Iterable[PruneKeep]:
        for item in self.runs:
            target = self.targets[item.run]
            if not target.rows:
                continue
            tiers = ("tree", "thin tree", "history")
            if target.work in _TREES:
                what = "tree" if target.work is WorkState.KEPT else "thin tree"
                reasons = _reasons(
                    item.run, [self.safe, *(self.rules[tier] for tier in tiers[: tiers.index(what) + 1])]
                )
                yield PruneKeep(what, item.run, _size(target), reasons)
            reasons = _reasons(item.run, [self.safe, self.rules["history"]])
            yield PruneKeep("history", item.run, item.row_bytes, reasons or ("its tree is kept",))
        if self.use.cache_bytes is not None:
            left = self.use.cache_bytes - self.cache_trim
            yield PruneKeep("cache", None, left, ("builds would have to compile it again",))

    def _future(self) -> Iterable[str]:
        late = [item.run for item in self.runs if item.started_at > self.now + _FUTURE]
        if late:
            names = ", ".join(f"#{run}" for run in late[:5]) + (", …" if len(late) > 5 else "")
            yield f"started in the future by this clock, and counted as newest: {names}"

    def _oldest_first(self) -> list[_Target]:
        return [self.targets[item.run] for item in reversed(self.runs) if item.run not in self.safe]

    def _lower(self, work: WorkState, to: WorkState, wanted: Callable[[], bool], reason: str) -> None:
        for target in self._oldest_first():
            if not wanted():
                return
            if target.work is work:
                target.work, target.why_work = to, reason

    def _used(self, work: WorkState) -> int:
        return sum(_size(target) for target in self.targets.values() if target.work is work)

    def _free(self) -> int:
        """What the disk has free once all that is decided so far is done."""
        trees = sum((target.use.tree_bytes or 0) - _size(target) for target in self.targets.values())
        return self.use.disk.free + self.use.trash_bytes + trees + self.cache_trim

    def _database(self) -> int:
        return self.use.database_bytes - sum(
            target.use.row_bytes for target in self.targets.values() if not target.rows
        )

    def _short(self, limit: str, over: int) -> None:
        if over > 0:
            names = sorted({reason.split(" as ")[0] for found in self.safe.values() for reason in found})
            self.shortfalls.append(
                Shortfall(
                    limit, over, f"what is left may not go ({', '.join(names) or 'nothing else is there'})"
                )
            )


def _interrupted(item: RunUse) -> PruneAction | None:
    """The rest of a removal that the record says was begun."""
    if item.work is WorkState.PRUNED and item.tree_bytes:
        return PruneAction(PruneStep.TREE, item.run, item.tree_bytes, "its removal was interrupted")
    if item.work is WorkState.THIN and item.heavy_bytes:
        return PruneAction(PruneStep.THIN, item.run, item.heavy_bytes, "its thinning was interrupted")
    return None


def _work_action(target: _Target) -> PruneAction | None:
    item = target.use
    if target.work is WorkState.PRUNED and item.work in _TREES:
        return PruneAction(PruneStep.TREE, item.run, item.tree_bytes or 0, target.why_work)
    if target.work is WorkState.THIN and item.work is WorkState.KEPT:
        return PruneAction(PruneStep.THIN, item.run, item.heavy_bytes, target.why_work)
    return _interrupted(item)


def _trash(use: Usage) -> list[PruneAction]:
    if not use.trash_bytes:
        return []
    return [PruneAction(PruneStep.TRASH, None, use.trash_bytes, "a removal was interrupted")]


def _size(target: _Target) -> int:
    """What the run's tree will take."""
    if target.work not in _TREES:
        return 0
    size = target.use.tree_bytes or 0
    return size - (target.use.heavy_bytes if target.work is WorkState.THIN else 0)


def _reasons(run: RunId, sources: Iterable[Reasons]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for source in sources for reason in source.get(run, ())))


def _over(what: str, over: int) -> str:
    return f"{what} take {over} bytes more than the limit"
