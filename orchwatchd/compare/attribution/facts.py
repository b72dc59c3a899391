"""One woven file as attribution sees it: its nodes, the aspects that may touch it, and where they match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from orchwatchd.aspects.lexer import Token, code_tokens
from orchwatchd.compare.attribution.joinpoints import Place, Surroundings, evaluate
from orchwatchd.compare.attribution.packages import Sure, package_may_match
from orchwatchd.compare.attribution.template import Normalise, Pattern, compile_parts, parse
from orchwatchd.models.aspect import Advice, Aspect, JoinPoint, ResolvedConfiguration, Template
from orchwatchd.models.injection import Injection
from orchwatchd.weave.nodes import GoFile, GoNode, read_nodes

_IGNORES = ("orchestrion:ignore", "dd:ignore")
_TRACER = ("gopkg.in/DataDog/dd-trace-go.v1", "github.com/DataDog/dd-trace-go")
_OWN, _OWN_RUNTIME = "github.com/DataDog/orchestrion", "github.com/DataDog/orchestrion/runtime"


@dataclass(frozen=True, slots=True)
class FileContext:
    """A modified file: the import path of its package, its original (None where it is not known) and its woven text.

    `test_main` is None where it is not known whether the file is of a generated test main.
    """

    package: str
    original: bytes | None
    woven: bytes
    synthetic: bool = False
    test_main: bool | None = False


class FileFacts:
    """What is derived from one file, each part when it is first asked for."""

    def __init__(
        self, configuration: ResolvedConfiguration, context: FileContext, injections: Sequence[Injection]
    ) -> None:
        self.context = context
        self.injections = injections
        self.configuration = configuration
        self._exists: dict[tuple[str, str], Sure] = {}

    @cached_property
    def woven(self) -> GoFile:
        return read_nodes(self.context.woven)

    @cached_property
    def original(self) -> GoFile | None:
        return read_nodes(self.context.original) if self.context.original is not None else None

    @cached_property
    def around(self) -> Surroundings:
        return self._surroundings(self.woven)

    @cached_property
    def around_original(self) -> Surroundings:
        return self._surroundings(self.original or self.woven)

    def _surroundings(self, file: GoFile) -> Surroundings:
        return Surroundings(self.context.package, self.configuration.root, file, self.context.test_main)

    @cached_property
    def aspects(self) -> tuple[Aspect, ...]:
        """The aspects that can touch this file at all, in the configuration's order."""
        text = self.context.woven + (self.context.original or b"")
        found = (a for a in self.configuration.aspects if allowed(a, self.context.package))
        return tuple(
            aspect
            for aspect in found
            if package_may_match(aspect.join_point, self.context.package, self.configuration.root)
            and _text_may_match(aspect.join_point, text)
        )

    def advice(self, *kinds: str) -> Iterator[tuple[Aspect, Advice]]:
        """Every advice of those kinds that can touch this file, with its aspect."""
        for aspect in self.aspects:
            yield from ((aspect, advice) for advice in aspect.advice if advice.kind in kinds)

    def exists(self, aspect: Aspect, declaration: str = "") -> Sure:
        """Whether the aspect's join point matches anywhere in this file, injected declarations included; with a
        declaration's name, in that one (everywhere, where no node bears the name).
        """
        place = (str(aspect.key), declaration)
        if place not in self._exists:
            known = any(node.declaration == declaration for node in self.woven.nodes)
            nodes = [(n, a) for n, a in self._all_nodes if n.declaration == declaration or not known]
            self._exists[place] = self._anywhere(aspect.join_point, nodes) if nodes or not known else Sure.NO
        return self._exists[place]

    def _anywhere(self, point: JoinPoint, nodes: Sequence[tuple[GoNode, Surroundings]]) -> Sure:
        found = Sure.NO
        for node, around in nodes:
            found = max(found, evaluate(point, Place(node), around))
            if node.body != (0, 0):
                found = max(found, evaluate(point, Place(node, body=True), around))
            if found is Sure.YES:
                break
        return found if nodes else evaluate(point, Place(), self.around)

    @cached_property
    def _all_nodes(self) -> list[tuple[GoNode, Surroundings]]:
        if self.original is None:
            return [(node, self.around) for node in unignored(self.woven.nodes)]
        known = {node.declaration for node in self.original.nodes}
        nodes = [(node, self.around_original) for node in unignored(self.original.nodes)]
        new = (node for node in unignored(self.woven.nodes) if node.declaration not in known)
        return [*nodes, *((node, self.around) for node in new)]

    def tokens(self, source: str) -> list[Token]:
        return code_tokens(source)

    def normal(self, source: str) -> list[str]:
        """The tokens of a piece of the woven file, qualified names by import path."""
        return self.normaliser()(code_tokens(source))

    def normaliser(self, aliases: Iterable[tuple[str, str]] = ()) -> Normalise:
        """Gives tokens the form in which template and code are compared: `alias.Name` becomes `"path".Name`, and the
        own package's qualifier goes. `aliases` are a template's own imports.
        """
        paths = {**self.woven.imports, **dict(aliases)}
        own = self.context.package

        def normalise(tokens: list[Token]) -> list[str]:
            found: list[str] = []
            skip = False
            for at, token in enumerate(tokens):
                if skip:
                    skip = False
                    continue
                qualifies = at + 1 < len(tokens) and tokens[at + 1].text == "."
                selected = at > 0 and tokens[at - 1].text == "."
                path = paths.get(token.text) if token.kind == "name" and qualifies and not selected else None
                if path is None:
                    found.append(token.text.lower() if token.kind == "number" else token.text)
                elif path == own:
                    skip = True
                else:
                    found.append(f'"{path}"')
            return found

        return normalise

    def pattern(self, *templates: Template, before: Iterable[str] = (), after: Iterable[str] = ()) -> Pattern:
        """The pattern of templates in turn, between literal tokens."""
        pattern = Pattern()
        for token in before:
            pattern.literal(token)
        for template in templates:
            compile_parts(pattern, parse(template.source), self.normaliser(template.imports))
        for token in after:
            pattern.literal(token)
        return pattern

    def type_tokens(self, name: str) -> list[str]:
        """A type of the configuration (`*path.Name`) as tokens of this file."""
        pointer, bare = name.startswith("*"), name.lstrip("* ")
        path, _, short = bare.rpartition(".")
        qualified = [short] if path in {"", self.context.package} else [f'"{path}"', ".", short]
        return ["*", *qualified] if pointer else qualified

    def offset(self, line: int) -> int:
        """The byte at which the first code of a line (from 1) of the woven file stands."""
        start = self.line_start(line)
        rest = self.context.woven[start:]
        return start + len(rest) - len(rest.lstrip())

    def line_start(self, line: int) -> int:
        """The byte at which a line (from 1) of the woven file begins."""
        return self._line_starts[min(max(line, 1), len(self._line_starts)) - 1]

    def line_end(self, line: int) -> int:
        """The byte after the last one of a line (from 1)."""
        return self._line_starts[line] if 0 <= line < len(self._line_starts) else len(self.context.woven)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.context.woven.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts[:-1]


