"""The project of tests/data/aspects, built by real Orchestrion, and the truth that its templates carry as marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orchwatchd import weave
from orchwatchd.aspects import from_json, to_json
from orchwatchd.compare.attribution import FileContext, attribute
from orchwatchd.models.aspect import ResolvedConfiguration
from orchwatchd.models.injection import Attribution, Injection, InjectionKind

KNOWN = Path(__file__).parents[1] / "data" / "aspects"
_MARK = re.compile(r"truth:[a-z0-9-]+")

# What has no template to carry a mark: (kind, declaration or path, beginning of the text) to the aspect's id.
UNMARKED = {
    ("field", "type Square", "woven "): "field",
    ("field", "type Circle", "wovenFirst"): "circle-1",
    ("field", "type Circle", "wovenSecond"): "circle-2",
    ("field", "type Grouped", "wovenGrouped"): "grouped",
    ("expression", "var Enabled", "= true"): "built.WithOrchestrion",
    ("expression", "var Version", '= "v'): "built.WithOrchestrionVersion",
    ("expression", "Replaced", "example.com/aspects/probe . Upper"): "upper",
    ("expression", "Fetched", "example.com/aspects/probe . FetchIn"): "fetch",
    ("signature", "Unnamed", ""): "unnamed",
    ("statements", "Empty", "{ }"): "empty",
    ("declaration", "__t_hits", "func"): "link",
    ("linkname", "__t_hits", ""): "link",
    ("declaration", "var _", "var _ = wovenDeclaration"): "declare",
    ("declaration", "type wovenAlias", ""): "grouped",
    ("import", "", '"container/ring"'): "blank",
    ("import", "", '"fmt"'): "declare",
    ("import", "", '"unsafe"'): "link",
}


@dataclass(frozen=True)
class Told:
    """An injection, what was said of it, and the ids or marks of the aspects that made it."""

    file: str
    injection: Injection
    attribution: Attribution
    truth: frozenset[str]

    @property
    def place(self) -> str:
        return f"{self.file}: {self.injection.kind} {self.injection.declaration}: {self.injection.text[:90]}"


@dataclass(frozen=True)
class Woven:
    """One modified file of the build."""

    name: str
    package: str
    original: bytes | None
    woven: bytes

    @property
    def synthetic(self) -> bool:
        return self.name.startswith("synthetic/")

    @property
    def context(self) -> FileContext:
        return FileContext(self.package, self.original, self.woven, synthetic=self.synthetic)

    def injections(self) -> tuple[Injection, ...]:
        return weave.find_injections(self.original, self.woven, synthetic=self.synthetic)


def woven_files(work: Path) -> list[Woven]:
    found = []
    for path in sorted(work.rglob("orchestrion/src/**/*.go")):
        name = path.as_posix().split("/orchestrion/src/")[1]
        data = path.read_bytes()
        origin = weave.original_path(data)
        original = Path(origin).read_bytes() if origin else None
        found.append(Woven(name, name.rpartition("/")[0], original, data))
    return found


def without_marks(text: str) -> str:
    return _MARK.sub("", text)


def blanked(configuration: ResolvedConfiguration) -> ResolvedConfiguration:
    """The configuration whose templates carry no marks."""
    return from_json(without_marks(to_json(configuration)))


def marks_to_keys(configuration: ResolvedConfiguration) -> dict[str, str]:
    """Marks and ids of unmarked aspects to keys."""
    found: dict[str, str] = {}
    for aspect in configuration.aspects:
        marks = {m for a in aspect.advice for t in a.templates for m in _MARK.findall(t.source)}
        for mark in marks:
            assert mark not in found, f"{mark} is the mark of two aspects"
            found[mark] = str(aspect.key)
        if aspect.key.id in UNMARKED.values():
            assert aspect.key.id not in found
            found[aspect.key.id] = str(aspect.key)
    return found


def tell(configuration: ResolvedConfiguration, files: list[Woven], *, blank: bool) -> Iterator[Told]:
    """Attributes everything; with `blank` neither the templates nor the woven files carry the marks."""
    keys = marks_to_keys(configuration)
    used = blanked(configuration) if blank else configuration
    for file in files:
        marked = file.injections()
        shown = replace(file, woven=without_marks(file.woven.decode()).encode()) if blank else file
        injections = shown.injections()
        assert len(injections) == len(marked), file.name
        attributions = attribute(used, shown.context, injections)
        for at, (injection, attribution) in enumerate(zip(injections, attributions, strict=True)):
            truth = frozenset(keys[name] for name in names_of(marked[at]))
            yield Told(file.name, injection, attribution, truth)


def names_of(injection: Injection) -> set[str]:
    """The marks in an injection's own text, or the id of the aspect that is known to have made it."""
    if marks := set(_MARK.findall(injection.text)):
        return marks
    for (kind, declaration, text), name in UNMARKED.items():
        if (injection.kind, injection.declaration) == (kind, declaration) and injection.text.startswith(text):
            return {name}
    assert injection.kind is InjectionKind.IMPORT, f"no truth for {injection}"
    return set()
