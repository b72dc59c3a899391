"""`python -m orchwatchd`."""

from orchwatchd.cli.main import entry

entry()
