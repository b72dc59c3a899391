"""Who made an expression: a wrapped one, appended arguments, a replaced function, an assigned value.

A wrap is found by trying templates on the expressions of the woven file itself: what stands under `{{ . }}` is the node
that was wrapped, and its counterpart in the original is what the join point is held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from orchwatchd.aspects.lexer import Token
from orchwatchd.compare.attribution import template
from orchwatchd.compare.attribution.decide import Candidate
from orchwatchd.compare.attribution.facts import FileFacts, unignored
from orchwatchd.compare.attribution.joinpoints import Place, evaluate
from orchwatchd.compare.attribution.packages import Sure
from orchwatchd.models.aspect import Advice, Aspect, JoinPoint
from orchwatchd.models.injection import Injection, InjectionKind
from orchwatchd.weave.nodes import GoNode


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of tokens of the woven file, with its byte offsets."""

    start: int
    end: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """An advice whose template covers an expression: `own` are the byte offsets of the tokens that it wrote itself,
    `dots` those at which what stands under `{{ . }}` begins.
    """

    aspect: Aspect
    region: tuple[int, int]
    own: frozenset[int]
    dots: tuple[int, ...]
    sure: Sure = Sure.NO


def expressions(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Every aspect that can have made the expression."""
    yield from _assigned(facts, injection)
    yield from _replaced(facts, injection)
    yield from _appended(facts, injection)
    yield from _wrapped(facts, injection)


def _assigned(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    found = list(facts.advice("assign-value"))
    if not found:
        return
    near = facts.woven.on_lines(injection.line, injection.line)
    values = [n for n in near if n.kind == "value" and n.line <= injection.line <= n.last_line]
    tokens = facts.normal(injection.code)
    for aspect, advice in found:
        pattern = facts.pattern(*advice.templates, before="=")
        if template.match(pattern, tokens) or template.match(facts.template(advice), tokens):
            answers = (evaluate(aspect.join_point, Place(node), facts.around) for node in values)
            yield Candidate(aspect, max(answers, default=Sure.NO))


def _replaced(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    tokens = facts.normal(injection.code)
    for aspect, advice in facts.advice("replace-function"):
        if tokens == facts.type_tokens(advice.value):
            yield Candidate(aspect, _at_line(facts, aspect.join_point, injection))


def _at_line(facts: FileFacts, point: JoinPoint, injection: Injection) -> Sure:
    """Whether the join point matches anything of the original that stands at the injection's line."""
    if facts.original is None:
        return Sure.MAYBE
    nodes = [
        node
        for node in unignored(facts.original.on_lines(injection.original_line, injection.original_line))
        if node.line <= injection.original_line <= node.last_line and node.kind not in {"function", "literal"}
    ]
    found = [evaluate(point, Place(node), facts.around_original) for node in nodes]
    return max(found, default=Sure.NO)


def _appended(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    region = locate(facts, injection)
    if region is None:
        return
    near = facts.woven.between(region.start, region.end)
    calls = [n for n in near if n.kind == "call" and n.start < region.start and region.end <= n.end]
    if not calls:
        return
    call = max(calls, key=lambda node: node.start)
    original = counterpart(facts, call, injection)
    tokens = facts.normal(injection.code)
    for aspect, advice in facts.advice("append-args"):
        patterns = [facts.pattern(one) for one in advice.templates]
        patterns.append(facts.template(advice))
        spread = template.match(_spread(facts, advice), tokens, begins=True)
        if spread or any(template.match(pattern, tokens) for pattern in patterns):
            yield Candidate(aspect, _evaluate_both(facts, aspect.join_point, call, original))


def _spread(facts: FileFacts, advice: Advice) -> template.Pattern:
    """What append-args makes of `options...`: a function that copies the slice and appends to it."""
    kind = facts.type_tokens(advice.type)
    head = ["func", "(", "opts", "...", *kind, ")", "[", "]", *kind, "{", "return", "append", "("]
    head += ["append", "(", "[", "]", *kind, "{", "}", "opts", "...", ")"]
    pattern = facts.pattern(*advice.templates, before=head, after=[")", "}", "("])
    pattern.hole()
    for token in ("...", ")", "..."):
        pattern.literal(token)
    return pattern


def _wrapped(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Wraps around or within the expression. Where several aspects certainly made a part each, the outermost is named
    and the others are `also`; where parts compete or are doubtful, none is whole.
    """
    region = locate(facts, injection)
    if region is None:
        return
    offsets = {token.start for token in region.tokens}
    for inner in _regions_within(facts, region):
        offsets -= {token.start for token in inner.tokens}
    found = _distinct([one for one in _applications(facts, injection, region) if one.own & offsets])
    sole = all(one.own.isdisjoint(two.own) for one in found for two in found if one is not two)
    covered = all(any(one.region[0] <= at < one.region[1] for one in found) for at in offsets)
    if found and sole and covered and all(one.sure is Sure.YES for one in found):
        main = max(found, key=lambda one: (one.region[1] - one.region[0], -one.region[0]))
        others = {str(one.aspect.key) for one in found} - {str(main.aspect.key)}
        yield Candidate(main.aspect, Sure.YES, also=tuple(sorted(others)))
        return
    for one in found:
        apart = any(one.own.isdisjoint(two.own) for two in found)
        yield Candidate(one.aspect, one.sure, whole=covered and not apart)


def _distinct(found: list[Application]) -> list[Application]:
    """One application for each aspect and place: `&T{}` and the `T{}` within may both fit one template."""
    kept: list[Application] = []
    for one in sorted(found, key=lambda one: (one.sure, len(one.own)), reverse=True):
        if all(one.aspect is not two.aspect or one.own.isdisjoint(two.own) for two in kept):
            kept.append(one)
    return kept


def _regions_within(facts: FileFacts, region: Region) -> Iterator[Region]:
    """Where other injections stand within this one: what they hold is not its own."""
    for other in facts.injections:
        if other.kind is InjectionKind.EXPRESSION:
            inner = locate(facts, other)
            if inner and region.start <= inner.start and inner.end <= region.end and inner != region:
                yield inner


def _applications(facts: FileFacts, injection: Injection, region: Region) -> list[Application]:
    """Wraps whose template covers an expression of the woven file that has some of the injection's tokens."""
    near = facts.woven.expressions(region.start, region.end)
    fits = [
        fit
        for aspect, advice in facts.advice("wrap-expression")
        for start, end in dict.fromkeys(near)
        if (fit := _fit(facts, aspect, advice, start, end))
    ]
    judged: list[Application] = []
    for one in sorted(fits, key=lambda fit: fit.region[1] - fit.region[0]):
        sure = _wrapped_node(facts, one, injection, judged)
        if sure:
            judged.append(replace(one, sure=sure))
    return judged


def _fit(facts: FileFacts, aspect: Aspect, advice: Advice, start: int, end: int) -> Application | None:
    pattern = facts.template(advice)
    if not facts.has(start, end, pattern.names):
        return None
    tokens = _slice(facts, start, end)
    fit = template.match(pattern, facts.normaliser()(tokens))
    if fit is None:
        return None
    kept = _positions(facts, tokens)
    held = {kept[at] for a, b in fit.holes for at in range(a, b)}
    own = frozenset(at for at in kept if at not in held)
    dots = tuple(kept[a] for a, b in fit.dots if a < b)
    return Application(aspect, (start, end), own, dots) if own else None


def _slice(facts: FileFacts, start: int, end: int) -> list[Token]:
    """The tokens of a byte range, with byte offsets in the woven file."""
    text = facts.context.woven[start:end].decode("utf-8", "surrogateescape")
    ascii_only = text.isascii()
    shift = [] if ascii_only else _byte_offsets(text)
    return [
        Token(t.kind, t.text, start + (t.start if ascii_only else shift[t.start]), 0)
        for t in facts.tokens(text)
    ]


def _byte_offsets(text: str) -> list[int]:
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode("utf-8", "surrogateescape")))
    return offsets


def _positions(facts: FileFacts, tokens: Sequence[Token]) -> list[int]:
    """The byte offset of each token that remains after normalising (the own package's qualifiers go)."""
    numbered = [Token("name" if t.kind == "name" else "x", t.text, t.start, t.end) for t in tokens]
    kept: list[int] = []
    skip = False
    paths, own = facts.woven.imports, facts.context.package
    for at, token in enumerate(numbered):
        if skip:
            skip = False
            continue
        qualifies = at + 1 < len(numbered) and numbered[at + 1].text == "."
        selected = at > 0 and numbered[at - 1].text == "."
        if token.kind == "name" and qualifies and not selected and paths.get(token.text) == own:
            skip = True
        else:
            kept.append(token.start)
    return kept


def _wrapped_node(
    facts: FileFacts, one: Application, injection: Injection, inner: Sequence[Application]
) -> Sure:
    """Whether the aspect's join point matches what was wrapped: the node under `{{ . }}` or the pair that it is in.
    Where another aspect (of `inner`) certainly wrapped that node first, its own node counts.
    """
    if not one.dots:
        return _at_line(facts, one.aspect.join_point, injection)
    start, end = one.region
    starts = set(one.dots)
    for other in reversed(inner):
        if other.sure is Sure.YES and other.region[0] in starts and other.region[1] <= end:
            starts.update(other.dots if other.region != one.region else ())
    near = facts.woven.between(start, end)
    pairs = [n for n in near if n.kind == "pair" and n.end == end and n.start < start]
    nodes = [n for n in near if n.start in starts and n.end <= end and n.kind != "pair"]
    nodes += pairs[-1:]
    point = one.aspect.join_point
    found = (_evaluate_both(facts, point, n, counterpart(facts, n, injection)) for n in nodes)
    return max(found, default=Sure.NO)


def counterpart(facts: FileFacts, node: GoNode, injection: Injection) -> GoNode | None:
    """The node of the original that a woven node comes from: the same in its declaration, in the same place among
    equals, or the only one at the injection's line.
    """
    if facts.original is None:
        return None
    same = _alike(facts.original.of(node.declaration), node)
    twins = _alike(facts.woven.of(node.declaration), node)
    if len(same) == len(twins):
        return same[next(at for at, twin in enumerate(twins) if twin is node)]
    near = [one for one in same if one.line <= injection.original_line <= one.last_line]
    return near[0] if len(near) == 1 else None


def _alike(nodes: Sequence[GoNode], node: GoNode) -> list[GoNode]:
    wanted = (node.kind, node.declaration, node.callee, node.type, node.name)
    return [n for n in nodes if (n.kind, n.declaration, n.callee, n.type, n.name) == wanted]


def _evaluate_both(facts: FileFacts, point: JoinPoint, node: GoNode, original: GoNode | None) -> Sure:
    """The original's node decides; without one the woven node does, and cannot be sure."""
    if original is not None:
        return evaluate(point, Place(original), facts.around_original)
    return min(evaluate(point, Place(node), facts.around), Sure.MAYBE)


def locate(facts: FileFacts, injection: Injection) -> Region | None:
    """Where the injection's tokens stand in the woven file, or None when its lines do not have them in a row."""
    wanted = [token.text for token in facts.tokens(injection.code)]
    start, end = facts.offset(injection.line), facts.line_end(injection.last_line)
    tokens = _slice(facts, facts.line_start(injection.line), end)
    texts = [token.text for token in tokens]
    if not wanted or start >= end:
        return None
    for at in range(len(texts) - len(wanted) + 1):
        if texts[at : at + len(wanted)] == wanted:
            found = tuple(tokens[at : at + len(wanted)])
            last = found[-1]
            return Region(
                found[0].start, last.start + len(last.text.encode("utf-8", "surrogateescape")), found
            )
    return None
