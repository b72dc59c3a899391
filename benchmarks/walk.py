"""The bare walk that indexing is compared with: every file's facts, every archive's build id, nothing kept."""

from __future__ import annotations

import os
import re

_BUILD_ID = re.compile(rb'build id "([^"]+)"')


def walk(work: str) -> tuple[int, int, int]:
    """Files, bytes and build ids of a work tree and all trees nested in it."""
    files = size = ids = 0
    for folder, _, names in os.walk(work):
        for name in names:
            path = f"{folder}/{name}"
            files, size = files + 1, size + os.stat(path).st_size  # noqa: PTH116
            if name == "_pkg_.a":
                with open(path, "rb", buffering=0) as archive:  # noqa: PTH123
                    ids += _BUILD_ID.search(archive.read(1024)) is not None
    return files, size, ids
