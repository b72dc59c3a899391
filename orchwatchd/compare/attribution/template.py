"""Go templates as patterns of tokens: literal parts must stand there, actions stand for anything.

A pattern is a small automaton. Every state leads on by literals (one token), by holes (any balanced tokens), or by
nothing at all: branches of `if`, bodies of `range` and `with` that may be absent or repeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from orchwatchd.aspects.lexer import HOLE, Token, code_tokens

_ACTION = re.compile(r"\{\{(-(?=\s))?\s*(.*?)\s*(?:(?<=\s)(-))?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_OPENERS = frozenset({"if", "range", "with", "define", "block"})


@dataclass(slots=True)
class Text:
    """A literal part, with holes where simple actions stand within it."""

    source: str
    dots: list[bool]


@dataclass(slots=True)
class Choice:
    """Branches of which one is taken; `optional` when none may be, `repeats` for a range."""

    branches: list[list[Text | Choice]]
    optional: bool
    repeats: bool


Part = Text | Choice


@dataclass(frozen=True, slots=True)
class Step:
    """One way on from a state: over `literal` (None: over a hole when `hole`, else over nothing)."""

    target: int
    literal: str | None = None
    hole: bool = False
    dot: bool = False


@dataclass(slots=True)
class Pattern:
    """The automaton of a template: state 0 is its start, `end` its end; `literals` counts literal tokens; `names` are
    identifiers that are on every way through it.
    """

    steps: list[list[Step]] = field(default_factory=lambda: [[]])
    end: int = 0
    literals: int = 0
    names: set[str] = field(default_factory=set)

    def state(self) -> int:
        self.steps.append([])
        return len(self.steps) - 1

    def literal(self, token: str) -> None:
        self.literals += 1
        target = self.state()
        self.steps[self.end].append(Step(target, literal=token))
        self.end = target

    def hole(self, *, dot: bool = False) -> None:
        target = self.state()
        self.steps[self.end].append(Step(target, hole=True, dot=dot))
        self.end = target


@dataclass(frozen=True, slots=True)
class Fit:
    """How a pattern covered tokens: the ranges of tokens under its `{{ . }}` and under all its holes."""

    dots: tuple[tuple[int, int], ...]
    holes: tuple[tuple[int, int], ...]


@lru_cache(maxsize=512)
def parse(source: str) -> tuple[Part, ...]:
    """Splits a template into literal parts and choices. Never raises: what is unbalanced is closed at the end."""
    return tuple(_parts(_pieces(_COMMENT.sub("", source)))[0])


def calls(source: str) -> set[str]:
    """Methods of the function that a template asks for (`Argument`, `Result` …): they can give names to parameters."""
    return set(re.findall(r"\.(Receiver|Argument\w*|Result\w*|LastResult\w*)\b", source))


def _pieces(source: str) -> Iterator[tuple[str, str]]:
    """(`text`, literal) and (`action`, its content) in turn, blanks trimmed as `{{-` and `-}}` say."""
    at, trim = 0, False
    for match in _ACTION.finditer(source):
        text = source[at : match.start()]
        text = text.lstrip() if trim else text
        yield "text", text.rstrip() if match[1] else text
        yield "action", match[2]
        at, trim = match.end(), bool(match[3])
    rest = source[at:]
    yield "text", rest.lstrip() if trim else rest


def _parts(pieces: Iterator[tuple[str, str]], *, rebound: bool = False) -> tuple[list[Part], str]:
    """The parts up to an `else` or `end` of the caller's, and that action; `rebound`: `.` is not the node."""
    parts: list[Part] = []
    text = Text("", [])
    for kind, content in pieces:
        if kind == "text":
            text.source += content
            continue
        word = content.split(maxsplit=1)[0] if content else ""
        if word in {"end", "else"}:
            return [*parts, text], content
        if word in _OPENERS:
            parts += [text, _choice(word, pieces, rebound=rebound)]
            text = Text("", [])
        elif _prints(content, word):
            text.source += HOLE
            text.dots.append(content == "." and not rebound)
    return [*parts, text], "end"


def _prints(content: str, word: str) -> bool:
    assigns = re.match(r"\$\w*(\s*,\s*\$\w*)?\s*:?=(?!=)", content) is not None
    return not assigns and word not in {"break", "continue", ""}


def _choice(word: str, pieces: Iterator[tuple[str, str]], *, rebound: bool) -> Choice:
    branches: list[list[Part]] = []
    has_else = False
    while True:
        branch, closer = _parts(pieces, rebound=rebound or word in {"range", "with"})
        branches.append(branch)
        words = closer.split()
        if words[:1] != ["else"]:
            break
        has_else = len(words) == 1
    if word in {"define", "block"}:
        branches = [[Text(HOLE, [False])]]
    return Choice(branches, optional=not has_else, repeats=word == "range")


