"""What will run, decided before it runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.build.arguments import parse_arguments, take_apart
from orchwatchd.build.command import plan_command
from orchwatchd.build.environment import recorded_arguments, recorded_environment
from orchwatchd.config.model import Build
from orchwatchd.errors import ConfigurationError, UsageError
from orchwatchd.models.build import BuildCommand, LogSetting, Toolchain
from orchwatchd.project import Project

ROOT = Path("/home/dev/project")
TOOLS = Toolchain(Path("/opt/go/bin/go"), "go1.26.8", Path("/opt/orchestrion"), "v1.15.0", "PATH")
OURS = ("/opt/orchestrion", "go")
GRAPH = "-debug-actiongraph=/state/g.json"


def plan(
    *arguments: str,
    build: Build | None = None,
    project: Project | None = None,
    env: dict[str, str] | None = None,
    cache: Path | None = Path("/state/cache"),
    tools: Toolchain = TOOLS,
    log: LogSetting | None = None,
) -> BuildCommand:
    return plan_command(
        project or Project(ROOT, None, ROOT / "go.mod", (ROOT,)),
        tools,
        build or Build(),
        log or LogSetting("/state/o.jsonl", "WARN"),
        env=env or {"PATH": "/usr/bin"},
        work_parent=Path("/state/work/run-1"),
        graph=Path("/state/g.json"),
        cache=cache,
        arguments=arguments,
    )


def test_the_default_build_writes_no_program_and_keeps_its_work_tree() -> None:
    command = plan()
    assert command.argv == (*OURS, "build", "-work", GRAPH, "-o", "/dev/null", "./...")
    assert (command.kind, command.folder, command.packages) == ("build", ROOT, ("./...",))


def test_tags_flags_and_packages_of_the_configuration() -> None:
    build = Build(tags=("a", "b"), flags=("-trimpath", "-ldflags", "-X main.v=1"), packages=("./cmd/api",))
    expected = ("-o", "/dev/null", "-tags=a,b", "-trimpath", "-ldflags", "-X main.v=1", "./cmd/api")
    assert plan(build=build).argv[5:] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["test", "./..."], ["test", "-work", GRAPH, "./..."]),
        (["test", "./a", "-run", "X", "-v"], ["test", "-work", GRAPH, "./a", "-run", "X", "-v"]),
        (
            ["test", "./a", "-args", "--log-level=debug", "-o"],
            ["test", "-work", GRAPH, "./a", "-args", "--log-level=debug", "-o"],
        ),
        (["test", "-c", "./a"], ["test", "-work", GRAPH, "-o", "/dev/null", "-c", "./a"]),
        (["test", "-c", "-o", "x.test", "./a"], ["test", "-work", GRAPH, "-c", "-o", "x.test", "./a"]),
        (["build", "-o", "bin/", "./cmd/..."], ["build", "-work", GRAPH, "-o", "bin/", "./cmd/..."]),
        (["build", "-race", "./a"], ["build", "-work", GRAPH, "-o", "/dev/null", "-race", "./a"]),
        (
            ["build", "-ldflags", "-n -w", "./a"],
            ["build", "-work", GRAPH, "-o", "/dev/null", "-ldflags", "-n -w", "./a"],
        ),
        (["install", "./cmd/api"], ["install", "-work", GRAPH, "./cmd/api"]),
        (["build", "-work", "./a"], ["build", "-work", GRAPH, "-o", "/dev/null", "-work", "./a"]),
    ],
)
def test_a_custom_command_replaces_the_configured_one_whole(
    arguments: list[str], expected: list[str]
) -> None:
    assert plan(*arguments, build=Build(tags=("no",), flags=("-race",))).argv == (*OURS, *expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--log-file=x", "./..."], "`file` in [log]"),
        (["build", "-log-level", "DEBUG", "./..."], "`level` in [log]"),
        (["--log-level=DEBUG", "build"], "`level` in [log]"),
        (["test", "./...", "--log-file", "x"], "`file` in [log]"),
        (["build", "-toolexec=x", "./..."], "Orchestrion sets -toolexec"),
        (["build", "-toolexec", "x", "./..."], "Orchestrion sets -toolexec"),
        (["build", "-work=false", "./..."], "work tree"),
        (["build", "-debug-actiongraph=g", "./..."], "-debug-actiongraph itself"),
        (["build", "-n", "./..."], "builds nothing"),
        (["build", "-C", "x", "./..."], "`orchwatchd -C DIR build`"),
        (["build", "./a", "-race"], "-race stands after a package"),
        (["run", "."], "`go run` is no command that orchwatchd records"),
        (["go", "build"], "leave out `go`"),
        (["-race", "build"], "stands before the command"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_the_next_step(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as refused:
        plan(*arguments)
    assert refused.value.exit_code == 2
    assert refused.value.hint


def test_all_reasons_are_given_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        parse_arguments(["build", "-toolexec=x", "-n", "./..."])
    assert len(refused.value.message.splitlines()) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("-o", "x"), "-o"),
        (("-toolexec=x",), "-toolexec"),
        (("./a",), "is no flag"),
        (("-tags=x",), "use `tags`"),
    ],
)
def test_flags_of_the_configuration_are_checked_too(flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"build.flags: .*{message}"):
        plan(build=Build(flags=flags, tags=("a",)))


words = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1).filter(
    lambda word: not word.startswith("-")
)


@given(packages=st.lists(words, min_size=1), rest=st.lists(st.text(min_size=1)))
def test_nothing_after_args_is_looked_at(packages: list[str], rest: list[str]) -> None:
    parsed = parse_arguments(["test", *packages, "-args", *rest])
    assert [parsed.arguments[index] for index in parsed.packages] == packages
    assert parsed.flags == ()


@given(
    st.lists(st.sampled_from(["-race", "-v", "-run", "-tags=x", "--count", "./a", "X", "-args", "--", "-"]))
)
def test_taking_apart_loses_nothing(arguments: list[str]) -> None:
    parsed = take_apart("test", arguments)
    assert list(parsed.arguments) == arguments
    assert list(parsed.with_packages([arguments[index] for index in parsed.packages])) == arguments
    assert all(arguments[index] in {"./a", "X", "-"} for index in parsed.packages)


def test_a_workspace_without_a_module_of_its_own_builds_all_its_modules_from_the_configured_one() -> None:
    """`go build ./...` beside such a go.work finds nothing, and Orchestrion finds no configuration there."""
    service, lib = ROOT / "service", ROOT / "lib"
    project = Project(ROOT, ROOT / "go.work", service / "go.mod", (lib, service))
    assert plan(project=project).folder == service
    assert plan(project=project).packages == ("../lib/...", "./...")
    assert plan("test", "./service/cmd", "fmt", project=project).packages == ("./cmd", "fmt")
    own = Project(ROOT, ROOT / "go.work", ROOT / "go.mod", (ROOT, lib))
    assert plan(project=own).packages == ("./...",)


def test_the_environment_is_the_runs_own() -> None:
    command = plan(
        env={
            "PATH": "/usr/bin",
            "GOCACHEPROG": "x",
            "ORCHESTRION_LOG_LEVEL": "TRACE",
            "GOTMPDIR": "/x",
            "HOME": "/h",
        },
        build=Build(env={"GOARCH": "arm64"}),
    )
    assert command.env["GOTMPDIR"] == "/state/work/run-1"
    assert command.env["GOCACHE"] == "/state/cache"
    assert command.env["GIT_OPTIONAL_LOCKS"] == "0"
    assert command.env["ORCHESTRION_LOG_FILE"] == "/state/o.jsonl"
    assert command.env["ORCHESTRION_LOG_LEVEL"] == "WARN"
    assert command.env["GOARCH"] == "arm64"
    assert command.env["HOME"] == "/h"
    assert command.env["PATH"] == f"/opt/go/bin{os.pathsep}/usr/bin"
    assert "GOCACHEPROG" not in command.env
    assert command.env["TMPDIR"] == str(command.temp)
    assert command.mark == f"TMPDIR={command.temp}"


def test_the_developers_cache_is_left_as_it_is() -> None:
    command = plan(env={"PATH": "", "GOCACHE": "/mine", "GOCACHEPROG": "x"}, cache=None)
    assert (command.env["GOCACHE"], command.env["GOCACHEPROG"]) == ("/mine", "x")


def test_orchestrion_never_pins_unless_it_must_check_the_version_itself() -> None:
    """Fact 28. A folder that replaces Orchestrion leaves its version open: then its own check has to run."""
    pin = "DD_ORCHESTRION_IS_GOMOD_VERSION"
    open_version = Toolchain(TOOLS.go, "go1.26.8", TOOLS.orchestrion, "v1.15.0", "PATH", verified=False)
    assert plan().env[pin] == "true"
    assert pin not in plan(tools=open_version, env={"PATH": "", pin: "true"}).env


def test_without_a_log_file_none_is_inherited() -> None:
    command = plan(env={"PATH": "", "ORCHESTRION_LOG_FILE": "/theirs"}, log=LogSetting(None, None))
    assert "ORCHESTRION_LOG_FILE" not in command.env
    assert "ORCHESTRION_LOG_LEVEL" not in command.env


@pytest.mark.parametrize("name", ["GOTMPDIR", "GOCACHE", "TMPDIR", "ORCHESTRION_LOG_FILE"])
def test_variables_that_are_ours_are_refused_in_the_configuration(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"build.env: {name}"):
        plan(build=Build(env={name: "x"}))


def test_the_record_keeps_what_bears_on_builds_and_no_secret() -> None:
    secret = "hunter2"
    env = {
        "GOPROXY": f"https://me:{secret}@proxy.example.com/go,direct",
        "GOFLAGS": f"-ldflags=-X=main.key={secret} -tags=x",
        "GOOGLE_API_KEY": secret,
        "DD_API_KEY": secret,
        "CGO_CFLAGS": "-O2",
        "ORCHESTRION_LOG_LEVEL": "WARN",
        "HOME": "/home/dev",
    }
    kept = recorded_environment(env)
    assert list(kept) == ["CGO_CFLAGS", "GOFLAGS", "GOPROXY", "ORCHESTRION_LOG_LEVEL"]
    assert kept["GOPROXY"] == "https://***@proxy.example.com/go,direct"
    assert secret not in str(kept)
    arguments = [
        "build",
        f"-ldflags=-s -X main.key={secret} -X 'main.other={secret} {secret}'",
        "-X",
        "./...",
    ]
    shown = recorded_arguments(arguments)
    assert secret not in str(shown)
    assert shown[1].startswith("-ldflags=-s -X main.key=***")
