"""The environment of a build, and what of it a run's record may keep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchwatchd.build.log import log_environment
from orchwatchd.build.toolchain import with_go_first
from orchwatchd.errors import ConfigurationError, UnfitError
from orchwatchd.models.build import LogSetting, Toolchain
from orchwatchd.process import run_short

# Orchestrion sets it for its own children once go.mod is checked; set from the start it never pins by itself (fact
# 28).
NO_PIN = "DD_ORCHESTRION_IS_GOMOD_VERSION"
_OURS = (
    "GOTMPDIR",
    "TMPDIR",
    NO_PIN,
    "ORCHESTRION_LOG_FILE",
    "ORCHESTRION_LOG_LEVEL",
    "ORCHESTRION_JOBSERVER_URL",
)
_OF_THE_CACHE = ("GOCACHE", "GOCACHEPROG")

# Names that are kept with their values: an allow-list, for a list of secrets always misses some. GOOGLE_… is not
# Go's.
_GO_NAMES = frozenset(
    [
        "GO111MODULE",
        "GOAMD64",
        "GO386",
        "GOARCH",
        "GOARM",
        "GOARM64",
        "GOBIN",
        "GOCACHE",
        "GOCACHEPROG",
        "GOCOVERDIR",
        "GODEBUG",
        "GOENV",
        "GOEXPERIMENT",
        "GOFIPS140",
        "GOFLAGS",
        "GOGC",
        "GOINSECURE",
        "GOMAXPROCS",
        "GOMEMLIMIT",
        "GOMIPS",
        "GOMIPS64",
        "GOMODCACHE",
        "GONOPROXY",
        "GONOSUMDB",
        "GOOS",
        "GOPATH",
        "GOPPC64",
        "GOPRIVATE",
        "GOPROXY",
        "GORISCV64",
        "GOROOT",
        "GOSUMDB",
        "GOTMPDIR",
        "GOTOOLCHAIN",
        "GOVCS",
        "GOWASM",
        "GOWORK",
    ]
)
_OTHER_NAMES = frozenset(
    ["AR", "CC", "CXX", "FC", "PKG_CONFIG", "PKG_CONFIG_PATH", "SOURCE_DATE_EPOCH", "TMPDIR"]
)
_PREFIXES = ("CGO_", "ORCHESTRION_", "DD_ORCHESTRION_")
_CREDENTIALS = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/@\s]+@")
_LINK_VALUE = re.compile(
    r"""(?P<head>-X[= ]\s*(?:(?P<quote>['"])[\w./\-]+=|[\w./\-]+=))(?(quote)(?:(?!(?P=quote)).)*|[^\s'"]*)"""
)


def plan_environment(
    env: Mapping[str, str],
    extra: Mapping[str, str],
    toolchain: Toolchain,
    log: LogSetting,
    *,
    work_parent: Path,
    temp: Path,
    cache: Path | None,
) -> dict[str, str]:
    """The whole environment of a build: `env` (ours), `extra` (`build.env`), and what the recording needs.

    `cache` is the private build cache, None for the developer's own. Raises ConfigurationError for a name in
    `extra` that is ours.
    """
    ours = (*_OURS, *(_OF_THE_CACHE if cache else ()))
    taken = [f"build.env: {name} is set by orchwatchd" for name in extra if name in ours]
    if taken:
        raise ConfigurationError("\n".join(taken), hint="remove it; see [log] and `cache` in [build]")
    planned = {name: value for name, value in {**env, **extra}.items() if name not in ours}
    planned |= {"GOTMPDIR": str(work_parent), "TMPDIR": str(temp), "GIT_OPTIONAL_LOCKS": "0"}
    if cache is not None:
        planned["GOCACHE"] = str(cache)
    if toolchain.verified:
        planned[NO_PIN] = "true"
    return with_go_first({**planned, **log_environment(log)}, toolchain.go)


def check_cache_program(toolchain: Toolchain, env: Mapping[str, str], folder: Path) -> None:
    """Raises UnfitError where `go env -w` set a cache program: no environment can undo that, and it would serve
    packages unseen.
    """
    done = run_short([toolchain.go, "env", "GOCACHEPROG"], cwd=folder, env=env)
    if done.stdout.strip():
        raise UnfitError(
            "GOCACHEPROG is set by `go env -w`, and would serve packages that orchwatchd never sees",
            hint='run `go env -u GOCACHEPROG`, or set cache = "shared" in [build]',
        )


def recorded_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What a run's record keeps of its environment: what bears on builds, with credentials masked."""
    return {
        name: masked(value)
        for name, value in sorted(env.items())
        if name in _GO_NAMES or name in _OTHER_NAMES or name.startswith(_PREFIXES)
    }


def recorded_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """A command as a run's record keeps it, with credentials and the values of `-X` masked."""
    return tuple(masked(argument) for argument in argv)


def masked(text: str) -> str:
    """`text` without the credentials of URLs and without the values that `-ldflags -X` puts into a program."""
    return _LINK_VALUE.sub(r"\g<head>***", _CREDENTIALS.sub(r"\g<scheme>***@", text))
