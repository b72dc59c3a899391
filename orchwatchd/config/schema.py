"""Checks the tables of a configuration file against the model; the only home of pydantic.

The pydantic models are made from the dataclasses, so that a key, its default and its bounds stand in one place.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from orchwatchd.config.keys import hints_of, key_of, keys_of
from orchwatchd.config.model import Config, Form, Key
from orchwatchd.config.units import (
    format_duration,
    format_size,
    parse_duration,
    parse_level,
    parse_size,
    parse_size_or_percent,
)

# What other watchers call these keys; a wrong guess there deserves the right word here.
_OTHER_WORDS = {
    "debounce": "rest",
    "delay": "rest",
    "max_wait": "longest_wait",
    "ignore": "exclude",
    "timeout": "time_limit",
    "environment": "env",
    "args": "flags",
    "path": "file",
    "max_bytes": "max_size",
    "backups": "keep",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the dotted key, and the reason with the nearest right value."""

    key: str
    reason: str


def read_tables(tables: Mapping[str, Any]) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration of TOML tables, and every problem in them; keys with a problem are at their default."""
    try:
        return _plain(_model(Config).model_validate(tables), Config), ()
    except ValidationError as failure:
        errors = failure.errors()
    rest = copy.deepcopy(dict(tables))
    for error in errors:
        _drop(rest, error["loc"])
    return _plain(_model(Config).model_validate(rest), Config), tuple(_problem(error) for error in errors)


def _drop(tables: dict[str, Any], place: tuple[str | int, ...]) -> None:
    """Removes what an error is about, so that the other rules can look at the rest."""
    *above, name = place
    within: Any = tables
    for part in above:
        within = within.get(part) if isinstance(within, dict) else None
        if isinstance(within, list):
            # One bad entry: the whole list goes, as its place is all that is known of it.
            return _drop(tables, place[: place.index(part) + 1])
    if isinstance(within, dict):
        within.pop(name, None)
    return None


_PARSERS: dict[Form, Callable[[object], object]] = {
    Form.DURATION: parse_duration,
    Form.SIZE: parse_size,
    Form.SIZE_OR_PERCENT: parse_size_or_percent,
    Form.LEVEL: parse_level,
}


def _model(section: type) -> type[BaseModel]:
    """The pydantic model of a dataclass of the configuration."""
    definitions: dict[str, Any] = {}
    default = section()
    for name, hint in hints_of(section).items():
        key = key_of(hint)
        if key is None:
            definitions[name] = (_model(hint), Field(default_factory=_model(hint)))
        else:
            definitions[name] = (_field_type(hint, key), Field(default=getattr(default, name)))
    made: type[BaseModel] = create_model(
        section.__name__, __config__=ConfigDict(extra="forbid", strict=True), **definitions
    )
    return made


def _field_type(hint: Any, key: Key) -> Any:
    parser = _PARSERS.get(key.form)

    def parse(value: object) -> object:
        parsed = parser(value) if parser else value
        # TOML has arrays, the model has tuples, and strict mode takes neither for the other.
        return tuple(parsed) if isinstance(parsed, list) else parsed

    def bounded(value: Any) -> Any:
        number = value.value if hasattr(value, "value") else value
        if key.low is not None and number < key.low:
            raise ValueError(
                f"wants at least {_written(key.low, key.form)}, not {_written(number, key.form)}"
            )
        if key.high is not None and number > key.high:
            raise ValueError(
                f"wants at most {_written(key.high, key.form)}, not {_written(number, key.form)}"
            )
        return value

    return Annotated[hint.__origin__, AfterValidator(bounded), BeforeValidator(parse)]


def _written(number: float, form: Form) -> str:
    if form is Form.DURATION:
        return format_duration(number)
    return format_size(int(number)) if form is Form.SIZE else f"{number:g}"


def _plain(checked: BaseModel, section: type) -> Any:
    """The dataclass of a validated pydantic model."""
    values = {
        name: _plain(getattr(checked, name), hint) if is_dataclass(hint) else getattr(checked, name)
        for name, hint in hints_of(section).items()
        if not is_dataclass(hint) or isinstance(hint, type)
    }
    return section(**values)


def _problem(error: Any) -> Problem:
    place = [str(part) for part in error["loc"]]
    key = ".".join(place)
    value = error["input"]
    match error["type"]:
        case "extra_forbidden":
            return Problem(key, f"unknown key{_suggestion(place)}")
        case "value_error":
            return Problem(key, str(error["ctx"]["error"]))
        case "literal_error":
            choices = error["ctx"]["expected"].replace("'", '"')
            return Problem(key, f"wants {choices}, not {_quoted(value)}")
        case "model_type" | "model_attributes_type":
            return Problem(key, f"wants a table [{key}], not {_quoted(value)}")
    wanted = {
        "string_type": "a text in quotes",
        "int_type": "a whole number",
        "bool_type": "true or false",
        "tuple_type": 'a list such as ["a", "b"]',
        "mapping_type": 'a table such as { NAME = "value" }',
        "is_instance_of": 'a table such as { NAME = "value" }',
        "dict_type": 'a table such as { NAME = "value" }',
    }.get(error["type"])
    return Problem(key, f"wants {wanted}, not {_quoted(value)}" if wanted else str(error["msg"]))


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _suggestion(place: list[str]) -> str:
    """The nearest key of the same table, else the table that has such a key."""
    *table, name = place
    prefix = "".join(f"{part}." for part in table)
    every = [key for key, _, _ in keys_of(Config)]
    tables = sorted({key.rpartition(".")[0] for key in every} | {"keep"})
    siblings = {key.removeprefix(prefix).partition(".")[0] for key in every if key.startswith(prefix)}
    words = {sibling: sibling for sibling in siblings}
    words |= {word: right for word, right in _OTHER_WORDS.items() if right in siblings}
    near = _nearest(name, words)
    if near:
        return near
    elsewhere = {key.rpartition(".")[2]: key for key in reversed(every)} | {full: full for full in tables}
    return _nearest(name, elsewhere) or f"; keys here are {', '.join(sorted(siblings))}"


def _nearest(name: str, words: Mapping[str, str]) -> str:
    found = difflib.get_close_matches(name, words, n=1, cutoff=0.6)
    return f', did you mean "{words[found[0]]}"?' if found else ""
