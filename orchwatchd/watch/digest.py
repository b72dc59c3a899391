"""The digest that stands for all inputs of a build: a sum over the files, so that it follows one change cheaply."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping


def weight(path: str, sha256: bytes, root: str) -> int:
    """What one file adds to the sum that is sealed to the digest; a sum can be kept up to date file by file."""
    relative = path[len(root) + 1 :] if path.startswith(root + "/") else os.path.relpath(path, root)
    text = relative.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text + b"\0" + sha256).digest())


def seal(total: int, extras: Mapping[str, str]) -> str:
    """The digest of a sum of weights and of what else decides over the build."""
    seal = hashlib.sha256((total % (1 << 256)).to_bytes(32))
    for name, value in sorted(extras.items()):
        seal.update(f"\0{name}={value}".encode("utf-8", "surrogateescape"))
    return seal.hexdigest()
