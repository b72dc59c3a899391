"""Building with Orchestrion: which programs, which command, running it, and what it says."""

from __future__ import annotations

from orchwatchd.build.cache import ensure_cache, retire
from orchwatchd.build.command import build_folder, plan_command
from orchwatchd.build.environment import check_cache_program, recorded_arguments, recorded_environment
from orchwatchd.build.generated import lookup_in
from orchwatchd.build.log import plan_log
from orchwatchd.build.outcome import status_of
from orchwatchd.build.run import end_interrupted, find_work_tree, run_build
from orchwatchd.build.state import git_state, modules_document
from orchwatchd.build.temp import temp_of
from orchwatchd.build.toolchain import find_toolchain

__all__ = [
    "build_folder",
    "check_cache_program",
    "end_interrupted",
    "ensure_cache",
    "find_toolchain",
    "find_work_tree",
    "git_state",
    "lookup_in",
    "modules_document",
    "plan_command",
    "plan_log",
    "recorded_arguments",
    "recorded_environment",
    "retire",
    "run_build",
    "status_of",
    "temp_of",
]
