"""Generated Go functions, and edits of them that leave the instrumentation alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

Files = dict[str, list["Function"]]


@dataclass(frozen=True)
class Function:
    """A function or method of a generated file; `body` are its statements, `above` what stands before its comment."""

    name: str
    receiver: str = ""
    argument: str = "n"
    body: tuple[str, ...] = ("_ = 1",)
    comment: str = "does something."
    above: tuple[str, ...] = ()
    traced: bool = True

    @property
    def declaration(self) -> str:
        return f"(*T).{self.name}" if self.receiver else self.name


def text_of(functions: list[Function], *, package: str = "many") -> str:
    """The file that holds these functions; each file declares what its functions need under its own blank name."""
    lines = [
        "// Package many has many functions.",
        f"package {package}",
        "",
        "import (",
        '\t"fmt"',
        '\t"strings"',
        ")",
    ]
    lines += ["", "var _, _ = fmt.Sprint, strings.ToLower"]
    for one in functions:
        lines += [
            "",
            *one.above,
            f"// {one.name} {one.comment}",
            *(["//", "//greeter:span"] if one.traced else []),
        ]
        receiver = f"({one.receiver} *T) " if one.receiver else ""
        lines += [
            f"func {receiver}{one.name}({one.argument} int) int {{",
            *(f"\t{line}" for line in one.body),
        ]
        lines += [f"\treturn {one.argument}", "}"]
    return "\n".join(lines) + "\n"


def draw_functions(dice: random.Random, count: int, prefix: str = "F") -> list[Function]:
    """Functions with bodies that look alike, for alignment to tell apart."""
    return [
        Function(
            f"{prefix}{i}",
            receiver=dice.choice(["", "t"]),
            body=tuple(_statement(dice, "n") for _ in range(dice.randint(0, 4))),
            traced=dice.random() < 0.8,
        )
        for i in range(count)
    ]


def _statement(dice: random.Random, argument: str) -> str:
    return dice.choice(
        [
            f"fmt.Println({argument}, {dice.randint(0, 9)})",
            f"if {argument} > {dice.randint(0, 9)} {{\n\t\treturn {argument}\n\t}}",
            f"{{\n\t\tfmt.Println({argument})\n\t}}",
            f"defer func() {{ fmt.Println({argument}) }}()",
            f"for i := range {argument} {{\n\t\tfmt.Println(i)\n\t}}",
            "_ = `raw\n  text`",
            f'_ = strings.ToUpper("{dice.randint(0, 9)}")',
        ]
    )


def _pick(files: Files, dice: random.Random) -> tuple[list[Function], int]:
    functions = files[dice.choice(sorted(name for name, found in files.items() if found))]
    return functions, dice.randrange(len(functions))


def _change(change: Callable[[Function, random.Random], Function]) -> Callable[[Files, random.Random], None]:
    def edit(files: Files, dice: random.Random) -> None:
        functions, at = _pick(files, dice)
        functions[at] = change(functions[at], dice)

    return edit


def _insert(line: str) -> Callable[[Files, random.Random], None]:
    def change(one: Function, dice: random.Random) -> Function:
        at = dice.randint(0, len(one.body))
        return replace(one, body=(*one.body[:at], line, *one.body[at:]))

    return _change(change)


def _rename(one: Function, _dice: random.Random) -> Function:
    """The parameter under another name, throughout."""
    new = one.argument + "x"
    words = (f"({one.argument}", f" {one.argument} ", f"range {one.argument} ", f"return {one.argument}")
    body = []
    for line in one.body:
        changed = line
        for word in words:
            changed = changed.replace(
                word,
                word.replace(one.argument, new)
                if word[0] != "r"
                else f"{word.rstrip()}x" + " " * word.endswith(" "),
            )
        body.append(changed)
    return replace(one, argument=new, body=tuple(body))


def _less(one: Function, _dice: random.Random) -> Function:
    """One statement less, but for the calls that an aspect wraps."""
    return one if one.body and "ToUpper" in one.body[0] else replace(one, body=one.body[1:])


def _within_call(one: Function, dice: random.Random) -> Function:
    """Other arguments for the calls that an aspect wraps."""
    new = f'strings.ToUpper(fmt.Sprint("{dice.randint(10, 99)}", []int{{1}}))'
    body = tuple(
        line.partition("strings.ToUpper")[0] + new if "ToUpper" in line else line for line in one.body
    )
    return replace(one, body=body)


def _move(files: Files, dice: random.Random) -> None:
    """A function goes to the end of another file of the package."""
    source, target = dice.sample(sorted(files), 2)
    if len(files[source]) > 1:
        files[target].append(files[source].pop(dice.randrange(len(files[source]))))


def _shuffle(files: Files, dice: random.Random) -> None:
    dice.shuffle(files[dice.choice(sorted(files))])


def _untraced(files: Files, dice: random.Random) -> None:
    functions, at = _pick(files, dice)
    functions.insert(at, Function(f"plain{dice.randrange(10**9)}", traced=False))


EDITS: dict[str, Callable[[Files, random.Random], None]] = {
    "blank line within": _insert(""),
    "comment within": _insert("// a note"),
    "comment at a line": _insert("fmt.Println(7) // why"),
    "block comment": _insert("/* two\n\tlines */"),
    "statement": _insert("fmt.Println(8)"),
    "block": _insert("{\n\t\tfmt.Println(9)\n\t}"),
    "local variable": _insert("{ var local int; _ = local }"),
    "badly laid out": _insert("if  true{fmt.Println( 1,\n2 )}"),
    "doc comment": _change(lambda one, dice: replace(one, comment=f"does {dice.randrange(99)} things.")),
    "blank lines above": _change(lambda one, _: replace(one, above=("", "", *one.above))),
    "declaration above": _change(
        lambda one, dice: replace(one, above=(f"const c{dice.randrange(10**9)} = 1", "", *one.above))
    ),
    "init above": _change(
        lambda one, _: replace(one, above=("func init() { fmt.Println() }", "", *one.above))
    ),
    "statement less": _change(_less),
    "wrapped call": _change(_within_call),
    "parameter renamed": _change(_rename),
    "moved to another file": _move,
    "order": _shuffle,
    "function more": _untraced,
}
