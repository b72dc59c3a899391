"""Who made an injection, in words."""

from __future__ import annotations

from orchwatchd.models.injection import Attribution


def maker(by: Attribution) -> str:
    """Who made an injection, and how sure that is."""
    if by.aspect:
        return f"by {aspect_name(by.aspect)} ({by.certainty.value})"
    if by.candidates:
        return f"by one of {', '.join(aspect_name(one) for one in by.candidates[:4])} ({by.certainty.value})"
    if by.unexplained:
        return "by no aspect of the configuration"
    where = f"of {by.integration}, " if by.integration else ""
    return f"{where}aspect unknown"


def aspect_name(key: str) -> str:
    """An aspect as people name it: its id and the package that brings it."""
    from orchwatchd.models.aspect import AspectKey

    try:
        parsed = AspectKey.parse(key)
    except ValueError:
        return key
    return f"{parsed.package} {parsed.id!r}"
