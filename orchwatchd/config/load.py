"""Reads the configuration once: the file beside go.mod or the one that was named, then the environment, then defaults.

Without a file nothing but the standard library is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchwatchd.config import rules
from orchwatchd.config.model import Config
from orchwatchd.config.units import parse_level
from orchwatchd.errors import ConfigurationError

FILE_NAME = "orchwatchd.toml"
_ENVIRONMENT = {"log.file": "ORCHESTRION_LOG_FILE", "log.level": "ORCHESTRION_LOG_LEVEL"}


def load(path: Path | None, project_root: Path, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration in force for a project.

    `path` is the file that was named, or None for `orchwatchd.toml` in `project_root`, which need not be there.
    ORCHESTRION_LOG_FILE and ORCHESTRION_LOG_LEVEL of `environment` (default: the process's) count where the file
    is silent. Raises ConfigurationError that names every problem, one a line.
    """
    environment = os.environ if environment is None else environment
    file = path or project_root / FILE_NAME
    tables = _read(file, named=path is not None)
    problems: list[tuple[str, str]] = []
    config = Config()
    if tables:
        from orchwatchd.config.schema import read_tables

        config, found = read_tables(tables)
        problems += [(problem.key, problem.reason) for problem in found]
    if tables is not None:
        config = replace(config, file=file.absolute(), given=frozenset(_given(tables)))
    config = _placed(config, (file.parent if tables is not None else project_root).absolute())
    problems += [found for found in rules.check(config) if not _follows(found[0], problems)]
    lines = [f"{file.name}: {key}: {reason}" for key, reason in problems]
    config, wrong = _from_environment(config, environment)
    lines += wrong
    if lines:
        raise ConfigurationError("\n".join(lines), hint="`orchwatchd config show` lists every key")
    return config


def warnings(config: Config) -> tuple[str, ...]:
    """What `config check` says about a configuration that is right; one sentence each."""
    return rules.warnings(config)


def _read(file: Path, *, named: bool) -> Mapping[str, Any] | None:
    """The tables of a file; None where the default one is not there."""
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        if named:
            raise ConfigurationError(
                f"{file}: no such file", hint="`orchwatchd config init` writes one with every key"
            ) from None
        return None
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file.name}: is not UTF-8 text (byte {error.start})") from error
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = (place and place[1]) or str(text.rstrip().count("\n") + 1)
        raise ConfigurationError(f"{file.name}:{line}: is not TOML: {error}") from error


def _follows(key: str, problems: list[tuple[str, str]]) -> bool:
    """Whether a rule between keys may only be broken because one of them was refused and is at its default now."""
    table = key.rpartition(".")[0] if key == "watch.longest_wait" else key
    return any(other.startswith(f"{table}.") for other, _ in problems)


def _given(tables: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted names of all keys that stand in the file."""
    for name, value in tables.items():
        if isinstance(value, Mapping) and prefix + name != "build.env":
            yield from _given(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _placed(config: Config, folder: Path) -> Config:
    """The configuration with a relative or `~` path of the log file made absolute, from the file's folder."""
    if config.log.file in {"", rules.STDERR}:
        return config
    placed = os.path.normpath(folder / Path(config.log.file).expanduser())
    return replace(config, log=replace(config.log, file=placed))


def _from_environment(config: Config, environment: Mapping[str, str]) -> tuple[Config, list[str]]:
    """What ORCHESTRION_LOG_* say where the file is silent, and what is wrong with them."""
    problems: list[str] = []
    log, taken = config.log, set()
    for key, name in _ENVIRONMENT.items():
        value = environment.get(name, "")
        if not value or (key in config.given and (key != "log.file" or config.log.file)):
            continue
        taken.add(key)
        if key == "log.file":
            problems += [f"{name}: {reason}" for _, reason in rules.log_file_problems(value)]
            log = replace(log, file=os.path.normpath(Path.cwd() / Path(value).expanduser()))
        else:
            try:
                log = replace(log, level=parse_level(value))
            except ValueError as error:
                problems.append(f"{name}: {error}")
    return replace(config, log=log, from_environment=frozenset(taken)), problems
