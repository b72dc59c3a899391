"""An adopted tree on its way into a record: today's project explains it, and nothing counts as more certain than that
allows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.compare.attribution import ATTRIBUTION_VERSION
from orchwatchd.errors import UnfitError
from orchwatchd.jobs.index import Attribute, index_reading
from orchwatchd.jobs.indexing import attributor
from orchwatchd.jobs.testimony import first_written
from orchwatchd.jobs.variants import logged_names
from orchwatchd.models.injection import Certainty
from orchwatchd.models.package import BuildId
from orchwatchd.models.record import OutputRecord, RunRecord
from orchwatchd.models.run import Documents
from orchwatchd.weave import WEAVE_VERSION

if TYPE_CHECKING:
    from orchwatchd.jobs.places import Places
    from orchwatchd.jobs.recorder import Recorder
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.injection import Attribution, Injection
    from orchwatchd.models.package import PackageName
    from orchwatchd.models.record import FileRecord
    from orchwatchd.models.tree import TreeReading


@dataclass(slots=True)
class Adoptee:
    """`moved`: nothing shows that the tree lies where it was built, so its files' times say nothing."""

    recorder: Recorder
    tree: Path
    reading: TreeReading
    places: Places
    moved: bool
    configuration: ResolvedConfiguration | None = None
    proven: bool = False

    def record(self, lines: Sequence[bytes]) -> tuple[RunRecord, dict[str, BuildId]]:
        """The record, and the members in it that stand for others of equal content, by the others' action ids."""
        self._find_configuration()
        reading, before = self._with_originals_here()
        store = self.recorder.store
        record = index_reading(
            reading,
            original_versions=lambda path: () if path in before else store.original_versions(path),
            attribute=self._attribute(),
            names=logged_names(lines),
        )
        record = replace(
            record,
            outputs=tuple(_renamed(output, before) for output in record.outputs),
            weave_version=WEAVE_VERSION,
            attribution_version=ATTRIBUTION_VERSION,
        )
        return join_contents(record, store.recorded_twins(_members(record)))

    def documents(self) -> Documents:
        """What is known to have been in force."""
        if self.configuration is None or not self.proven:
            return Documents()
        from orchwatchd.aspects.document import to_json

        return Documents(configuration=to_json(self.configuration))

    def _with_originals_here(self) -> tuple[TreeReading, dict[str, str]]:
        """The reading with files of the project named where they lie here, which is where their text may be found;
        and the names that they had there.

        A source here may be of another version than the one that was compiled there, older or newer: without its time
        it counts as uncertain (`jobs.originals`), and so do stored versions of it. So does a source of the project
        beside a tree that was moved, as then its files' times say nothing.
        """
        before: dict[str, str] = {}
        woven = []
        mine = tuple(f"{folder}{os.sep}" for folder in self.recorder.project.modules)
        for file in self.reading.woven:
            here = self.places.originals.get(file.original or "")
            if here is not None and file.original is not None:
                before[here] = file.original
                woven.append(replace(file, original=here, mtime_ns=0))
            elif self.moved and (file.original or "").startswith(mine):
                woven.append(replace(file, mtime_ns=0))
            else:
                woven.append(file)
        return replace(self.reading, woven=tuple(woven)), before

    def _find_configuration(self) -> None:
        """Orchestrion's configuration as it is now; proven to be the one in force where the tree lies where it was
        built, from this folder, and nothing that the configuration is made of was touched since.
        """
        try:
            self.configuration = self.recorder.preparation.configuration()
        except UnfitError:
            return
        began = first_written(self.tree)
        if self.moved or not self.places.here or began is None or not self.configuration.complete:
            return
        folders = {*self.recorder.project.modules, self.recorder.project.root}
        files = {folder / name for folder in folders for name in ("go.mod", "go.sum", "go.work")}
        files.update(Path(file.path) for file in self.configuration.files)
        folders.update(file.parent for file in files)
        self.proven = all(_older(path, began) for path in (*files, *folders))

    def _attribute(self) -> Attribute | None:
        """Who made injections: today's configuration names nobody for certain where it is not proven to have been in
        force.
        """
        if self.configuration is None:
            return None
        exact = attributor(self.configuration)
        if self.proven:
            return exact

        def cautious(
            package: PackageName | None, file: FileRecord, injections: Sequence[Injection]
        ) -> Sequence[Attribution]:
            return [_cautious(one) for one in exact(package, file, injections)]

        return cautious


def join_contents(record: RunRecord, twins: Mapping[str, BuildId]) -> tuple[RunRecord, dict[str, BuildId]]:
    """Puts recorded outputs of equal content in the place of members that nobody knows by their action id. Pure.

    What the tree itself shows for certain of an output stays: only unknown members, and those whose originals are not
    certain, are joined.
    """
    certain = {
        output.action
        for output in record.outputs
        if output.finished and all(file.original_certain for file in output.files)
    }
    joined = {action: twin for action, twin in twins.items() if action not in certain}

    def swap(
        members: tuple[tuple[PackageName, BuildId], ...],
    ) -> tuple[tuple[PackageName, BuildId], ...]:
        return tuple((package, joined.get(build.action, build)) for package, build in members)

    return replace(
        record,
        outputs=tuple(output for output in record.outputs if output.action not in joined),
        members=swap(record.members),
        programs=tuple(replace(program, members=swap(program.members)) for program in record.programs),
    ), joined


def _members(record: RunRecord) -> set[tuple[PackageName, BuildId]]:
    return {*record.members, *(member for program in record.programs for member in program.members)}


def _renamed(output: OutputRecord, before: Mapping[str, str]) -> OutputRecord:
    """An output whose files name their originals as they were where it was built."""
    files = tuple(
        replace(file, original=before.get(file.original or "", file.original)) for file in output.files
    )
    return replace(output, files=files)


def _cautious(one: Attribution) -> Attribution:
    certainty = Certainty.LIKELY if one.certainty is Certainty.EXACT else one.certainty
    return replace(one, certainty=certainty, unexplained=False)


def _older(path: Path, moment: int) -> bool:
    """Whether nothing touched a file since, which may never have been there."""
    try:
        facts = path.stat()
    except OSError:
        return not os.path.lexists(path)
    return max(facts.st_mtime_ns, facts.st_ctime_ns) < moment
