"""Derives injections and their makers again from stored bytes, when the code that derives them has changed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from orchwatchd.models.injection import Attribution
from orchwatchd.models.record import AttributedInjection, FileRecord

if TYPE_CHECKING:
    from orchwatchd.jobs.index import Attribute
    from orchwatchd.models.stored import FileToDerive
    from orchwatchd.store.history import Store


def derive_anew(store: Store) -> int:
    """Brings all derived data to the versions of this program; two versions are never compared with each other. Returns
    how many files were derived again, 0 in nearly every start.
    """
    from orchwatchd.compare.attribution import ATTRIBUTION_VERSION
    from orchwatchd.weave import WEAVE_VERSION

    return store.rederive(WEAVE_VERSION, ATTRIBUTION_VERSION, derive)


def derive(file: FileToDerive) -> tuple[AttributedInjection, ...]:
    """The injections of one stored file, attributed under the configuration of the run that recorded it."""
    from orchwatchd.weave import find_injections

    found = find_injections(file.original_data, file.data, synthetic=file.synthetic)
    attribute = _attributor(file.configuration)
    if attribute is None:
        return tuple(AttributedInjection(injection, Attribution()) for injection in found)
    record = FileRecord(
        path=file.path,
        stage="",
        nested=False,
        synthetic=file.synthetic,
        original=file.original,
        original_data=file.original_data,
        original_certain=file.original_certain,
        data=file.data,
        injections=(),
    )
    makers = attribute(file.package, record, found)
    return tuple(AttributedInjection(*pair) for pair in zip(found, makers, strict=True))


@lru_cache(maxsize=4)
def _attributor(configuration: str | None) -> Attribute | None:
    from orchwatchd.aspects.document import from_json
    from orchwatchd.jobs.indexing import attributor

    return None if configuration is None else attributor(from_json(configuration))
