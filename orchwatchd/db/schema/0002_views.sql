-- What people query: these views hide how sets, blobs and shared rows are kept. docs/schema.md describes them.

CREATE VIEW v_set_output AS
SELECT s.id AS member_set, m.output
FROM member_set AS s
JOIN member AS m ON m.member_set = coalesce(s.base, s.id)
WHERE m.present = 1
  AND (s.base IS NULL OR NOT EXISTS (SELECT 1 FROM member AS d WHERE d.member_set = s.id AND d.output = m.output))
UNION ALL
SELECT s.id, m.output
FROM member_set AS s
JOIN member AS m ON m.member_set = s.id
WHERE s.base IS NOT NULL AND m.present = 1;

CREATE VIEW v_run AS
SELECT r.id, r.status, r.reason, r.kind, r.trigger, r.started_at, r.ended_at, r.duration,
       CASE WHEN r.members IS NULL THEN NULL ELSE s.packages + r.without_output + r.unresolved END AS packages,
       r.compiled, s.unknown_packages + r.unresolved AS unknown_packages, s.instrumented_packages, s.modified_files, s.injections,
       r.orchestrion_version, r.go_version, r.git_commit, r.git_branch, r.git_dirty,
       r.cache, r.work_state, r.exit_code, r.members AS member_set
FROM run AS r
LEFT JOIN member_set AS s ON s.id = r.members;

CREATE VIEW v_output AS
SELECT o.id AS output,
       CASE WHEN p.variant = '' THEN p.path ELSE p.path || ' [' || p.variant || ']' END AS package,
       p.path, p.variant, o.action, o.content, o.state, o.recorded_run AS recorded_in,
       o.modified_files, o.injections
FROM output AS o
LEFT JOIN package AS p ON p.id = o.package;

CREATE VIEW v_run_package AS
SELECT r.id AS run, o.*
FROM run AS r
JOIN v_set_output AS m ON m.member_set = r.members
JOIN v_output AS o ON o.output = m.output;

CREATE VIEW v_run_file AS
SELECT r.id AS run, o.package, f.path, f.original, f.original_certain, f.nested, f.synthetic,
       f.recorded_run AS recorded_in, i.injections, f.id AS file
FROM run AS r
JOIN v_set_output AS m ON m.member_set = r.members
JOIN modified_file AS f ON f.output = m.output
JOIN injection_set AS i ON i.id = f.injection_set
JOIN v_output AS o ON o.output = f.output
WHERE o.state = 'woven';

CREATE VIEW v_injection AS
SELECT f.id AS file, i.ordinal, i.kind, i.declaration, t.text, coalesce(s.text, '') AS shape, c.text AS code,
       i.line, i.last_line, i.original_line, i.by_marks,
       a.integration, a.aspect, a.certainty, a.candidates, a.also, a.unexplained
FROM modified_file AS f
JOIN injection AS i ON i.injection_set = f.injection_set
JOIN snippet AS t ON t.id = i.text
JOIN snippet AS c ON c.id = i.code
LEFT JOIN snippet AS s ON s.id = i.shape
JOIN attribution AS a ON a.id = i.attribution;

CREATE VIEW v_run_injection AS
SELECT f.run, f.package, f.path, f.original, i.kind, i.declaration, i.text, i.code, i.line, i.last_line,
       i.original_line, i.integration, i.aspect, i.certainty, i.candidates, i.unexplained
FROM v_run_file AS f
JOIN v_injection AS i ON i.file = f.file;

CREATE VIEW v_stage AS
SELECT s.run, s.path, s.nested,
       CASE WHEN p.variant = '' THEN p.path ELSE p.path || ' [' || p.variant || ']' END AS package,
       s.kinds,
       CASE WHEN o.action IS NULL THEN NULL
            ELSE o.action || '/' || CASE WHEN s.attempt THEN o.action ELSE coalesce(o.content, o.action) END
       END AS build_id,
       s.status, s.wall, s.cpu, s.files, s.bytes, s.woven, s.attempt
FROM stage AS s
LEFT JOIN package AS p ON p.id = s.package
LEFT JOIN output AS o ON o.id = s.output;

CREATE VIEW v_import AS
SELECT r.id AS run, o.package, i.kind, n.path AS import
FROM run AS r
JOIN v_set_output AS m ON m.member_set = r.members
JOIN output_import AS i ON i.output = m.output
JOIN v_output AS o ON o.output = m.output
JOIN name_set_package AS s ON s.name_set = i.added
JOIN package AS n ON n.id = s.package
WHERE o.state IN ('plain', 'woven')
UNION ALL
SELECT l.run, p.path, 'importcfg.link', n.path
FROM run_link AS l
JOIN link AS k ON k.id = l.link
JOIN package AS p ON p.id = k.package
JOIN name_set_package AS s ON s.name_set = k.added
JOIN package AS n ON n.id = s.package;

CREATE VIEW v_program AS
SELECT l.run, p.path AS package, k.action, l.linked, l.failed, k.complete, s.packages, s.unknown_packages,
       s.instrumented_packages, s.modified_files, s.injections, k.members AS member_set
FROM run_link AS l
JOIN link AS k ON k.id = l.link
JOIN package AS p ON p.id = k.package
JOIN member_set AS s ON s.id = k.members;

-- Outputs that a run has and the run of the same kind before it had not: `instrumentation` says how the woven code of
-- that package compares, `new` where that run had no output of the package, `unknown` where either was not recorded.
CREATE VIEW v_change AS
SELECT c.run, c.previous, c.package,
       CASE WHEN c.previous_output IS NULL THEN 'new'
            WHEN o.state NOT IN ('plain', 'woven') OR q.state NOT IN ('plain', 'woven') THEN 'unknown'
            WHEN o.meaning IS q.meaning THEN 'same'
            WHEN q.meaning IS NULL THEN 'added'
            WHEN o.meaning IS NULL THEN 'removed'
            ELSE 'changed' END AS instrumentation,
       o.content IS q.content AS same_content
FROM (
    SELECT r.id AS run, b.id AS previous, m.output, o.package AS package_id, v.package,
           (SELECT x.output FROM v_set_output AS x JOIN output AS y ON y.id = x.output
            WHERE x.member_set = b.members AND y.package = o.package LIMIT 1) AS previous_output
    FROM run AS r
    JOIN run AS b ON b.id = (SELECT max(id) FROM run AS z WHERE z.id < r.id AND z.kind = r.kind AND z.members IS NOT NULL)
    JOIN v_set_output AS m ON m.member_set = r.members
    JOIN output AS o ON o.id = m.output
    JOIN v_output AS v ON v.output = m.output
    WHERE r.members <> b.members
      AND NOT EXISTS (SELECT 1 FROM v_set_output AS x WHERE x.member_set = b.members AND x.output = m.output)
) AS c
JOIN output AS o ON o.id = c.output
LEFT JOIN output AS q ON q.id = c.previous_output;
