"""The table of integrations that dd-trace-go ships with the version that the build uses."""

from __future__ import annotations

from conftest import EXAMPLES, Tools

from orchwatchd.aspects.catalogue import Catalogue, integrations_for, parse_table, read_catalogue
from orchwatchd.aspects.locate import GoLocator


def test_an_integration_that_is_not_enabled_is_known_with_the_line_to_add(tools: Tools):
    root = EXAMPLES / "shop"
    catalogue = read_catalogue(GoLocator(root, tools.go, tools.env))

    (redis,) = integrations_for(catalogue, "github.com/redis/go-redis/v9")

    assert catalogue.version == "v2.12.0"
    assert redis.line == '_ "github.com/DataDog/dd-trace-go/contrib/redis/go-redis.v9/v2"'
    assert redis.woven


def test_enabled_ones_are_left_out_and_the_nearest_package_counts(tools: Tools):
    catalogue = read_catalogue(GoLocator(EXAMPLES / "shop", tools.go, tools.env))
    slog = "github.com/DataDog/dd-trace-go/contrib/log/slog/v2"

    assert [one.package for one in integrations_for(catalogue, "log/slog")] == [slog]
    assert not integrations_for(catalogue, "log/slog", enabled=[slog])
    chi = integrations_for(catalogue, "github.com/go-chi/chi/v5/middleware")
    assert [one.traced for one in chi] == ["github.com/go-chi/chi/v5"]
    assert not integrations_for(catalogue, "example.com/none")


def test_without_dd_trace_go_nothing_is_known(tmp_path, tools):
    (tmp_path / "go.mod").write_text("module example.com/p\n\ngo 1.26.0\n")

    assert read_catalogue(GoLocator(tmp_path, tools.go, tools.env)) == Catalogue()


def test_rows_of_another_form_are_left_out():
    text = """| Package | Datadog Integration | Min | Max | Orchestrion |
|---|---|---|---|---|
| [a](https://pkg.go.dev/a) | [c](https://pkg.go.dev/c/v2) | `v1` | `N/A` | |
| nothing | here | | | |
"""
    (one,) = parse_table(text)

    assert (one.traced, one.package, one.oldest, one.newest, one.woven) == ("a", "c/v2", "v1", "", False)
