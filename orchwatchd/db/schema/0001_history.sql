-- The history of one project. docs/schema.md describes every table and column; a test compares the two.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Bytes, once by hash. `data` is zstd; with a `base` it is a delta that needs the base's bytes as raw dictionary.
CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    base INTEGER REFERENCES blob (id),
    depth INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX blob_base ON blob (base) WHERE base IS NOT NULL;

CREATE TABLE package (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    variant TEXT NOT NULL,
    UNIQUE (path, variant)
) STRICT;

-- A set of outputs, kept once by hash. Without a base its rows in `member` are the whole set; with one they are the
-- difference to that base, which itself has none. The counters are kept right when an output becomes known later.
CREATE TABLE member_set (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    base INTEGER REFERENCES member_set (id),
    packages INTEGER NOT NULL,
    unknown_packages INTEGER NOT NULL,
    instrumented_packages INTEGER NOT NULL,
    modified_files INTEGER NOT NULL,
    injections INTEGER NOT NULL
) STRICT;
CREATE INDEX member_set_base ON member_set (base) WHERE base IS NOT NULL;

-- One compiled package by its action id; nothing else identifies it. `action` is null for an attempt that has none.
-- `recorded_run` is the run whose tree held the record; that run may have been removed since.
CREATE TABLE output (
    id INTEGER PRIMARY KEY,
    action TEXT UNIQUE,
    content TEXT,
    package INTEGER REFERENCES package (id),
    state TEXT NOT NULL CHECK (state IN ('unknown', 'attempt', 'plain', 'woven')),
    recorded_run INTEGER,
    modified_files INTEGER NOT NULL DEFAULT 0,
    injections INTEGER NOT NULL DEFAULT 0,
    meaning BLOB,
    companions INTEGER REFERENCES member_set (id)
) STRICT;
CREATE INDEX output_package ON output (package);
CREATE INDEX output_companions ON output (companions) WHERE companions IS NOT NULL;

