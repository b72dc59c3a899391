"""Reads work trees: stages, modified files, import configurations, programs, action graph. Infers nothing
from other runs.
"""

from orchwatchd.tree.reading import read_tree

__all__ = ["read_tree"]
