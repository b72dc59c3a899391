"""What may be asked for besides builds, each the same for the daemon and for a command that works alone: name, words,
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchwatchd.errors import UsageError
from orchwatchd.models.rows import to_jsonable
from orchwatchd.models.run import RunId

if TYPE_CHECKING:
    from orchwatchd.jobs.record import Hooks
    from orchwatchd.jobs.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Done:
    """What a request came to: its exit code, and its result as JSON data."""

    exit_code: int
    result: Any = None


Words = Mapping[str, Any]
Handler = Callable[["Recorder", Words, "Hooks"], Done]


def carry_out(recorder: Recorder, command: str, words: Words, hooks: Hooks) -> Done:
    """Does what is asked. Raises UsageError for a command that this version does not know, and what the job
    raises.
    """
    handler = HANDLERS.get(command)
    if handler is None:
        raise UsageError(
            f"this orchwatchd knows no request {command!r}", hint="start the daemon anew after an upgrade"
        )
    return handler(recorder, words, hooks)


def _prune(recorder: Recorder, words: Words, hooks: Hooks) -> Done:
    from orchwatchd.jobs.upkeep import prune

    plan, report = prune(recorder, dry_run=bool(words.get("dry_run")), hooks=hooks)
    return Done(0, {"plan": to_jsonable(plan), "report": to_jsonable(report)})


def _rotate(recorder: Recorder, words: Words, hooks: Hooks) -> Done:  # noqa: ARG001
    from orchwatchd.jobs.upkeep import rotate

    plan, report = rotate(recorder, dry_run=bool(words.get("dry_run")))
    return Done(0, {"plan": to_jsonable(plan), "report": to_jsonable(report)})


def _pin(recorder: Recorder, words: Words, hooks: Hooks) -> Done:  # noqa: ARG001
    recorder.store.pin(_run(words), str(words.get("name") or ""))
    return Done(0)


def _unpin(recorder: Recorder, words: Words, hooks: Hooks) -> Done:  # noqa: ARG001
    name = words.get("name")
    return Done(0, recorder.store.unpin(_run(words), None if name is None else str(name)))


def _run(words: Words) -> RunId:
    run = words.get("run")
    if not isinstance(run, int):
        raise UsageError(f"the request names no run: {run!r}")
    return RunId(run)


def _index(recorder: Recorder, words: Words, hooks: Hooks) -> Done:
    from orchwatchd.jobs.adopt import adopt
    from orchwatchd.jobs.finding import Finding

    finding = Finding(
        tree=Path(str(words.get("tree", ""))),
        graph=Path(str(words["graph"])) if words.get("graph") else None,
        log=Path(str(words["log"])) if words.get("log") else None,
        output=str(words.get("output") or ""),
    )
    return Done(0, to_jsonable(adopt(recorder, finding, hooks)))


def _baseline(recorder: Recorder, words: Words, hooks: Hooks) -> Done:
    from orchwatchd.jobs.baseline import fill, sentence
    from orchwatchd.jobs.sources import FreshSources
    from orchwatchd.models.event import Line

    arguments = [str(word) for word in words.get("arguments") or ()]
    filled = fill(recorder, arguments, hooks, FreshSources(recorder.preparation, recorder.paths))
    hooks.tell(Line("result", sentence(filled)))
    return Done(0 if filled.status in (None, "ok") else 1, to_jsonable(filled))


HANDLERS: Mapping[str, Handler] = {
    "prune": _prune,
    "rotate": _rotate,
    "pin": _pin,
    "unpin": _unpin,
    "index": _index,
    "baseline": _baseline,
}
