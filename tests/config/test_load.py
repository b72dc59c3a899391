"""The configuration file: what is read, what is refused and in which words."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from orchwatchd.config.keys import example, settings
from orchwatchd.config.load import load, warnings
from orchwatchd.config.model import Build, Config, Percent
from orchwatchd.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]


def _load(folder: Path, text: str, environment: dict[str, str] | None = None) -> Config:
    (folder / "orchwatchd.toml").write_text(text)
    return load(None, folder, environment or {})


def _refused(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        _load(folder, text, environment)
    assert refusal.value.exit_code == 78
    return refusal.value.message.splitlines()


def test_no_file_means_defaults_and_no_pydantic(tmp_path):
    """Without a file, a reading command must not pay for pydantic."""
    code = (
        "import sys; from pathlib import Path; from orchwatchd.config.load import load;"
        "from orchwatchd.config.model import Config;"
        "assert load(None, Path(sys.argv[1]), {}) == Config();"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"


def test_example_is_every_key_at_its_default(tmp_path):
    shown = (ROOT / "config.example.toml").read_text()
    assert shown == example(), "write it anew: orchwatchd config init --print > config.example.toml"
    config = _load(tmp_path, shown)
    assert config == Config()
    assert config.given == {setting.key for setting in settings(Config())}


def test_every_key_has_exactly_one_comment():
    lines = (ROOT / "config.example.toml").read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    assert len(keys) == len(settings(Config()))
    for number in keys:
        assert lines[number - 1].startswith("# ")
        assert not lines[number - 2].startswith("# ")


def test_values_become_seconds_bytes_and_tuples(tmp_path):
    config = _load(
        tmp_path,
        """
        [build]
        packages = ["./cmd/api", "./internal/..."]
        env = { GOARCH = "arm64" }
        time_limit = "1h30m"
        [keep.trees]
        max_used = "512MiB"
        min_free = "10GB"
        [watch]
        rest = "250ms"
        """,
    )
    assert config.build.packages == ("./cmd/api", "./internal/...")
    assert config.build.env == {"GOARCH": "arm64"}
    assert config.build.time_limit == 5400.0
    assert config.keep.trees.max_used == 512 * 1024**2
    assert config.keep.trees.min_free == 10 * 1000**3
    assert config.watch.rest == 0.25


def test_percentage_of_the_disk(tmp_path):
    config = _load(tmp_path, '[keep.trees]\nmin_free = "7.5%"\n')
    assert config.keep.trees.min_free == Percent(7.5)
    assert Percent(7.5).of(1000) == 75


def test_all_problems_are_told_at_once(tmp_path):
    assert _refused(
        tmp_path,
        """
        nonsense = 1
        [build]
        nice = 30
        nize = 2
        cache = "sharedd"
        flags = ["-toolexec=x"]
        env = { A = 1 }
        [watch]
        debonce = "1s"
        rest = 5
        [keep]
        tree = {}
        [keep.history]
        max_used = "1XB"
        min_free = "5%"
        [rotate]
        keep = "x"
        merge_pid = 1
        """,
    ) == [
        "orchwatchd.toml: build.env.A: wants a text in quotes, not 1",
        "orchwatchd.toml: build.nice: wants at most 19, not 30",
        'orchwatchd.toml: build.cache: wants "private" or "shared", not "sharedd"',
        'orchwatchd.toml: build.nize: unknown key, did you mean "nice"?',
        'orchwatchd.toml: watch.rest: wants a duration such as "100ms", "2s", "1h30m" or "7d", not 5',
        'orchwatchd.toml: watch.debonce: unknown key, did you mean "rest"?',
        'orchwatchd.toml: keep.history.max_used: wants a size such as "10MB", "2GB" or "512MiB", not "1XB"',
        'orchwatchd.toml: keep.history.min_free: unknown key, did you mean "keep.trees.min_free"?',
        'orchwatchd.toml: keep.tree: unknown key, did you mean "trees"?',
        'orchwatchd.toml: rotate.keep: wants a whole number, not "x"',
        "orchwatchd.toml: rotate.merge_pid: wants true or false, not 1",
        "orchwatchd.toml: nonsense: unknown key; keys here are baseline, build, keep, log, logs, rotate, schedule, watch",
        (
            'orchwatchd.toml: build.flags: "-toolexec=x" is refused: Orchestrion sets it;'
            " a second one would switch weaving off"
        ),
    ]


@pytest.mark.parametrize("section", ["build", "keep", "watch"])
def test_a_value_where_a_table_belongs(tmp_path, section):
    (line,) = _refused(tmp_path, f"{section} = 4\n")
    assert line == f"orchwatchd.toml: {section}: wants a table [{section}], not 4"


def test_broken_toml_names_the_line(tmp_path):
    (line,) = _refused(tmp_path, "[build]\nnice = 5\nnice == 6\n")
    assert line.startswith("orchwatchd.toml:3: is not TOML: ")


def test_toml_that_ends_too_early_names_the_last_line(tmp_path):
    (line,) = _refused(tmp_path, '[build]\nnice = 5\ngo = """abc\n')
    assert line.startswith("orchwatchd.toml:3: is not TOML: ")


