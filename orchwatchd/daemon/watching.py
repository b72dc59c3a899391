"""The daemon's view of the inputs: the watcher, what was last built, and the two looks around each build."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from orchwatchd.errors import OrchwatchdError, UnfitError
from orchwatchd.inputs import InputSet
from orchwatchd.jobs.sources import Sources, find_sources
from orchwatchd.watch import Baseline, Watcher, WatchSettings
from orchwatchd.watch.snapshot import take

if TYPE_CHECKING:
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.watching import ChangeSet, Rules, WatchHealth


class WatchedSources:
    """The inputs of one project, watched. `on_change` and `on_cancel` are called in the watcher's thread."""

    def __init__(
        self,
        recorder: Recorder,
        *,
        on_change: Callable[[ChangeSet], None],
        on_cancel: Callable[[str], None],
        on_message: Callable[[str], None],
    ) -> None:
        self._preparation = recorder.preparation
        self._paths = recorder.paths
        self._inputs: InputSet | None = None
        config = recorder.config.watch
        self._on_message = on_message
        self._watcher = Watcher(
            self._find,
            on_change,
            settings=WatchSettings(
                rest=config.rest,
                longest_wait=config.longest_wait,
                cancel=config.on_change == "cancel",
                poll=config.poll,
                poll_interval=config.poll_interval,
                rescan=config.rescan,
                git_lock_limit=config.git_lock_limit,
                cookies=recorder.paths.state,
            ),
            baseline=last_built(recorder),
            on_cancel=on_cancel,
            on_message=on_message,
        )

    def start(self) -> None:
        """Begins to watch."""
        self._watcher.start()

    def stop(self) -> None:
        """Ends the watcher's thread."""
        self._watcher.stop()

    def before(self) -> Sources:
        """The inputs as the build finds them; from here on changes count as made during it."""
        self._watcher.note_build_started()
        snapshot = self._watcher.snapshot()
        inputs = self._inputs
        if inputs is None:
            inputs = find_sources(self._preparation, self._paths)
        return Sources(inputs, snapshot if snapshot is not None else take(inputs))

    def after(self, *, cancelled: bool) -> bool:
        """Whether inputs moved while the build ran; to be called for every build that came to its start."""
        built = self._watcher.note_build_finished(cancelled=cancelled)
        # A watcher that cannot tell must not have us say that nothing moved.
        return built is None or built.inputs_moved

    def not_built(self) -> None:
        """A build did not come to its start, whether `before` was called for it or not: what was due is due again."""
        self._watcher.note_build_finished(built=False)

    def pending(self) -> tuple[str, ...]:
        """Inputs that differ from what the last build started from."""
        return self._watcher.pending()

    @property
    def settling(self) -> bool:
        """Whether a build is about to be due."""
        return self._watcher.settling

    @property
    def failed(self) -> str | None:
        """Why watching has ended, None while it goes on; asked at every tick, where `health` costs a look at all."""
        return self._watcher.failed

    def health(self) -> WatchHealth:
        """How watching fares."""
        return self._watcher.health()

    def counters(self) -> dict[str, int]:
        """Counts of inputs, watches and rescans."""
        return asdict(self._watcher.health().counters)

    def _find(self, known: Rules | None) -> InputSet:
        """The inputs, for the watcher: a project that is broken just now keeps the old ones, widened."""
        previous = known if isinstance(known, InputSet) else None
        try:
            self._inputs = find_sources(self._preparation, self._paths, previous=previous)
        except OrchwatchdError as error:
            if previous is None:
                raise UnfitError(error.message, hint=error.hint) from error
            self._inputs = previous.widened(error.message)
        return self._inputs


def last_built(recorder: Recorder) -> Baseline | None:
    """What the last ok run was built from, so that changes made while nobody watched are found; None where there is
    none, or its inputs moved while it was built.
    """
    from orchwatchd.query import History

    root = recorder.project.root
    with History.open(recorder.paths.database) as history:
        runs = history.runs(limit=1, kinds=("build",), statuses=("ok", "failed"))
        if not runs or runs[0].status != "ok":
            return None
        details = history.show(runs[0].id)
        if details.inputs_moved or details.input_digest is None:
            return None
        text = history.document(runs[0].id, "manifest")
    rows = (line.partition("  ") for line in (text or "").splitlines())
    files = {str(root / path): digest for digest, _, path in rows if path}
    return Baseline(details.input_digest, files or None)


class OneBuild:
    """Makes sure that the watcher hears of the end of every build, once, however it ended, and whether it was one."""

    def __init__(self, watching: WatchedSources) -> None:
        self._watching = watching
        self._open = True

    def before(self) -> Sources:
        return self._watching.before()

    def after(self, *, cancelled: bool) -> bool:
        self._open = False
        return self._watching.after(cancelled=cancelled)

    def close(self) -> None:
        if self._open:
            self._watching.not_built()


def relative_files(change: ChangeSet, root: os.PathLike[str]) -> tuple[str, ...]:
    """The changed files as people name them, or the cause where no file is known."""
    if not change.files:
        return (str(change.cause),)
    start = str(root) + os.sep
    return tuple(file.removeprefix(start) for file in change.files)
