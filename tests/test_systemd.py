"""The systemd unit: systemd's own check of the file, and (in `make faults`) the shipped file in a real user manager."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Tools, copy_example
from program import wait_until

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "systemd/orchwatchd@.service"
PASSED_ON = ("GOPROXY", "GOSUMDB", "GOMODCACHE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with the program where the unit looks for it."""
    (tmp_path / "home/.local/bin").mkdir(parents=True)
    program = tmp_path / "home/.local/bin/orchwatchd"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m orchwatchd "$@"\n')
    program.chmod(0o755)
    return tmp_path / "home"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="wants systemd: apt-get install systemd")
def test_systemd_has_nothing_to_say_against_the_unit(home, tmp_path):
    """A bad value gives exit code 0 and a line on standard error, so both are looked at."""
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", "--man=no", "--recursive-errors=no", UNIT],
        env={**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@dataclass(frozen=True)
class Manager:
    """A systemd user manager, and one project that its unit watches."""

    state: Path
    home: Path
    project: Path

    def inside(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "tests/sd_ns", "exec", self.state, "env", "XDG_RUNTIME_DIR=/run/user/0", *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def systemctl(self, *words: str) -> str:
        done = self.inside("systemctl", "--user", *words)
        assert done.returncode == 0, f"{words}: {done.stderr}\n{(self.state / 'log').read_text()[-3000:]}"
        return done.stdout

    @property
    def unit(self) -> str:
        words = ["systemd-escape", "--path", "--template=orchwatchd@.service", str(self.project)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    def show(self, name: str) -> str:
        return self.systemctl("show", self.unit, "--value", "--property", name).strip()

    def read(self, *words: str) -> list[dict]:
        """A reading command as the user types it in a shell: with another environment than the service has."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        done = subprocess.run(
            [self.home / ".local/bin/orchwatchd", "-C", self.project, *words, "--json"],
            env={**environment, "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else []

    def newest(self) -> tuple[int, str]:
        runs = self.read("runs")
        return (runs[0]["id"], runs[0]["status"]) if runs else (0, "none")


@pytest.fixture
def manager(home: Path, tmp_path: Path, tools: Tools) -> Iterator[Manager]:
    """A booted user manager with the shipped unit and a drop-in that says where Go lies; its project has a blank and a
    dollar sign in its path.
    """
    system, user, state = (tmp_path / name for name in ("system", "user", "state"))
    for folder in (system, user, state):
        folder.mkdir()
    bare = "[Unit]\nDefaultDependencies=no\n"
    for name in ("sysinit", "multi-user", "shutdown", "umount", "local-fs", "local-fs-pre", "swap"):
        (system / f"{name}.target").write_text(bare)
    for name in ("shutdown", "exit"):
        (user / f"{name}.target").write_text(bare)
    for target in (system / "basic.target", user / "basic.target", user / "default.target"):
        target.write_text(bare + "AllowIsolate=yes\n")
    (system / "manager.service").write_text(
        f"{bare}[Service]\nType=notify\nDelegate=yes\nKillMode=mixed\n"
        f"Environment=HOME={home} XDG_RUNTIME_DIR=/run/user/0 SYSTEMD_UNIT_PATH={user}\n"
        "ExecStart=/lib/systemd/systemd --user --unit=default.target --log-target=console\n"
    )
    shutil.copy(UNIT, user / UNIT.name)
    lines = [f"PATH={tools.env['PATH']}", "GOTOOLCHAIN=local", f"GOMODCACHE={_module_cache(tools)}"]
    lines += [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    (user / f"{UNIT.name}.d").mkdir()
    (user / f"{UNIT.name}.d/go.conf").write_text(
        "[Service]\n" + "".join(f'Environment="{line}"\n' for line in lines)
    )
    project = copy_example("greeter", tmp_path / "my $HOME service")
    subprocess.run([ROOT / "tests/sd_ns", "start", system, state], check=True, timeout=60)
    found = Manager(state, home, project)
    try:
        started = found.inside("systemctl", "start", "manager.service")
        assert started.returncode == 0, (state / "log").read_text()
        yield found
    finally:
        subprocess.run([ROOT / "tests/sd_ns", "stop", state], check=True, timeout=60)


def _module_cache(tools: Tools) -> str:
    done = subprocess.run(
        [tools.go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True, cwd="/"
    )
    return done.stdout.strip()


def _edit(project: Path, old: str, new: str) -> None:
    path = project / "greet/greet.go"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.faults
@pytest.mark.builds
def test_the_shipped_unit_in_a_real_user_manager(manager: Manager):
    """Started, killed, reloaded and stopped by systemd; a shell beside it sees the same history."""
    manager.systemctl("start", manager.unit)
    assert manager.show("ActiveState") == "active"
    wait_until(lambda: manager.newest() == (1, "ok"), "the first run", 180)
    wait_until(lambda: manager.show("StatusText"), "a word in systemctl status")

    # Killed in mid-build: systemd starts it again, and it makes good what the dead one left.
    _edit(manager.project, '"hello, "', '"good day, "')
    wait_until(lambda: manager.newest() == (2, "running"), "a build to kill the daemon in")
    manager.systemctl("kill", "--signal=KILL", "--kill-who=main", manager.unit)
    wait_until(lambda: manager.show("NRestarts") == "1", "the restart")
    wait_until(
        lambda: manager.newest()[0] >= 3 and manager.newest()[1] == "ok", "the run after the restart", 120
    )
    runs = {run["id"]: run for run in manager.read("runs")}
    assert runs[2]["status"] == "interrupted"
    assert runs[max(runs)]["unknown_packages"] == 0

    # Stopped: within the time, as a success, and nothing of it is left.
    cgroup = Path("/sys/fs/cgroup") / manager.show("ControlGroup").lstrip("/")
    manager.systemctl("stop", manager.unit)
    assert manager.show("Result") == "success"
    assert manager.inside("cat", f"{cgroup}/cgroup.procs").stdout == ""


@pytest.mark.faults
def test_a_bad_configuration_is_not_tried_again(manager: Manager):
    (manager.project / "orchwatchd.toml").write_text("[watch]\ndebonce = 1\n")
    assert manager.inside("systemctl", "--user", "start", manager.unit).returncode != 0
    assert manager.show("ExecMainStatus") == "78"
    assert (manager.show("ActiveState"), manager.show("NRestarts")) == ("failed", "0")