def allowed(aspect: Aspect, package: str) -> bool:
    """Orchestrion's special cases: its own packages are never woven, the tracer's only by tracer-internal aspects."""
    if _within(package, _OWN_RUNTIME):
        return True
    if _within(package, _OWN):
        return False
    return aspect.tracer_internal or not any(_within(package, tracer) for tracer in _TRACER)


def _within(package: str, parent: str) -> bool:
    return package == parent or package.startswith(parent + "/")


def unignored(nodes: Iterable[GoNode]) -> Iterator[GoNode]:
    """Nodes that no comment keeps Orchestrion from, themselves or by what encloses them."""
    for node in nodes:
        around: GoNode | None = node
        while around is not None and not _ignored(around):
            around = around.parent
        if around is None:
            yield node


def _ignored(node: GoNode) -> bool:
    return any(c == word or c.startswith(word + " ") for c in node.directives for word in _IGNORES)


def _text_may_match(point: JoinPoint, text: bytes) -> bool:
    """Whether a file with that text can hold a match; words that a join point needs are sought as they are."""
    kind = point.kind
    if kind in {"all-of", "function", "function-body"}:
        return all(_text_may_match(child, text) for child in point.children)
    if kind == "one-of":
        return any(_text_may_match(child, text) for child in point.children)
    needed = {
        "directive": "//" + point.value,
        "function-call": point.value.rpartition(".")[2],
        "method-call": point.get("name"),
        "struct-literal": point.get("type").rpartition(".")[2],
        "struct-definition": point.value.rpartition(".")[2],
        "declaration-of": point.value.rpartition(".")[2],
        "name": point.value,
        "receiver": "" if point.value in {"true", "false"} else point.value.rpartition(".")[2],
    }.get(kind, "")
    return needed.encode() in text
