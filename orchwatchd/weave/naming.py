"""How injections are written so that only their own change changes them: paths for aliases, holes, roles for names."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from orchwatchd.weave.declarations import Declaration, Import, signature_names
from orchwatchd.weave.lexer import Token
from orchwatchd.weave.pairing import Pair

HOLE: Final = "…"
_MARKS: Final = re.compile(r"^[ \t]*//line [^\n]*\n|[ \t]*//line [^\n]*$", re.MULTILINE)
_BLANK: Final = frozenset({"_", "."})


def merged_names(original: list[Import], woven: list[Import]) -> dict[str, str]:
    """Names of packages that weaving renamed (two imports of one package are merged, hidden ones get an alias), each
    to one name that stands for all of them.
    """
    before, after = _names_by_path(original), _names_by_path(woven)
    same: dict[str, str] = {}
    for path, names in before.items():
        kept = after.get(path, set())
        if kept and not names <= kept:
            same.update(dict.fromkeys(names | kept, path))
    return same


def _names_by_path(imports: list[Import]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one in imports:
        if one.alias not in _BLANK:
            found[one.path] |= one.names
    return found


def paths_by_name(imports: list[Import]) -> dict[str, str]:
    """What a name before a `.` stands for: an alias depends on other aspects and on the user, the path does not."""
    found: dict[str, str] = {}
    for one in imports:
        if one.alias not in _BLANK:
            for name in one.names:
                if one.alias or name not in found:
                    found[name] = one.path
    return found


def ordinals(pairs: list[Pair]) -> dict[int, int]:
    """Numbers pairs whose declarations share a name (`init`, `_`): the user's in order, then those that were added."""
    counts: dict[str, int] = defaultdict(int)
    found: dict[int, int] = {}
    keywords = {pair.woven.keyword for pair in pairs if pair.woven is not None and not pair.equal}
    for added in (False, True):
        for pair in pairs:
            if pair.woven is None or (pair.original is None and not pair.equal) is not added:
                continue
            if pair.equal and pair.woven.keyword not in keywords:
                continue  # nobody asks, and a group's name has to be parsed
            counts[pair.woven.key] += 1
            found[id(pair)] = counts[pair.woven.key]
    return found


def roles(declaration: Declaration) -> dict[str, str]:
    """Names that templates take over from a function, to what they stand for there."""
    if declaration.keyword != "func":
        return {}
    found = {name: f"‹{role}›" for name, role in signature_names(declaration).items()}
    found.setdefault("", declaration.key.rpartition(".")[2])
    return found


def canonical(
    tokens: list[Token],
    ranges: list[tuple[int, int]],
    paths: dict[str, str],
    *,
    brackets: bool = True,
    roles: dict[str, str] | None = None,
) -> str:
    """Tokens of the ranges joined by blanks, `…` between them; `roles` says what the user's names stand for."""
    shadowed = _variables(tokens, ranges)
    words: list[str] = []
    for number, (start, end) in enumerate(ranges):
        if number and words[-1:] != [HOLE]:
            words.append(HOLE)
        for index in range(start, end):
            key = tokens[index].key
            if key == ";" or (not brackets and key in "(),"):
                continue
            words.append(_word(tokens, index, paths, shadowed, roles))
    if not brackets and words[-1:] != [HOLE]:
        words.append(HOLE)
    return " ".join(words)


def _word(
    tokens: list[Token], index: int, paths: dict[str, str], shadowed: set[str], roles: dict[str, str] | None
) -> str:
    token = tokens[index]
    qualified = index > 0 and tokens[index - 1].key == "."
    qualifies = index + 1 < len(tokens) and tokens[index + 1].key == "."
    if token.word and qualifies and not qualified and token.key in paths and token.key not in shadowed:
        return paths[token.key]
    if not roles or qualified:
        return token.key
    if token.word:
        return roles.get(token.key, token.key)
    if token.key[0] in '"`' and (name := roles.get("")):
        return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "‹function›", token.key)
    return token.key


def _variables(tokens: list[Token], ranges: list[tuple[int, int]]) -> set[str]:
    """Names that the injected code uses by themselves: they are no packages there."""
    found: set[str] = set()
    for start, end in ranges:
        for index in range(start, end):
            alone = index + 1 >= len(tokens) or tokens[index + 1].key != "."
            if tokens[index].word and alone and (index == 0 or tokens[index - 1].key != "."):
                found.add(tokens[index].key)
    return found


def code(text: str) -> str:
    """A piece as people read it: without marks, the common indent taken off."""
    lines = _MARKS.sub("", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace").split("\n")
    indents = [len(line) - len(line.lstrip("\t")) for line in lines[1:] if line.strip()]
    cut = min(indents, default=0)
    return "\n".join([lines[0].strip(), *(line[cut:].rstrip() for line in lines[1:])]).strip()
