"""One woven file as attribution sees it: its nodes, the aspects that may touch it, and where they match."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from orchwatchd.aspects.lexer import Token, code_tokens
from orchwatchd.compare.attribution.joinpoints import Place, Surroundings, evaluate
from orchwatchd.compare.attribution.packages import Sure, package_may_match
from orchwatchd.compare.attribution.template import Normalise, Pattern, compile_parts, parse
from orchwatchd.models.aspect import Advice, Aspect, JoinPoint, ResolvedConfiguration, Template
from orchwatchd.models.injection import Injection
from orchwatchd.weave.gofile import GoFile, TopLevel, read_nodes
from orchwatchd.weave.nodes import GoNode

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
        self._originals: dict[str, bool] = {}
        self._templates: dict[int, Pattern] = {}  # by the advice's identity: the configuration outlives this

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
            and _words_of(aspect.join_point)(text)
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
            if declaration and self.woven.of(declaration):
                nodes = self._declared(declaration)
                self._exists[place] = self._anywhere(aspect.join_point, nodes) if nodes else Sure.NO
            else:
                self._exists[place] = self._in_file(aspect.join_point)
        return self._exists[place]

    def _anywhere(self, point: JoinPoint, nodes: Iterable[tuple[GoNode, Surroundings]]) -> Sure:
        found = Sure.NO
        for node, around in nodes:
            found = max(found, evaluate(point, Place(node), around))
            if node.body != (0, 0):
                found = max(found, evaluate(point, Place(node, body=True), around))
            if found is Sure.YES:
                break
        return found

    def _in_file(self, point: JoinPoint) -> Sure:
        """Whether a join point matches anywhere, where there is anything; only declarations are read whose text has the
        words that a match needs.
        """
        if self._is_empty:
            return evaluate(point, Place(), self.around)
        may_match, named = _words_of(point), _only_named_functions(point)

        def nodes_of(top: TopLevel) -> list[GoNode]:
            if not may_match(top.region):
                return []
            return top.function if named else top.nodes

        return self._anywhere(point, self._tops(nodes_of))

    @cached_property
    def _is_empty(self) -> bool:
        """Whether there is nothing that a join point can match; the head of one function already tells."""
        return not any(True for nodes_of in (_head_only, _all_nodes) for _ in self._tops(nodes_of))

    def _declared(self, declaration: str) -> list[tuple[GoNode, Surroundings]]:
        """The nodes of one declaration: the original's, and those of the woven file where the original has none."""
        if self.original is not None and self.original.of(declaration):
            return [(node, self.around_original) for node in unignored(self.original.of(declaration))]
        return [(node, self.around) for node in unignored(self.woven.of(declaration))]

    def _tops(self, nodes_of: Callable[[TopLevel], list[GoNode]]) -> Iterator[tuple[GoNode, Surroundings]]:
        """The nodes of declarations: the original's, and what only the woven file declares."""
        for top in self.original.tops if self.original is not None else ():
            yield from ((node, self.around_original) for node in unignored(nodes_of(top)))
        for top in self.woven.tops:
            new = (node for node in nodes_of(top) if not self._is_original(node.declaration))
            yield from ((node, self.around) for node in unignored(new))

    def _is_original(self, declaration: str) -> bool:
        """Whether the original declares it."""
        if declaration not in self._originals:
            self._originals[declaration] = self.original is not None and self.original.declares(declaration)
        return self._originals[declaration]

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

    def template(self, advice: Advice) -> Pattern:
        """The pattern of all templates of an advice."""
        known = self._templates.get(id(advice))
        if known is None:
            known = self._templates[id(advice)] = self.pattern(*advice.templates)
        return known

    def has(self, start: int, end: int, names: Iterable[str]) -> bool:
        """Whether all those identifiers stand between two bytes of the woven file, as far as a search tells."""
        find = self.context.woven.find
        return all(find(name.encode(), start, end) >= 0 for name in names)

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
        lengths = [len(line) + 1 for line in self.context.woven.split(b"\n")]
        return [0, *accumulate(lengths[:-1])]


def _head_only(top: TopLevel) -> list[GoNode]:
    return top.function if top.keyword == "func" else []


def _all_nodes(top: TopLevel) -> list[GoNode]:
    return top.nodes


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


def _only_named_functions(point: JoinPoint) -> bool:
    """Whether a join point can match nothing but declared functions: it asks for a name or a receiver."""
    if point.kind in {"all-of", "function-body"}:
        return any(map(_only_named_functions, point.children))
    if point.kind == "one-of":
        return bool(point.children) and all(map(_only_named_functions, point.children))
    options = point.children if point.kind == "function" else ()
    return any(
        (one.kind == "name" and one.value != "") or (one.kind == "receiver" and one.value != "false")
        for one in options
    )


def _words_of(point: JoinPoint) -> Callable[[bytes], bool]:
    """Tells of a text whether it can hold a match; words that a join point needs are sought as they are."""
    kind = point.kind
    if kind in {"all-of", "function", "function-body", "one-of"}:
        children = [_words_of(child) for child in point.children]
        together = any if kind == "one-of" else all
        return lambda text: together(child(text) for child in children)
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
    if not needed:
        return lambda _: True
    word = needed.encode()
    if kind == "struct-definition":
        return lambda text: b"struct" in text and _has_word(text, word)
    return lambda text: _has_word(text, word)


def _has_word(text: bytes, word: bytes) -> bool:
    """Whether a word stands in a text, and not only as a part of longer ones."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(word, at + 1)
    return False
