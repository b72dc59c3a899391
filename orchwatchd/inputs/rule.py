"""The rule of one directory: which of its entries are inputs, which of its folders may hold some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchwatchd.inputs import embed

if TYPE_CHECKING:
    from orchwatchd.inputs.inputset import InputPackage, InputSet

# What the Go command compiles or hands to a C compiler, assembler or SWIG (go/build's fileListForExt).
NATIVE_SUFFIXES = frozenset(
    {".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90"}
    | {".s", ".S", ".sx", ".swig", ".swigcxx", ".syso"}
)
_HIDDEN = (".", "_")


def skipped_by_patterns(name: str) -> bool:
    """Whether `./...` passes over a folder of this name.

    Go itself would look into node_modules. Packages there are rare, named by `go list` when built, and found again at
    the next rescan: not worth ten thousand watches.
    """
    return name.startswith(_HIDDEN) or name in {"testdata", "vendor", "node_modules"}


class BaseOnly:
    """A directory that holds no package of the build: below a pattern any Go file in it counts, elsewhere none."""

    __slots__ = ("_base", "_directory", "_inputs")

    def __init__(self, inputs: InputSet, directory: str, base: bool) -> None:
        self._inputs = inputs
        self._directory = directory
        self._base = base

    def wants(self, name: str) -> bool:
        """Whether a file of this name would be an input."""
        return self.is_source(name)

    def is_source(self, name: str) -> bool:
        """Whether the Go command would take it for source."""
        return self._base and _is_go(name, self._inputs.tests)

    def descends(self, name: str) -> bool:
        """Whether inputs may lie in the folder of this name."""
        child = f"{self._directory}/{name}"
        wanted = (self._base and not skipped_by_patterns(name)) or self._inputs.is_chain(child)
        return wanted and not self._inputs.is_private(child)

    def follows(self, name: str) -> bool:
        """Whether a symbolic link of this name to a folder is followed: only where the build names the folder."""
        return self._inputs.is_chain(f"{self._directory}/{name}")

    def is_foreign(self, names: frozenset[str]) -> bool:
        """Whether the folder, with these entries, is a module that the build does not use."""
        return _is_foreign(self._inputs, self._directory, names)


class PackageRule:
    """A directory about which there is more to say: a package, embedded files, single files, patterns."""

    __slots__ = ("_base", "_directory", "_embeds", "_inputs", "_names", "_package", "_testdata")

    def __init__(
        self,
        inputs: InputSet,
        directory: str,
        package: InputPackage | None,
        names: frozenset[str],
        embeds: tuple[tuple[str, embed.EmbedPattern, tuple[str, ...]], ...],
        *,
        base: bool,
        testdata: bool,
    ) -> None:
        self._inputs = inputs
        self._directory = directory
        self._package = package
        self._names = names
        self._embeds = embeds
        self._base = base
        self._testdata = testdata

    def wants(self, name: str) -> bool:
        """Whether a file of this name would be an input."""
        taken = (
            name in self._names
            or self.is_source(name)
            or self._testdata
            or any(embed.matches(pattern, (*parts, name)) for _, pattern, parts in self._embeds)
            or self._inputs.is_included(f"{self._directory}/{name}")
        )
        return taken and not self._inputs.is_excluded(f"{self._directory}/{name}")

    def is_source(self, name: str) -> bool:
        """Whether the Go command would take it for source of this package."""
        if self._package is None:
            return self._base and _is_go(name, self._inputs.tests)
        if name == "default.pgo":
            return self._package.main
        dot = name.rfind(".")
        if dot >= 0 and name[dot:] in NATIVE_SUFFIXES:
            return not name.startswith(_HIDDEN)
        return _is_go(name, self._inputs.tests)

    def descends(self, name: str) -> bool:
        """Whether inputs may lie in the folder of this name."""
        child = f"{self._directory}/{name}"
        inputs = self._inputs
        if inputs.is_private(child):
            return False
        if (self._base and not skipped_by_patterns(name)) or inputs.is_chain(child):
            return True
        if self._testdata or (name == "testdata" and inputs.tests and self._package is not None):
            return True
        if inputs.include and name != ".git" and (self._directory + "/").startswith(inputs.root + "/"):
            return True
        return any(embed.may_lie_below(pattern, (*parts, name)) for _, pattern, parts in self._embeds)

    def follows(self, name: str) -> bool:
        """Whether a symbolic link of this name to a folder is followed: only where the build names the folder."""
        return self._inputs.is_chain(f"{self._directory}/{name}")

    def is_foreign(self, names: frozenset[str]) -> bool:
        """Whether the folder, with these entries, is a module that the build does not use."""
        return _is_foreign(self._inputs, self._directory, names)


def _is_go(name: str, tests: bool) -> bool:
    return name.endswith(".go") and not name.startswith(_HIDDEN) and (tests or not name.endswith("_test.go"))


def _is_foreign(inputs: InputSet, directory: str, names: frozenset[str]) -> bool:
    return "go.mod" in names and directory not in inputs.modules and not inputs.is_chain(directory)
