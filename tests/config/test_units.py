"""Durations and sizes are read as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchwatchd.config.model import Percent, bytes_of
from orchwatchd.config.units import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
    parse_size_or_percent,
)


@given(st.integers(0, 10**12))
def test_durations_survive_writing_and_reading(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(0, 10**18))
def test_sizes_survive_writing_and_reading(size):
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 9999))
def test_percentages_survive_writing_and_reading(hundredths):
    assert parse_size_or_percent(format_size(Percent(hundredths / 100))) == Percent(hundredths / 100)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("100ms", 0.1),
        ("2s", 2),
        ("1h30m", 5400),
        ("7d", 604800),
        ("1.5s", 1.5),
        ("2w", 1209600),
        ("1H", 3600),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", ["", "5", 5, 5.0, True, "-1s", "1x", "s", "1s,", None, "1h 2", "1m2q"])
def test_what_is_no_duration(value):
    with pytest.raises(ValueError, match="wants a duration"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("512MiB", 2**29), ("1.5gb", 1_500_000_000), ("7B", 7), (1234, 1234), ("0B", 0)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("value", ["", "5", -1, 5.0, True, "-1GB", "1XB", "GB", None])
def test_what_is_no_size(value):
    with pytest.raises(ValueError, match="wants a size"):
        parse_size(value)


def test_a_whole_disk_cannot_stay_free():
    with pytest.raises(ValueError, match="wants less than 100%"):
        parse_size_or_percent("100%")


def test_limits_in_bytes_of_a_disk():
    assert (bytes_of(Percent(5), 1000), bytes_of(700, 1000)) == (50, 700)
