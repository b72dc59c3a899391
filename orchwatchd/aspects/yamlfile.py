"""Reads one `orchestrion.yml`: the only home of the YAML library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from orchwatchd.models.aspect import Advice, JoinPoint, Template

_COMPOUND = frozenset({"all-of", "one-of"})
_WRAPPERS = frozenset({"not", "function-body"})
_RECORDS = frozenset({"struct-literal", "method-call", "configuration"})
_PLAIN = frozenset(
    {
        "declaration-of",
        "directive",
        "function-call",
        "import-path",
        "package-name",
        "struct-definition",
        "test-main",
        "value-declaration",
    }
)
_TEMPLATED = frozenset({"prepend-statements", "inject-declarations", "wrap-expression", "assign-value"})


class BadFileError(Exception):
    """The file is not a configuration; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class RawAspect:
    """An aspect as its file has it, before it is known which package brings it."""

    id: str
    join_point: JoinPoint
    advice: tuple[Advice, ...]
    tracer_internal: bool


@dataclass(frozen=True, slots=True)
class YamlFile:
    """One configuration file: `meta.name`, the files and folders that it extends, its aspects, and sentences about
    aspects that could not be read (they keep their place among the indices).
    """

    name: str
    extends: tuple[str, ...]
    aspects: tuple[tuple[int, RawAspect], ...]
    problems: tuple[str, ...]


@cache
def _loader() -> Any:
    """Reads scalars as Orchestrion's YAML 1.2 library does: `on`, `yes`, `12:30` and dates are plain text."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    kept = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
    resolvers = {
        first: [resolver for resolver in found if resolver[0] in kept]
        for first, found in base.yaml_implicit_resolvers.items()
    }
    return type("PlainLoader", (base,), {"yaml_implicit_resolvers": resolvers})


def parse(data: bytes) -> YamlFile:
    """Reads a configuration file. Raises BadFileError when it is not YAML or not a mapping."""
    import yaml

    try:
        document = next(iter(yaml.load_all(data, Loader=_loader())), None)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        reason = getattr(error, "problem", None) or "it cannot be decoded"
        raise BadFileError(f"not valid YAML: {reason}{place}") from error
    except RecursionError as error:
        raise BadFileError("not valid YAML: nested too deeply") from error
    if not isinstance(document, Mapping):
        raise BadFileError("not a configuration: the top level is no mapping")
    aspects, problems = [], []
    for index, node in enumerate(_list(document.get("aspects"))):
        try:
            aspects.append((index, _aspect(node)))
        except BadFileError as error:
            problems.append(f"aspect {index}: {error}")
    meta = document.get("meta")
    name = _text(meta.get("name")) if isinstance(meta, Mapping) else ""
    extends = tuple(_text(item) for item in _list(document.get("extends")))
    return YamlFile(name, extends, tuple(aspects), tuple(problems))


def _list(node: Any) -> Sequence[Any]:
    return node if isinstance(node, list) else []


def _text(node: Any) -> str:
    return "" if node is None else node if isinstance(node, str) else json.dumps(node, sort_keys=True)


def _singleton(node: Any, what: str) -> tuple[str, Any]:
    if not isinstance(node, Mapping) or len(node) != 1:
        raise BadFileError(f"{what} must be a mapping with exactly one key")
    ((key, value),) = node.items()
    return str(key), value


def _aspect(node: Any) -> RawAspect:
    if not isinstance(node, Mapping) or "join-point" not in node or "advice" not in node:
        raise BadFileError("it needs the keys join-point and advice")
    advice = node["advice"]
    return RawAspect(
        id=_text(node.get("id")),
        join_point=_join_point(node["join-point"]),
        advice=tuple(_advice(item) for item in (advice if isinstance(advice, list) else [advice])),
        tracer_internal=_text(node.get("tracer-internal")) == "true",
    )


def _join_point(node: Any) -> JoinPoint:
    kind, value = _singleton(node, "a join point")
    if kind in _COMPOUND:
        return JoinPoint(kind, children=tuple(_join_point(child) for child in _list(value)))
    if kind in _WRAPPERS:
        return JoinPoint(kind, children=(_join_point(value),))
    if kind == "function":
        return JoinPoint(kind, children=tuple(_option(child) for child in _list(value)))
    if kind == "package-filter":
        pattern = {"pattern": value} if isinstance(value, str) else value
        return JoinPoint(kind, fields=_fields(pattern))
    if kind in _RECORDS:
        return JoinPoint(kind, fields=_fields(value))
    if kind in _PLAIN:
        return JoinPoint(kind, value=_text(value))
    return JoinPoint(kind, value=json.dumps(value, sort_keys=True, default=str))


def _option(node: Any) -> JoinPoint:
    kind, value = _singleton(node, "an option of function")
    if kind not in {"signature", "signature-contains"}:
        return JoinPoint(kind, value=_text(value))
    named = value if isinstance(value, Mapping) else {}
    return JoinPoint(
        kind,
        fields=tuple((name, _text(item)) for name in ("args", "returns") for item in _list(named.get(name))),
    )


def _fields(node: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(node, Mapping):
        raise BadFileError("a mapping was expected")
    return tuple((str(key), _text(value)) for key, value in node.items())


def _template(node: Any) -> Template:
    if not isinstance(node, Mapping):
        raise BadFileError("a template must be a mapping")
    imports = node.get("imports")
    pairs = imports.items() if isinstance(imports, Mapping) else ()
    return Template(
        source=_text(node.get("template")),
        imports=tuple(sorted((str(alias), _text(path)) for alias, path in pairs)),
        lang=_text(node.get("lang")),
    )


def _advice(node: Any) -> Advice:
    kind, value = _singleton(node, "an advice")
    if kind in _TEMPLATED:
        template = _template(value)
        return Advice(
            kind,
            templates=(template,),
            links=tuple(_text(link) for link in _list(value.get("links"))),
            order=_int(value.get("order")),
            namespace=_text(value.get("namespace")),
        )
    if kind == "add-struct-field" and isinstance(value, Mapping):
        return Advice(kind, value=_text(value.get("name")), type=_text(value.get("type")))
    if kind == "append-args" and isinstance(value, Mapping):
        values = _list(value.get("values"))
        return Advice(kind, type=_text(value.get("type")), templates=tuple(_template(v) for v in values))
    if kind in {"add-blank-import", "replace-function"}:
        return Advice(kind, value=_text(value))
    return Advice(kind, value=json.dumps(value, sort_keys=True, default=str))


def _int(node: Any) -> int:
    try:
        return int(_text(node) or 0)
    except ValueError as error:
        raise BadFileError(f"order must be a whole number, not {node!r}") from error