CREATE TABLE member (
    member_set INTEGER NOT NULL REFERENCES member_set (id),
    output INTEGER NOT NULL REFERENCES output (id),
    present INTEGER NOT NULL CHECK (present IN (0, 1)),
    PRIMARY KEY (member_set, output)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_output ON member (output);

CREATE TABLE name_set (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE name_set_package (
    name_set INTEGER NOT NULL REFERENCES name_set (id),
    package INTEGER NOT NULL REFERENCES package (id),
    PRIMARY KEY (name_set, package)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_set_package_package ON name_set_package (package);

CREATE TABLE output_import (
    output INTEGER NOT NULL REFERENCES output (id),
    kind TEXT NOT NULL,
    added INTEGER NOT NULL REFERENCES name_set (id),
    PRIMARY KEY (output, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX output_import_added ON output_import (added);

CREATE TABLE injection_set (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    meaning BLOB NOT NULL,
    injections INTEGER NOT NULL
) STRICT;

CREATE TABLE snippet (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE attribution (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    integration TEXT,
    aspect TEXT,
    certainty TEXT NOT NULL,
    candidates TEXT NOT NULL,
    also TEXT NOT NULL,
    unexplained INTEGER NOT NULL CHECK (unexplained IN (0, 1))
) STRICT;

-- Derived from the stored bytes of a modified file; derived again when the code that does it changes.
CREATE TABLE injection (
    injection_set INTEGER NOT NULL REFERENCES injection_set (id),
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    declaration TEXT NOT NULL,
    text INTEGER NOT NULL REFERENCES snippet (id),
    shape INTEGER REFERENCES snippet (id),
    code INTEGER NOT NULL REFERENCES snippet (id),
    line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    original_line INTEGER NOT NULL,
    by_marks INTEGER NOT NULL CHECK (by_marks IN (0, 1)),
    attribution INTEGER NOT NULL REFERENCES attribution (id),
    PRIMARY KEY (injection_set, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX injection_shape ON injection (shape) WHERE shape IS NOT NULL;
CREATE INDEX injection_text ON injection (text);
CREATE INDEX injection_code ON injection (code);
CREATE INDEX injection_attribution ON injection (attribution);

CREATE TABLE modified_file (
    id INTEGER PRIMARY KEY,
    output INTEGER NOT NULL REFERENCES output (id),
    path TEXT NOT NULL,
    stage TEXT NOT NULL,
    nested INTEGER NOT NULL CHECK (nested IN (0, 1)),
    synthetic INTEGER NOT NULL CHECK (synthetic IN (0, 1)),
    original TEXT,
    generated TEXT,
    original_blob INTEGER REFERENCES blob (id),
    original_certain INTEGER NOT NULL CHECK (original_certain IN (0, 1)),
    blob INTEGER NOT NULL REFERENCES blob (id),
    recorded_run INTEGER NOT NULL,
    injection_set INTEGER NOT NULL REFERENCES injection_set (id),
    weave_version INTEGER NOT NULL,
    attribution_version INTEGER NOT NULL
) STRICT;
CREATE INDEX modified_file_output ON modified_file (output);
CREATE INDEX modified_file_original ON modified_file (original);
CREATE INDEX modified_file_original_blob ON modified_file (original_blob);
CREATE INDEX modified_file_blob ON modified_file (blob);
CREATE INDEX modified_file_injection_set ON modified_file (injection_set);
CREATE INDEX modified_file_versions ON modified_file (weave_version, attribution_version);

-- Ids are never given twice, not even after the newest run was removed.
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'cancelled', 'interrupted', 'running', 'unknown')),
    reason TEXT,
    kind TEXT NOT NULL,
    trigger TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    duration REAL,
    exit_code INTEGER,
    signal INTEGER,
    argv TEXT NOT NULL,
    cache TEXT NOT NULL,
    go_version TEXT,
    orchestrion_version TEXT,
    git_commit TEXT,
    git_branch TEXT,
    git_dirty INTEGER CHECK (git_dirty IN (0, 1)),
    input_digest TEXT,
    inputs_moved INTEGER NOT NULL DEFAULT 0 CHECK (inputs_moved IN (0, 1)),
    work_parent TEXT NOT NULL,
    work_tree TEXT,
    work_state TEXT NOT NULL CHECK (work_state IN ('kept', 'thin', 'pruned', 'lost', 'none')),
    work_bytes INTEGER,
    pgid INTEGER,
    start_ticks INTEGER,
    boot_id TEXT,
    graph_known INTEGER CHECK (graph_known IN (0, 1)),
    compiled INTEGER,
    without_output INTEGER NOT NULL DEFAULT 0,
    unresolved INTEGER NOT NULL DEFAULT 0,
    members INTEGER REFERENCES member_set (id),
    companions INTEGER REFERENCES member_set (id),
    stdout INTEGER REFERENCES blob (id),
    stderr INTEGER REFERENCES blob (id),
    problems TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX run_git_commit ON run (git_commit) WHERE git_commit IS NOT NULL;
CREATE INDEX run_members ON run (members);
CREATE INDEX run_companions ON run (companions) WHERE companions IS NOT NULL;
CREATE INDEX run_stdout ON run (stdout) WHERE stdout IS NOT NULL;
CREATE INDEX run_stderr ON run (stderr) WHERE stderr IS NOT NULL;
CREATE INDEX run_running ON run (status) WHERE status = 'running';

CREATE TABLE run_document (
    run INTEGER NOT NULL REFERENCES run (id),
    kind TEXT NOT NULL,
    blob INTEGER NOT NULL REFERENCES blob (id),
    PRIMARY KEY (run, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_document_blob ON run_document (blob);

CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    action TEXT UNIQUE,
    package INTEGER NOT NULL REFERENCES package (id),
    members INTEGER NOT NULL REFERENCES member_set (id),
    added INTEGER REFERENCES name_set (id),
    complete INTEGER NOT NULL CHECK (complete IN (0, 1))
) STRICT;
CREATE INDEX link_package ON link (package);
CREATE INDEX link_members ON link (members);
CREATE INDEX link_added ON link (added);

CREATE TABLE run_link (
    run INTEGER NOT NULL REFERENCES run (id),
    link INTEGER NOT NULL REFERENCES link (id),
    linked INTEGER NOT NULL CHECK (linked IN (0, 1)),
    failed INTEGER NOT NULL CHECK (failed IN (0, 1)),
    PRIMARY KEY (run, link)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_link_link ON run_link (link);

CREATE TABLE run_package_state (
    run INTEGER NOT NULL REFERENCES run (id),
    package INTEGER NOT NULL REFERENCES package (id),
    state TEXT NOT NULL CHECK (state IN ('failed', 'unreached', 'unresolved')),
    PRIMARY KEY (run, package)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_package_state_package ON run_package_state (package);

CREATE TABLE run_attempt (
    run INTEGER NOT NULL REFERENCES run (id),
    output INTEGER NOT NULL REFERENCES output (id),
    PRIMARY KEY (run, output)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_attempt_output ON run_attempt (output);

CREATE TABLE stage (
    run INTEGER NOT NULL REFERENCES run (id),
    ordinal INTEGER NOT NULL,
    path TEXT NOT NULL,
    nested INTEGER NOT NULL CHECK (nested IN (0, 1)),
    package INTEGER REFERENCES package (id),
    kinds TEXT NOT NULL,
    output INTEGER REFERENCES output (id),
    status TEXT CHECK (status IN ('compiled', 'cached', 'reused', 'failed')),
    wall REAL,
    cpu REAL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    woven INTEGER NOT NULL CHECK (woven IN (0, 1)),
    attempt INTEGER NOT NULL CHECK (attempt IN (0, 1)),
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX stage_output ON stage (output);
CREATE INDEX stage_package ON stage (package);

CREATE TABLE compiler_message (
    run INTEGER NOT NULL REFERENCES run (id),
    ordinal INTEGER NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    "column" INTEGER,
    text TEXT NOT NULL,
    package TEXT,
    declaration TEXT,
    code TEXT,
    integration TEXT,
    aspect TEXT,
    certainty TEXT,
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_range (
    run INTEGER NOT NULL REFERENCES run (id),
    ordinal INTEGER NOT NULL,
    file TEXT NOT NULL,
    inode INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE pin (
    run INTEGER NOT NULL REFERENCES run (id),
    name TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pin_name ON pin (name) WHERE name <> '';

CREATE TABLE job_run (
    job TEXT PRIMARY KEY,
    last_start TEXT,
    last_ok TEXT,
    outcome TEXT
) STRICT, WITHOUT ROWID;
