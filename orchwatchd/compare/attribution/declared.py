"""Who made what is no expression: statements, declarations, linknames, fields, signatures and imports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchwatchd.compare.attribution import template
from orchwatchd.compare.attribution.decide import Candidate
from orchwatchd.compare.attribution.facts import FileFacts
from orchwatchd.compare.attribution.joinpoints import Place, evaluate
from orchwatchd.compare.attribution.packages import Sure
from orchwatchd.models.aspect import Advice, Aspect
from orchwatchd.models.injection import Attribution, Certainty, Injection, InjectionKind
from orchwatchd.weave.nodes import GoNode, import_name

_ROLE = re.compile(r"__(argument|result|receiver)__\d+")


def statements(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects whose prepend-statements is that block, at the body of the innermost function around it."""
    function = enclosing_function(facts, facts.offset(injection.line))
    if function is None:
        return
    tokens = facts.normal(injection.code)
    for aspect, advice in facts.advice("prepend-statements"):
        sure = evaluate(aspect.join_point, Place(function, body=True), facts.around)
        if sure and _fits_block(facts, advice, tokens):
            yield Candidate(aspect, sure)


def _fits_block(facts: FileFacts, advice: Advice, tokens: Sequence[str]) -> bool:
    pattern = facts.pattern(*advice.templates, before="{", after="}")
    return template.match(pattern, tokens) is not None


def without_double_claims(facts: FileFacts, found: Sequence[Attribution]) -> Iterator[Attribution]:
    """The attributions of all the file's injections, less sure where one advice is said to have made two blocks of one
    body: at least one of them is another's work.
    """
    claims: Counter[tuple[str, int]] = Counter()
    claimed: dict[int, tuple[str, int]] = {}
    for at, (injection, said) in enumerate(zip(facts.injections, found, strict=True)):
        if injection.kind is InjectionKind.STATEMENTS and said.aspect:
            function = enclosing_function(facts, facts.offset(injection.line))
            claimed[at] = said.aspect, function.start if function else -1
            claims[claimed[at]] += 1
    advice = Counter(str(aspect.key) for aspect, _ in facts.advice("prepend-statements"))
    for at, said in enumerate(found):
        double = at in claimed and claims[claimed[at]] > advice[claimed[at][0]]
        exact = said.certainty is Certainty.EXACT
        yield replace(said, certainty=Certainty.LIKELY) if double and exact else said


def enclosing_function(facts: FileFacts, offset: int) -> GoNode | None:
    """The innermost function or function literal whose body holds the byte `offset`, which is not its own start."""
    around = [n for n in facts.woven.around(offset) if n.body[0] < offset < n.body[1]]
    return max(around, key=lambda node: node.body[0], default=None)