Normalise = Callable[[list[Token]], list[str]]


def compile_parts(
    pattern: Pattern, parts: Sequence[Part], normalise: Normalise, *, always: bool = True
) -> None:
    """Adds the parts of a template to the end of a pattern; `normalise` gives the tokens their comparable form.
    `always` is False in a branch that can be left out.
    """
    for part in parts:
        if isinstance(part, Text):
            _compile_text(pattern, part, normalise, always=always)
            continue
        start, end = pattern.end, pattern.state()
        for branch in part.branches:
            pattern.end = pattern.state()
            pattern.steps[start].append(Step(pattern.end))
            compile_parts(pattern, branch, normalise, always=False)
            pattern.steps[pattern.end].append(Step(start if part.repeats else end))
        if part.optional or part.repeats:
            pattern.steps[start].append(Step(end))
        pattern.end = end


def _compile_text(pattern: Pattern, part: Text, normalise: Normalise, *, always: bool) -> None:
    dots = iter(part.dots)
    for token in normalise(code_tokens(part.source)):
        count = token.count(HOLE)
        found = [next(dots, False) for _ in range(count)]
        if token == HOLE * count and count:
            for dot in found:
                pattern.hole(dot=dot)
        else:
            pattern.literal(token)
            if always and token.isidentifier():
                pattern.names.add(token)


def match(
    pattern: Pattern, tokens: Sequence[str], *, part_of: bool = False, begins: bool = False
) -> Fit | None:
    """How `pattern` covers all of `tokens`, or None. With `part_of` it may begin at any declaration of the template and
    end anywhere: a template's declarations are several injections. With `begins` the tokens may be its beginning alone.
    """
    starts = [0]
    if part_of:
        keywords = {"func", "type", "var", "const"}
        starts += [
            at for at, ways in enumerate(pattern.steps) if any(way.literal in keywords for way in ways)
        ]
    search = _Search(pattern, tokens, ends=None if part_of or begins else {pattern.end})
    for start in dict.fromkeys(starts):
        trail = search.run(start, 0)
        if trail is not None:
            holes = tuple((a, b) for a, b, _ in trail)
            return Fit(tuple((a, b) for a, b, dot in trail if dot), holes)
    return None


Trail = list[tuple[int, int, bool]]


@dataclass(slots=True)
class _Search:
    pattern: Pattern
    tokens: Sequence[str]
    ends: set[int] | None
    failed: set[tuple[int, int]] = field(default_factory=set)

    def run(self, state: int, at: int) -> Trail | None:
        """The holes on a way from here to an end, or None. Explicit stack: templates can be long."""
        stack: list[tuple[int, int, Trail]] = [(state, at, [])]
        while stack:
            state, at, trail = stack.pop()
            if at == len(self.tokens) and (self.ends is None or state in self.ends):
                return trail
            if (state, at) in self.failed:
                continue
            self.failed.add((state, at))
            for step in reversed(self.pattern.steps[state]):
                stack.extend((step.target, then, more) for then, more in self._over(step, at, trail))
        return None

    def _over(self, step: Step, at: int, trail: Trail) -> Iterator[tuple[int, Trail]]:
        if step.literal is not None:
            if at < len(self.tokens) and _same(step.literal, self.tokens[at]):
                yield at + 1, trail
        elif step.hole:
            ends = [at, *self._balanced(at)]
            if (literals := self._literals_after(step.target)) is not None:
                ends = [end for end in ends if end < len(self.tokens) and self.tokens[end] in literals]
            for end in reversed(ends):  # the stack takes the shortest first
                yield end, [*trail, (at, end, step.dot)]
        else:
            yield at, trail

    def _literals_after(self, state: int) -> set[str] | None:
        """The tokens of which one has to follow in a state; None where others may, or nothing."""
        literals = {step.literal for step in self.pattern.steps[state]}
        if None in literals or any(HOLE in one for one in literals if one):
            return None
        if state == self.pattern.end or self.ends is None:
            return None
        return {one for one in literals if one is not None}

    def _balanced(self, at: int) -> Iterator[int]:
        """Ends of runs from `at` that close every bracket which they open and no other."""
        depth = 0
        for end in range(at, len(self.tokens)):
            token = self.tokens[end]
            depth += (token in {"(", "[", "{"}) - (token in {")", "]", "}"})
            if depth < 0:
                return
            if depth == 0:
                yield end + 1


@lru_cache(maxsize=4096)
def _glob(literal: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in literal.split(HOLE)), re.DOTALL)


def _same(literal: str, token: str) -> bool:
    return _glob(literal).fullmatch(token) is not None if HOLE in literal else literal == token