def test_not_utf8(tmp_path):
    (tmp_path / "orchwatchd.toml").write_bytes(b'[build]\ngo = "\xff"\n')
    with pytest.raises(ConfigurationError, match=r"is not UTF-8 text \(byte 14\)"):
        load(None, tmp_path, {})


def test_a_named_file_must_be_there(tmp_path):
    with pytest.raises(ConfigurationError, match=r"other\.toml: no such file"):
        load(tmp_path / "other.toml", tmp_path, {})


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "orchwatchd.toml").mkdir()
    with pytest.raises(ConfigurationError, match="Is a directory"):
        load(None, tmp_path, {})


@pytest.mark.parametrize(
    "flag",
    [
        "-toolexec=x",
        "--toolexec",
        "--log-file=a",
        "-log-file",
        "--log-level=DEBUG",
        "-o=x",
        "-n",
        "-work",
        "-debug-actiongraph=f",
        "-C",
        "-tags=a",
    ],
)
def test_flags_that_would_break_the_recording_are_refused(tmp_path, flag):
    (line,) = _refused(tmp_path, f'[build]\nflags = ["{flag}"]\n')
    assert line.startswith(f'orchwatchd.toml: build.flags: "{flag}" is refused: ')


def test_other_flags_pass(tmp_path):
    flags = ("-trimpath", "-ldflags=-s -w", "-run", "TestA", "-race")
    assert _load(tmp_path, f"[build]\nflags = {list(flags)}\n").build.flags == flags


@pytest.mark.parametrize("name", ["GOCACHE", "GOTMPDIR", "GOCACHEPROG", "ORCHESTRION_LOG_FILE"])
def test_variables_that_orchwatchd_sets_are_refused(tmp_path, name):
    (line,) = _refused(tmp_path, f'[build.env]\n{name} = "x"\n')
    assert line.startswith(f"orchwatchd.toml: build.env.{name}: is refused: ")


def test_a_cache_of_ones_own_goes_with_the_shared_mode(tmp_path):
    assert _load(tmp_path, '[build]\ncache = "shared"\nenv = { GOCACHE = "/c" }\n').build.env == {
        "GOCACHE": "/c"
    }


def test_no_log_file_at_all(tmp_path):
    assert _load(tmp_path, '[log]\nfile = "stderr"\n').log.file == "stderr"


def test_packages_are_not_flags(tmp_path):
    (line,) = _refused(tmp_path, '[build]\npackages = ["-a"]\n')
    assert line == 'orchwatchd.toml: build.packages: "-a" is no package; flags belong to build.flags'


@pytest.mark.parametrize("level", ["none", "Off", "ERROR", "warn", "Info", "debug", "tRaCe"])
def test_levels_in_any_case(tmp_path, level):
    assert _load(tmp_path, f'[log]\nlevel = "{level}"\n').log.level == level.upper()


def test_unknown_level(tmp_path):
    (line,) = _refused(tmp_path, '[log]\nlevel = "verbose"\n')
    assert line == (
        "orchwatchd.toml: log.level: wants one of NONE, OFF, DISABLED, ERROR, WARN, INFO, DEBUG, TRACE"
        ' in any case, not "verbose"'
    )


@pytest.mark.parametrize("file", ["o-$PID.jsonl", "o-${PID}.jsonl", "$PID/o", "${PID}$PID"])
def test_pid_in_the_log_file_is_allowed_and_warned_of(tmp_path, file):
    config = _load(tmp_path, f'[log]\nfile = "{file}"\n')
    assert config.log.file == str(tmp_path / file)
    (warning,) = warnings(config)
    assert "hundreds of files" in warning


@pytest.mark.parametrize(
    ("file", "part"),
    [("$HOME/o", "$HOME"), ("o-$PIDX", "$PIDX"), ("o${X}", "${X}"), ("o$", "$"), ("a$-b", "$")],
)
def test_any_other_dollar_is_refused(tmp_path, file, part):
    (line,) = _refused(tmp_path, f'[log]\nfile = "{file}"\n')
    assert f'log.file: "{part}" is refused' in line


