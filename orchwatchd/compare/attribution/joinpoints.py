"""Does a join point match a place of a file? Yes, no, or maybe: what only a type checker could tell is maybe."""

from __future__ import annotations

from dataclasses import dataclass

from orchwatchd.compare.attribution.packages import Sure, filter_matches, parse_type, yes
from orchwatchd.models.aspect import JoinPoint
from orchwatchd.weave.gofile import GoFile
from orchwatchd.weave.nodes import GoNode, TypeName


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a join point can ask about a file as a whole: its package's import path, the root module, and whether it is
    a generated test main (None: not known).
    """

    package: str
    root: str
    file: GoFile
    test_main: bool | None = False


@dataclass(frozen=True, slots=True)
class Place:
    """A node, or the body of a function (`body`). Without a node it is any place of the file."""

    node: GoNode | None = None
    body: bool = False


# The values of Orchestrion v1.15.0 for `configuration`.
_CONFIGURATION = {"httpmode": "wrap"}
_ABOUT_FILES = frozenset({"import-path", "package-name", "package-filter", "test-main", "configuration"})


def evaluate(point: JoinPoint, place: Place, around: Surroundings) -> Sure:
    """Whether `point` matches `place`, by the rules of Orchestrion v1.15.0."""
    kind = point.kind
    if kind == "all-of":
        found = [evaluate(child, place, around) for child in point.children]
        return min(found, default=Sure.NO)
    if kind == "one-of":
        return max((evaluate(child, place, around) for child in point.children), default=Sure.NO)
    if kind == "not":
        return Sure(2 - evaluate(point.children[0], place, around))
    if kind in _ABOUT_FILES:
        return _about_file(point, around)
    node = place.node
    if node is None:
        return Sure.MAYBE
    if kind == "function-body":
        if not place.body:
            return Sure.NO
        return evaluate(point.children[0], Place(node), around)
    if kind == "directive":
        return Sure.NO if place.body else _directive(point.value, node)
    if place.body:
        return Sure.NO if kind in _NODES else Sure.MAYBE
    check = _NODES.get(kind)
    return check(point, node, around) if check else Sure.MAYBE


def _about_file(point: JoinPoint, around: Surroundings) -> Sure:
    if point.kind == "import-path":
        return yes(point.value == around.package)
    if point.kind == "package-name":
        return yes(point.value == around.file.package)
    if point.kind == "package-filter":
        return filter_matches(point, around.package, around.root)
    if point.kind == "test-main":
        return Sure.MAYBE if around.test_main is None else yes((point.value == "true") == around.test_main)
    answers = [
        yes(_CONFIGURATION[key] == value) if key in _CONFIGURATION else Sure.MAYBE
        for key, value in point.fields
    ]
    return min(answers, default=Sure.YES)


def _matches(wanted: TypeName, found: TypeName | None) -> Sure:
    """A type as written in the file against one of a join point."""
    if found is None or found.other or wanted.other:
        return Sure.NO
    if wanted.name != found.name or wanted.pointer != found.pointer:
        return Sure.MAYBE if found.path is None and not found.name else Sure.NO
    if found.path is None:
        return Sure.MAYBE
    return yes(wanted.path == found.path)


def _directive(name: str, node: GoNode) -> Sure:
    for comments, answer in ((node.directives, Sure.YES), (node.doubtful, Sure.MAYBE)):
        for comment in comments:
            rest = comment.removeprefix(name) if comment.startswith(name) else "x"
            if not rest or rest[0].isspace():
                return answer
    return Sure.NO


def _function(point: JoinPoint, node: GoNode, around: Surroundings) -> Sure:
    if node.kind not in {"function", "literal"}:
        return Sure.NO
    return min((_option(option, node, around) for option in point.children), default=Sure.YES)


def _option(option: JoinPoint, node: GoNode, around: Surroundings) -> Sure:
    if option.kind == "name":
        return yes(option.value == node.name)
    if option.kind == "receiver":
        if option.value in {"true", "false"}:
            return yes((node.receiver is not None) == (option.value == "true"))
        wanted = parse_type(option.value)
        if node.receiver is None or wanted.path != around.package:
            return Sure.NO
        return _matches(TypeName(wanted.name, "", wanted.pointer), node.receiver)
    wanted_types = [(key, parse_type(value)) for key, value in option.fields]
    if option.kind == "signature":
        answers = []
        for key, fields in (("args", node.parameters), ("returns", node.results)):
            wanted_here = [one for name, one in wanted_types if name == key]
            if len(wanted_here) != len(fields):
                return Sure.NO
            answers += [_matches(one, field) for one, field in zip(wanted_here, fields, strict=True)]
        return min(answers, default=Sure.YES)
    if option.kind == "signature-contains":
        sides = {"args": node.parameters, "returns": node.results}
        return max((_matches(one, f) for key, one in wanted_types for f in sides[key]), default=Sure.NO)
    return _implements(option, node)


def _implements(option: JoinPoint, node: GoNode) -> Sure:
    """A type named outright matches; whether another implements it only a type checker can tell."""
    fields = node.parameters if option.kind == "argument-implements" else node.results
    if option.kind == "final-result-implements":
        fields = fields[-1:]
    elif option.kind not in {"result-implements", "argument-implements"}:
        return Sure.MAYBE
    if not fields:
        return Sure.NO
    exact = any(_matches(parse_type(option.value), field) is Sure.YES for field in fields)
    return Sure.YES if exact else Sure.MAYBE


def _struct_definition(point: JoinPoint, node: GoNode, around: Surroundings) -> Sure:
    wanted = parse_type(point.value)
    return yes(node.kind == "struct" and node.name == wanted.name and around.package == wanted.path)


def _struct_literal(point: JoinPoint, node: GoNode, _: Surroundings) -> Sure:
    wanted = parse_type(point.get("type"))
    field, match = point.get("field"), point.get("match")
    if field:
        owner = node.parent
        if node.kind != "pair" or node.name != field or owner is None or owner.kind != "composite":
            return Sure.NO
        return _matches(wanted, owner.type)
    if match == "pointer-only":
        return _matches(wanted, node.type) if node.kind == "address" else Sure.NO
    if node.kind != "composite":
        return Sure.NO
    behind = node.parent is not None and node.parent.kind == "address" and node.parent.end == node.end
    return Sure.NO if match == "value-only" and behind else _matches(wanted, node.type)


def _function_call(point: JoinPoint, node: GoNode, around: Surroundings) -> Sure:
    if node.kind != "call" or node.callee is None:
        return Sure.NO
    path, _, name = point.value.rpartition(".")
    if node.callee.other:
        return Sure.NO
    if node.caller is not None and node.callee.name == name and path in around.file.unnamed:
        return Sure.MAYBE  # the qualifier may be the package's own name, which its path does not tell
    return _matches(TypeName(name, path), node.callee)


def _method_call(point: JoinPoint, node: GoNode, around: Surroundings) -> Sure:
    if node.kind != "call" or node.callee is None or node.callee.name != point.get("name"):
        return Sure.NO
    if node.caller is None:
        return Sure.NO  # a function of an imported package, or of the own one
    if node.caller.other:
        return Sure.MAYBE
    if node.caller.path is None and not node.caller.name:
        return Sure.MAYBE
    match = point.get("match")
    if (match == "pointer-only" and not node.caller.pointer) or (
        match == "value-only" and node.caller.pointer
    ):
        return Sure.NO
    receiver = parse_type(point.get("receiver"))
    path = "" if receiver.path == around.package else receiver.path
    return _matches(TypeName(receiver.name, path), TypeName(node.caller.name, node.caller.path))


def _declaration_of(point: JoinPoint, node: GoNode, around: Surroundings) -> Sure:
    path, _, name = point.value.rpartition(".")
    if path != around.package:
        return Sure.NO
    if node.kind == "function":
        return yes(node.name == name)
    return yes(node.kind == "value" and node.top_level and name in node.names)


def _value_declaration(point: JoinPoint, node: GoNode, _: Surroundings) -> Sure:
    if node.kind != "value":
        return Sure.NO
    return Sure.YES if node.type is None else _matches(parse_type(point.value), node.type)


_NODES = {
    "function": _function,
    "struct-definition": _struct_definition,
    "struct-literal": _struct_literal,
    "function-call": _function_call,
    "method-call": _method_call,
    "declaration-of": _declaration_of,
    "value-declaration": _value_declaration,
}
