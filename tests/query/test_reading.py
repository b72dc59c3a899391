"""Reading runs: lists and their filters, files by name, stages, user's SQL, the JSON of it all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from records import NOON, ROOT, Build, Package, open_store, record, start

from orchwatchd.errors import NotFoundError, UsageError
from orchwatchd.lock import acquire
from orchwatchd.models.log import IndexedLog, LogChunk, LogCounts, LogLine, LogSkip, SkipReason
from orchwatchd.models.package import PackageName
from orchwatchd.models.record import RunRecord
from orchwatchd.models.rows import to_jsonable
from orchwatchd.models.run import CompilerMessage, Documents, LogRange, RunEnd, RunStatus
from orchwatchd.models.tree import ImportKind
from orchwatchd.models.why import Waited
from orchwatchd.query import History
from orchwatchd.store import Store

API, WORKER = Package("app/cmd/api", spans=1), Package("app/cmd/worker", spans=1)
STORE = Package("app/store", spans=2, imports=("example.com/trace", "log"))
ALL = (API, WORKER, STORE, Package("fmt"))
COLD = Build(
    packages=ALL,
    compiled=(API, WORKER),
    nested=(STORE, Package("fmt")),
    programs=("app/cmd/api", "app/cmd/worker"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def history(store: Store) -> Iterator[History]:
    with History.open(store.connection.path) as opened:
        yield opened


def test_rows_have_the_fields_of_the_contract(store: Store, history: History) -> None:
    run = record(store, COLD)
    (row,) = json.loads(json.dumps(to_jsonable(history.runs())))
    wanted = {
        "id": 1, "status": "ok", "reason": None, "kind": "build", "trigger": ["a.go"],
        "started_at": "2026-11-23T12:00:00.123Z", "duration": 10.0, "packages": 4, "compiled": 4, "unknown_packages": 0,
        "instrumented_packages": 3, "modified_files": 3, "injections": 4, "orchestrion_version": "v1.15.0",
        "go_version": "go1.26.8", "git_commit": None,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    file = to_jsonable(history.files(run)[2])
    assert file["package"] == "app/store"
    assert {
        "path",
        "original",
        "original_certain",
        "nested",
        "synthetic",
        "recorded_in",
        "injections",
    } <= set(file)
    assert (file["nested"], file["injections"], file["recorded_in"]) == (True, 2, 1)
    stage = to_jsonable(history.stages(run)[0])
    assert stage == {
        "path": "b000", "nested": False, "package": "app/cmd/api", "kinds": ["compile"], "build_id": str(API.build),
        "status": "compiled", "wall": 0.5, "cpu": 0.25, "files": 4, "bytes": 1000, "woven": True, "attempt": False,
    }  # fmt: skip
    imports = to_jsonable(history.imports(run))
    assert {"package": "app/store", "kind": "importcfg", "added": ["example.com/trace", "log"]} in imports
    assert [one["package"] for one in imports if one["kind"] == "importcfg.link"] == [
        "app/cmd/api",
        "app/cmd/worker",
    ]


def test_runs_are_filtered_and_cut(store: Store, history: History) -> None:
    for number, (kind, status) in enumerate(
        [("build", RunStatus.OK), ("test", RunStatus.OK), ("build", RunStatus.FAILED)]
    ):
        record(store, Build(kind=kind, status=status), number)
    store.begin(start(Build()))
    assert [row.id for row in history.runs()] == [4, 3, 2, 1]
    assert [row.id for row in history.runs(kinds=("build",), limit=2)] == [4, 3]
    assert [row.id for row in history.runs(statuses=("ok", "failed"), before=3)] == [2, 1]
    with acquire(store.connection.path.parent, "build"):
        running = history.run(4)
    assert (running.status, running.packages, running.duration) == ("running", None, None)


def test_one_run_in_detail(store: Store, history: History) -> None:
    documents = Documents(gomod="module app\n", manifest="ab  a.go\n", environment="{}")
    begun = replace(start(Build(documents=documents)), logs=(LogRange("o.jsonl", 7, 10, 10, "head"),))
    run = store.begin(begun)
    assert store.unfinished()[0].logs == begun.logs
    message = CompilerMessage("<generated>", 2, 5, "undefined: x", "app/store", "func F", "x()")
    end = RunEnd(
        RunStatus.FAILED, "the build failed", NOON, 1, messages=(message,), logs=(LogRange("o.jsonl", 7, 10, 90, "head"),),
        stdout=b"out", stderr=b"WORK=/w\nerr", inputs_moved=True,
    )  # fmt: skip
    store.finish(
        run, end, RunRecord(failed=(PackageName("app/store"),), problems=("stage b007 could not be read",))
    )
    shown = history.show(run)
    assert shown.messages == (message,)
    assert shown.logs == end.logs
    assert (shown.exit_code, shown.inputs_moved, shown.problems) == (
        1,
        True,
        ("stage b007 could not be read",),
    )
    assert shown.documents == ("environment", "gomod", "manifest")
    assert history.document(run, "manifest") == "ab  a.go\n"
    assert history.document(run, "gosum") is None
    assert history.output(run) == (b"out", b"WORK=/w\nerr")
    assert history.facts(run).manifest == {"a.go": "ab"}


@pytest.mark.parametrize(
    ("name", "package"),
    [
        (f"{ROOT}/app/store/store.go", "app/store"),
        ("__tmp__/go-build7/b000/orchestrion/src/app/store/x.go", "app/store"),
        ("app/store/store.go", "app/store"),
        ("store.go", "app/store"),
        ("cmd/api/api.go", "app/cmd/api"),
    ],
)
def test_a_file_is_found_by_every_name_that_it_has(
    store: Store, history: History, name: str, package: str
) -> None:
    run = record(store, COLD)
    found = history.source(run, name, root=Path(ROOT))
    assert found.file.package == package
    assert (found.original, found.woven) == next(one.sources() for one in ALL if one.path == package)


def test_an_ambiguous_file_is_listed_and_a_wrong_one_told_what_is_near(
    store: Store, history: History
) -> None:
    run = record(store, COLD)
    with pytest.raises(NotFoundError, match=r"3 files of this run fit x\.go") as raised:
        history.source(run, "x.go")
    assert "app/cmd/worker" in (raised.value.hint or "")
    with pytest.raises(NotFoundError, match=r"no modified file stor\.go") as raised:
        history.source(run, "stor.go")
    assert "app/store/store.go" in (raised.value.hint or "")
    with pytest.raises(NotFoundError, match="has no modified file, so not"):
        history.source(record(store, Build(), 1), "store.go")


def test_a_tail_begins_at_a_folder(store: Store, history: History) -> None:
    run = record(store, COLD)
    with pytest.raises(NotFoundError):
        history.source(run, "ore.go")


def test_packages_that_were_not_reached_count_as_packages_and_are_not_unknown(
    store: Store, history: History
) -> None:
    run = record(
        store,
        Build(
            packages=(API,),
            compiled=(API,),
            failed=("app/store",),
            unreached=("app/z",),
            status=RunStatus.FAILED,
        ),
    )
    row = history.run(run)
    assert (row.packages, row.unknown_packages) == (3, 0)
    assert [(one.package, one.state) for one in history.packages(run)] == [
        ("app/cmd/api", "woven"),
        ("app/store", "failed"),
        ("app/z", "unreached"),
    ]


def test_a_program_whose_archives_are_gone_is_incomplete_and_they_are_unknown(
    store: Store, history: History
) -> None:
    program = COLD.program("app/cmd/api")
    lost = replace(program, complete=False, unresolved=(PackageName("lost"), PackageName("fmt")))
    run = store.begin(start(Build()))
    store.finish(
        run, RunEnd(RunStatus.UNKNOWN, "adopted", NOON, None), RunRecord(programs=(lost,), graph_known=False)
    )
    row = history.run(run)
    assert (row.packages, row.unknown_packages, row.compiled) == (5, 5, None)
    assert history.show(run).unresolved == ("lost",)
    assert [one.complete for one in history.programs(run)] == [False]


def test_a_cached_stage_is_no_proof_that_a_package_is_not_instrumented(
    store: Store, history: History
) -> None:
    """The action graph gives the build id of a package that the shared cache served; nobody saw it compiled."""
    from orchwatchd.models.tree import StageStatus

    built = Build(packages=(STORE,), compiled=(STORE,)).record()
    stages = tuple(replace(one, status=StageStatus.CACHED, woven=False) for one in built.stages)
    outputs = tuple(replace(one, woven=False, files=()) for one in built.outputs)
    run = store.begin(start(Build()))
    store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0), replace(built, stages=stages, outputs=outputs))
    assert (history.run(run).unknown_packages, history.run(run).compiled) == (1, 0)


def test_users_sql_reads_and_nothing_else(store: Store, history: History) -> None:
    record(store, COLD)
    answer = history.sql(
        "WITH x AS (SELECT package FROM v_run_file WHERE run = 1) SELECT count(*) AS n, upper('a') FROM x"
    )
    assert (answer.columns, answer.rows, answer.cut) == (("n", "upper('a')"), ((3, "A"),), False)
    assert history.sql("SELECT * FROM package", rows=2).cut
    assert history.sql("PRAGMA table_info(run)").rows[0][1] == "id"
    for forbidden in (
        "DELETE FROM run", "UPDATE run SET reason = 1", "DROP TABLE run", "ATTACH 'x.db' AS x", "PRAGMA journal_mode = DELETE",
        "PRAGMA query_only = OFF", "CREATE TEMP TABLE x (y)", "SELECT load_extension('x')", "BEGIN", "VACUUM INTO 'x'",
        "SELECT 1; DELETE FROM run", "", "SELEC 1", "SELECT * FROM nothing",
    ):  # fmt: skip
        if forbidden:
            with pytest.raises(UsageError) as raised:
                history.sql(forbidden)
            assert raised.value.hint
    with pytest.raises(UsageError, match=r"longer than 0.2 s"):
        history.sql(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c",
            seconds=0.2,
        )
    with pytest.raises(UsageError, match=r"longer than 0.2 s"):
        history.sql(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0",
            seconds=0.2,
        )
    assert len(history.runs()) == 1


GOMOD = """module app // what it is

