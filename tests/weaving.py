"""A tiny weaving of our own, for tests that need thousands of files: prepends a call to functions marked `//greeter:span`,
with the marks, the import and the layout that Orchestrion leaves.
"""

from __future__ import annotations

import re

from orchwatchd import weave
from orchwatchd.models.comparison import Side, SideInjection, SidePackage
from orchwatchd.models.package import PackageName
from orchwatchd.models.run import RunId

TRACE = "example.com/greeter/trace"
_FUNCTION = re.compile(
    r"func (?:\((?P<receiver>\w+) [^)]*\) )?(?P<name>\w+)\((?P<argument>\w*)[^)]*\)[^\n]*\{$"
)


def weave_text(original: str, path: str = "/src/greet/greet.go") -> str:
    """What a weaver makes of `original`: `trace.Enter("name", argument 0)` at the start of each marked function."""
    lines = original.split("\n")
    out = [f"//line {path}:1:1"]
    marked = False
    for number, line in enumerate(lines, 1):
        out.append(line)
        if line == "import (":
            out += ["//line <generated>:1", f'\t__orchestrion_trace "{TRACE}"', f"//line {path}:{number + 1}"]
        if line.startswith("//greeter:span"):
            marked = True
        elif (found := _FUNCTION.match(line)) and marked:
            arguments = ", ".join(filter(None, [f'"{found["name"]}"', found["argument"], found["receiver"]]))
            out += ["//line <generated>:1", "\t{", f"\t\t__orchestrion_trace.Enter({arguments})", "\t}"]
            out.append(f"//line {path}:{number + 1}")
            marked = False
    return "\n".join(out)


def package_side(
    run: int, files: dict[str, tuple[str | bytes, str | bytes]], path: str = "example.com/greeter/greet"
) -> Side:
    """A run with one package, whose files are given as name to (original, woven)."""
    found = [
        SideInjection(name, injection)
        for name, (original, woven) in sorted(files.items())
        for injection in weave.find_injections(_bytes(original), _bytes(woven))
    ]
    return Side(
        RunId(run), packages=(SidePackage(PackageName(path), action=f"action{run}", injections=tuple(found)),)
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