def test_debug_is_said_to_slow_builds(tmp_path):
    (warning,) = warnings(_load(tmp_path, '[log]\nlevel = "debug"\n'))
    assert "slows builds" in warning


def test_relative_log_file_starts_at_the_configuration(tmp_path):
    (tmp_path / "other").mkdir(mode=0o755)
    named = tmp_path / "other" / "c.toml"
    named.write_text('[log]\nfile = "../logs/o.jsonl"\n')
    assert load(named, tmp_path, {}).log.file == str(tmp_path / "logs" / "o.jsonl")


def test_environment_counts_where_the_file_is_silent(tmp_path):
    environment = {"ORCHESTRION_LOG_FILE": "/var/log/o.jsonl", "ORCHESTRION_LOG_LEVEL": "info"}
    config = _load(tmp_path, "[build]\nnice = 1\n", environment)
    assert (config.log.file, config.log.level) == ("/var/log/o.jsonl", "INFO")
    assert config.source_of("log.file") == config.source_of("log.level") == "environment"
    assert config.source_of("build.nice") == "file"
    assert config.source_of("build.go") == "default"


def test_file_wins_over_the_environment(tmp_path):
    environment = {"ORCHESTRION_LOG_FILE": "/var/log/o.jsonl", "ORCHESTRION_LOG_LEVEL": "info"}
    config = _load(tmp_path, '[log]\nfile = "own.jsonl"\nlevel = "ERROR"\n', environment)
    assert (config.log.file, config.log.level) == (str(tmp_path / "own.jsonl"), "ERROR")
    assert config.from_environment == frozenset()


def test_wrong_environment_is_a_problem_of_its_own(tmp_path):
    with pytest.raises(ConfigurationError) as refusal:
        load(None, tmp_path, {"ORCHESTRION_LOG_FILE": "/a/$X", "ORCHESTRION_LOG_LEVEL": "loud"})
    assert [line.partition(":")[0] for line in refusal.value.message.splitlines()] == [
        "ORCHESTRION_LOG_FILE",
        "ORCHESTRION_LOG_LEVEL",
    ]


def test_a_log_folder_that_others_may_write_is_refused(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (line,) = _refused(tmp_path, '[log]\nfile = "shared/o.jsonl"\n')
    assert line.endswith(
        f"{shared} is writable by others, so it cannot be rotated safely: chmod go-w {shared}"
    )


def test_a_log_file_that_only_the_environment_names_is_not_judged(tmp_path):
    """It is never rotated, so it cannot do harm."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert _load(tmp_path, "", {"ORCHESTRION_LOG_FILE": f"{shared}/o"}).log.file == f"{shared}/o"


@pytest.mark.parametrize("tier", ["trees", "thin", "history"])
def test_a_policy_that_keeps_nothing_is_refused(tmp_path, tier):
    (line,) = _refused(
        tmp_path,
        f'[keep.{tier}]\nkeep_last = 0\nkeep_failed = 0\nkeep_daily = 0\nkeep_within = "0s"\n',
    )
    assert line.startswith(f"orchwatchd.toml: keep.{tier}: keeps nothing")


def test_a_rule_between_keys_is_not_held_against_a_default(tmp_path):
    """rest is refused and so at its default: nobody wrote that it is longer than longest_wait."""
    (line,) = _refused(tmp_path, '[watch]\nrest = "x"\nlongest_wait = "50ms"\n')
    assert line.startswith("orchwatchd.toml: watch.rest: ")


def test_longest_wait_below_rest(tmp_path):
    (line,) = _refused(tmp_path, '[watch]\nrest = "3s"\n')
    assert line == "orchwatchd.toml: watch.longest_wait: is shorter than watch.rest"


def test_show_gives_values_that_can_be_pasted(tmp_path):
    config = _load(tmp_path, '[build]\nenv = { A = "b\\"c" }\ntags = ["x"]\n')
    shown = {setting.key: setting for setting in settings(config)}
    assert shown["build.env"].source == shown["build.tags"].source == "file"
    assert tomllib.loads(f"v = {shown['build.env'].value}")["v"] == {"A": 'b"c'}
    assert shown["watch.rest"].value == '"100ms"'
    assert shown["keep.trees.min_free"].value == '"5%"'
    assert config.build == Build(env={"A": 'b"c'}, tags=("x",))
