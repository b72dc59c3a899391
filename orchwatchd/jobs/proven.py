"""What is proven of a package of a run: what was in force, its sources with the bytes of then, the very dd-trace-go's
integrations.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from orchwatchd.compare.why import Known, SourceFile
from orchwatchd.compare.why_compiled import package_folder

if TYPE_CHECKING:
    from orchwatchd.aspects.catalogue import Catalogue
    from orchwatchd.models.aspect import ResolvedConfiguration
    from orchwatchd.models.comparison import RunFacts, SideInjection
    from orchwatchd.models.rows import PackageRow
    from orchwatchd.query import History

_TRACER = "github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"


def known_of(
    history: History, row: PackageRow, run: int, root: Path | None, injections: tuple[SideInjection, ...]
) -> Known:
    """What `compare.why` is to know of a package that has these injections. `root` is the project's folder."""
    name = row.package or ""
    facts = history.facts(run)
    recorded = row.recorded_in if row.recorded_in is not None else run
    return Known(
        package=name.partition(" [")[0],
        configuration=facts.configuration,
        catalogue=_catalogue(facts.configuration),
        # Only the log of the run that compiled it can say why nothing was woven.
        skips=history.log_skips(recorded, name),
        sources=_sources(history, row, run, facts, root, injections),
    )


def _sources(
    history: History,
    row: PackageRow,
    run: int,
    facts: RunFacts,
    root: Path | None,
    injections: tuple[SideInjection, ...],
) -> tuple[SourceFile, ...]:
    """The package's sources whose bytes are those of the run: stored originals, and files of the project that still
    have the hash that the run's manifest has.
    """
    name = row.package or ""
    found: dict[str, SourceFile] = {}
    for file in history.files(run, package=name):
        if not file.member or file.package != name or file.original is None or not file.original_certain:
            continue
        original = history.source(run, file.path).original
        if original is not None:
            mine = tuple(one for one in injections if one.file == file.original)
            found[file.original] = SourceFile(_shown(file.original, root), original, mine)
    folder = package_folder(name.partition(" [")[0], facts)
    if root is None or folder is None or facts.manifest is None:
        return tuple(found.values())
    for path, digest in facts.manifest.items():
        test = path.endswith("_test.go") and "[" not in name
        here = path.rpartition("/")[0] == folder and path.endswith(".go") and not test
        if here and str(root / path) not in found and (data := _proven(root / path, digest)) is not None:
            found[str(root / path)] = SourceFile(path, data)
    return tuple(found[name] for name in sorted(found))


def _proven(path: Path, digest: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _shown(path: str, root: Path | None) -> str:
    return path.removeprefix(f"{root}/") if root is not None else path


def _catalogue(configuration: ResolvedConfiguration | None) -> Catalogue | None:
    """The integrations of the very dd-trace-go that the run used: its folder is known where its tracer is enabled."""
    from orchwatchd.aspects.catalogue import read_catalogue
    from orchwatchd.models.aspect import PackageLocation

    if configuration is None:
        return None
    folder = next((Path(one.path).parent for one in configuration.files if one.package == _TRACER), None)
    version = next((one.version for one in configuration.integrations if one.package == _TRACER), None)
    if folder is None or version is None:
        return None
    found = read_catalogue(lambda _: {_TRACER: PackageLocation(_TRACER, folder, version=version)})
    return found if found.integrations else None
