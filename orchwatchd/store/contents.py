"""Owns finding outputs by what they hold: one package and content id are the same bytes, whatever the action."""

from __future__ import annotations

import json
from collections.abc import Iterable

from orchwatchd.db.connection import Connection
from orchwatchd.models.package import UNKNOWN_VARIANT, BuildId, PackageName


def recorded_twins(
    connection: Connection, members: Iterable[tuple[PackageName, BuildId]]
) -> dict[str, BuildId]:
    """For members whose own action id nobody recorded, by that id: a recorded output of the same package with the same
    content id, the latest where there are several.
    """
    wanted = [
        [build.action, package.path, package.variant, build.content]
        for package, build in members
        if build.content is not None and package.variant != UNKNOWN_VARIANT
    ]
    rows = connection.all(
        """SELECT json_extract(w.value, '$[0]'), o.action, o.content FROM json_each(?) AS w
           JOIN package AS p
             ON p.path = json_extract(w.value, '$[1]') AND p.variant = json_extract(w.value, '$[2]')
           JOIN output AS o ON o.package = p.id AND o.content = json_extract(w.value, '$[3]')
           WHERE o.state IN ('plain', 'woven') AND o.action <> json_extract(w.value, '$[0]')
             AND NOT EXISTS (SELECT 1 FROM output AS own WHERE own.state IN ('plain', 'woven')
                             AND own.action = json_extract(w.value, '$[0]'))
           ORDER BY o.id""",
        (json.dumps(wanted),),
    )
    return {action: BuildId(twin, content) for action, twin, content in rows}