def declarations(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects that inject that declaration; blocks that others wove into it in turn are taken out first."""
    tokens = facts.normal(injection.code)
    stripped, also = _without_woven_blocks(facts, injection, tokens)
    for aspect, advice in facts.advice("inject-declarations"):
        sure = facts.exists(aspect)
        if not sure:
            continue
        pattern = facts.template(advice)
        if template.match(pattern, tokens, part_of=True):
            yield Candidate(aspect, sure)
        elif also and template.match(pattern, stripped, part_of=True):
            yield Candidate(aspect, sure, also=also)


def _without_woven_blocks(
    facts: FileFacts, injection: Injection, tokens: list[str]
) -> tuple[list[str], tuple[str, ...]]:
    """The tokens without the blocks that other aspects prepended to bodies in it, and the keys of those aspects."""
    if not any(True for _ in facts.advice("prepend-statements")):
        return tokens, ()
    functions = [
        node
        for node in facts.woven.on_lines(injection.line, injection.last_line)
        if node.kind == "function" and injection.line <= node.line <= injection.last_line
    ]
    found: list[str] = []
    for function in functions:
        for aspect, advice in facts.advice("prepend-statements"):
            sure = evaluate(aspect.join_point, Place(function, body=True), facts.around)
            block = next(
                (b for b in _blocks(tokens) if sure and _fits_block(facts, advice, tokens[b[0] : b[1]])), None
            )
            if block:
                tokens = tokens[: block[0]] + tokens[block[1] :]
                found.append(str(aspect.key))
    return tokens, tuple(found)


def _blocks(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Blocks that begin a body: `{` right after `{`."""
    for at in range(1, len(tokens)):
        if tokens[at] == "{" and tokens[at - 1] in {"{", "}"}:
            depth = 0
            for end in range(at, len(tokens)):
                depth += (tokens[end] == "{") - (tokens[end] == "}")
                if depth == 0:
                    yield at, end + 1
                    break


def linknames(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects whose template has that `//go:linkname` comment."""
    wanted = injection.code.split()
    for aspect, advice in facts.advice("inject-declarations"):
        source = re.sub(
            r"\{\{.*?\}\}", "\0", "\n".join(one.source for one in advice.templates), flags=re.DOTALL
        )
        lines = (line.split() for line in source.splitlines() if line.strip().startswith("//go:linkname"))
        if any(_words_fit(line, wanted) for line in lines):
            yield Candidate(aspect, facts.exists(aspect))


def _words_fit(pattern: Sequence[str], words: Sequence[str]) -> bool:
    return len(pattern) == len(words) and all(
        re.fullmatch(re.escape(one).replace("\0", ".*"), word)
        for one, word in zip(pattern, words, strict=True)
    )


def fields(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects that add that field to the struct around it."""
    offset = facts.offset(injection.line)
    structs = [n for n in facts.woven.around(offset) if n.kind == "struct" and n.start < offset]
    if not structs:
        return
    struct = max(structs, key=lambda node: node.start)
    tokens = facts.normal(injection.code)
    for aspect, advice in facts.advice("add-struct-field"):
        if tokens == [advice.value, *facts.type_tokens(advice.type)]:
            yield Candidate(aspect, evaluate(aspect.join_point, Place(struct), facts.around))


def signatures(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects whose templates ask for parameters or results of that function, which gives names to unnamed ones."""
    roles = set(_ROLE.findall(injection.code))
    offset = facts.offset(injection.line)
    inside = [n for n in facts.woven.around(offset) if n.kind in {"function", "literal"}]
    functions = [n for n in inside if n.line <= injection.line <= n.last_line]
    if not functions:
        return
    function = max(functions, key=lambda node: node.start)
    for aspect in facts.aspects:
        asked = {
            name.lower() for a in aspect.advice for t in a.templates for name in template.calls(t.source)
        }
        used = {role for role in roles if any(role in name for name in asked)}
        if asked and (used or not roles):
            sure = _in_function(facts, aspect, function)
            if sure:
                yield Candidate(aspect, sure, whole=used == roles)


def _in_function(facts: FileFacts, aspect: Aspect, function: GoNode) -> Sure:
    """Whether the aspect matches the function's body, the function, or anything in it."""
    found = evaluate(aspect.join_point, Place(function, body=True), facts.around)
    for node in (facts.original or facts.woven).of(function.declaration):
        found = max(found, evaluate(aspect.join_point, Place(node), facts.around_original))
    return found


def imports(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects that match in this file and whose advice brings that import. Several may need it: all are named."""
    name, path = _import_spec(injection.code)
    for aspect in facts.aspects:
        fits = [fit for advice in aspect.advice if (fit := _brings(advice, name, path)) is not None]
        if fits and (sure := facts.exists(aspect)):
            yield Candidate(aspect, sure, whole=any(fits))


def linked(facts: FileFacts, injection: Injection) -> Iterator[Candidate]:
    """Aspects of the whole configuration that bring a link dependency; where they matched, this file does not tell."""
    _, path = _import_spec(injection.code)
    for aspect in facts.configuration.aspects:
        paths = {p for advice in aspect.advice for p in (*advice.links, *_import_paths(advice))}
        if path in paths:
            yield Candidate(aspect, Sure.MAYBE)


def _import_spec(code: str) -> tuple[str, str]:
    match = re.search(r"(?:import\s+)?([\w.]*)\s*[\"`]([^\"`]*)[\"`]", code)
    return (match[1], match[2]) if match else ("", "")


def _import_paths(advice: Advice) -> Iterator[str]:
    if advice.kind == "add-blank-import":
        yield advice.value
    elif advice.kind == "replace-function":
        yield advice.value.rpartition(".")[0]
    else:
        yield advice.type.lstrip("*").rpartition(".")[0]
    for one in advice.templates:
        yield from (path for _, path in one.imports)


def _brings(advice: Advice, name: str, path: str) -> bool | None:
    """Whether the advice brings the import, under that very name; None when it does not."""
    if path == "unsafe" and advice.links:
        return name == "_"
    if path not in set(_import_paths(advice)):
        return None
    if advice.kind == "add-blank-import":
        return name == "_"
    aliases = {"__orchestrion_" + alias for one in advice.templates for alias, p in one.imports if p == path}
    return name in aliases or name == "__orchestrion_" + import_name(path)
