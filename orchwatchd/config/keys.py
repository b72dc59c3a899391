"""Walks the keys of the configuration's model: names, comments, defaults, and values as people write them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, get_type_hints

from orchwatchd.config.model import Config, Form, Key
from orchwatchd.config.units import format_duration, format_size


@dataclass(frozen=True, slots=True)
class Setting:
    """One key in force: its dotted name, its value as TOML, and `file`, `environment` or `default`."""

    key: str
    value: str
    source: str


def keys_of(section: type, prefix: str = "") -> Iterator[tuple[str, Key, Any]]:
    """Every key below a dataclass of the model, in order: dotted name, its Key, its default."""
    default = section()
    for name, hint in hints_of(section).items():
        if isinstance(hint, type) and is_dataclass(hint):
            yield from keys_of(hint, f"{prefix}{name}.")
        elif (key := key_of(hint)) is not None:
            yield prefix + name, key, getattr(default, name)


def settings(config: Config) -> tuple[Setting, ...]:
    """Every key with the value in force and where it came from, in the order of the example."""
    found = []
    for name, key, _ in keys_of(Config):
        value: Any = config
        for part in name.split("."):
            value = getattr(value, part)
        found.append(Setting(name, written(value, key.form), config.source_of(name)))
    return tuple(found)


def example() -> str:
    """A configuration file with every key at its default, each under its comment."""
    lines = [
        "# orchwatchd.toml, beside go.mod or go.work: every key at its default.",
        "# Leave out what you don't change.",
    ]
    table = ""
    for name, key, default in keys_of(Config):
        section, _, last = name.rpartition(".")
        if section != table:
            lines += ["", f"[{section}]"]
            table = section
        lines += [f"# {key.about}", f"{last} = {written(default, key.form)}"]
    return "\n".join(lines) + "\n"


def written(value: Any, form: Form = Form.PLAIN) -> str:
    """A value as it stands in the file."""
    match value:
        case bool():
            return str(value).lower()
        case _ if form is Form.DURATION:
            return f'"{format_duration(value)}"'
        case _ if form in {Form.SIZE, Form.SIZE_OR_PERCENT}:
            return f'"{format_size(value)}"'
        case str():
            # TOML's basic strings take the escapes of JSON, DEL excepted.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case tuple():
            return f"[{', '.join(written(item) for item in value)}]"
        case Mapping():
            pairs = ", ".join(f"{json.dumps(name)} = {written(item)}" for name, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)


def hints_of(section: type) -> dict[str, Any]:
    """The fields that stand in the file: sections, and keys with a comment."""
    hints = get_type_hints(section, include_extras=True)
    return {name: hint for name, hint in hints.items() if is_dataclass(hint) or key_of(hint) is not None}


def key_of(hint: Any) -> Key | None:
    """The comment and bounds of a field, None for a section."""
    return next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Key)), None)