go 1.26

require one.example/a v1.0.0
require one.example/b v1.0.0 // indirect

require(
	// a comment
	two.example/c v1.0.0 // why it is here
	"two.example/d" v1.0.0
	two.example/e v1.0.0 // indirect; but soon direct

	two.example/f v1.0.0 // indirect
)

replace (
	two.example/g => ../g
)
exclude two.example/h v1.0.0
"""


def test_a_run_knows_which_modules_its_go_mod_requires_directly(store: Store, history: History) -> None:
    run = record(store, Build(documents=Documents(gomod=GOMOD)))
    assert history.facts(run).required == {"one.example/a", "two.example/c", "two.example/d"}
    assert history.facts(record(store, Build(), 1)).required is None


def test_log_lines_are_kept_with_their_run(store: Store, history: History) -> None:
    warn = LogLine(
        3,
        "warn",
        "2026-11-23T12:00:00Z",
        STORE.name,
        "compile",
        "skipped",
        None,
        "type error",
        41,
        None,
        (),
        "{}",
    )
    log = IndexedLog(
        counts=LogCounts({"debug": 4, "warn": 1}, {"debug": 2}, 900),
        chunks=(LogChunk(((0, 2), (3, 1)), 6, b'{"a":1}\n{"b":2}\nplain'),),
        notes=(warn,),
        skips=(LogSkip(STORE.name, SkipReason.TYPE_ERROR, "undefined: x", 3),),
        toolexec=("key",),
    )
    run = store.begin(start(Build()))
    store.finish(run, RunEnd(RunStatus.OK, None, NOON, 0), RunRecord(), log)
    assert history.log_chunks(run) == log.chunks
    assert history.log_chunks(run, levels=1) == ()
    noted = "SELECT line, package, detail FROM log_note"
    assert history.sql(noted).rows == ((3, "app/store", "type error"),)
    assert history.log_skips(run, "app/store") == log.skips
    summary = history.log_summary(run)
    assert summary is not None
    assert (summary.lines, summary.kept, summary.left_out, summary.toolexec) == (5, 3, {"debug": 2}, ("key",))
    store.drop_logs([run])
    assert history.log_chunks(run) == history.sql(noted).rows == ()
    assert history.log_summary(run) == replace(summary, kept=0)
    assert history.facts(run).toolexec_key == "key"
    assert history.log_summary(record(store, Build(), 1)) is None


def test_job_times_outlive_the_daemon(store: Store, history: History) -> None:
    store.job_started("prune", NOON)
    store.job_finished("prune", NOON, "3 trees removed", ok=True)
    store.job_started("prune", NOON.replace(hour=13))
    store.job_finished("prune", NOON.replace(hour=13), "the disk is full", ok=False)
    (row,) = history.jobs()
    assert (row.last_start, row.last_ok, row.outcome) == (NOON.replace(hour=13), NOON, "the disk is full")
    assert store.job_times("prune").last_ok == NOON
    assert store.job_times("rotate").last_start is None


def test_injected_code_brought_what_the_package_itself_imports(store: Store, history: History) -> None:
    """`link.deps` of an archive lists what its dependencies need, too: it says nothing of the package's own code."""
    waiting = Package("app/wait", spans=1, imports=("own/importcfg",))
    run = Build(packages=(waiting,), compiled=(waiting,)).record()
    (stage,), (output,) = run.stages, run.outputs
    imports = (*output.imports, (ImportKind.SOURCE, "own/source"), (ImportKind.LINK_DEPS, "inherited"))
    run = replace(
        run, stages=(replace(stage, wall=100.0, cpu=0.1),), outputs=(replace(output, imports=imports),)
    )
    number = store.begin(start(Build()))
    store.finish(number, RunEnd(RunStatus.OK, None, NOON, 0), run)
    _, (waited,), _ = history.costs(number)
    assert waited == Waited("app/wait", 100.0, 0.1, ("own/importcfg", "own/source"))
