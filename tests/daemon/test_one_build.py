"""What the watcher hears of a build, however the build ends: once, and whether there was one."""

from __future__ import annotations

from orchwatchd.daemon.watching import OneBuild


class Watching:
    """Stands for the watched sources; notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def before(self) -> str:
        self.told.append("before")
        return "sources"

    def after(self, *, cancelled: bool) -> bool:
        self.told.append("cancelled" if cancelled else "built")
        return False

    def not_built(self) -> None:
        self.told.append("not built")


def test_a_build_that_ended_is_told_once() -> None:
    for cancelled, told in ((False, "built"), (True, "cancelled")):
        watching = Watching()
        one = OneBuild(watching)
        assert one.before() == "sources"
        one.after(cancelled=cancelled)
        one.close()
        assert watching.told == ["before", told]


def test_a_build_that_never_started_is_told_as_such() -> None:
    watching = Watching()
    one = OneBuild(watching)
    one.before()
    one.close()
    assert watching.told == ["before", "not built"]


def test_so_is_one_that_failed_before_it_looked_at_the_inputs() -> None:
    watching = Watching()
    OneBuild(watching).close()
    assert watching.told == ["not built"]
