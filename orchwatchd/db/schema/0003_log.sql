-- Orchestrion's log lines of each run. A run without a row in log_run was never asked for its lines.

CREATE TABLE log_run (
    run INTEGER PRIMARY KEY REFERENCES run (id),
    lines INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    seen TEXT NOT NULL,
    left_out TEXT NOT NULL,
    problems TEXT NOT NULL,
    facts INTEGER REFERENCES blob (id)
) STRICT;
CREATE INDEX log_run_facts ON log_run (facts) WHERE facts IS NOT NULL;

CREATE TABLE log_chunk (
    run INTEGER NOT NULL REFERENCES run (id),
    first INTEGER NOT NULL,
    stretches TEXT NOT NULL,
    levels INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run, first)
) STRICT;

CREATE TABLE log_note (
    run INTEGER NOT NULL REFERENCES run (id),
    line INTEGER NOT NULL,
    level TEXT NOT NULL,
    time TEXT,
    package TEXT,
    phase TEXT,
    message TEXT NOT NULL,
    subject TEXT,
    detail TEXT,
    pid INTEGER,
    orchestrion TEXT,
    raw TEXT NOT NULL,
    PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_skip (
    run INTEGER NOT NULL REFERENCES run (id),
    line INTEGER NOT NULL,
    package TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_skip_package ON log_skip (package);
