"""The files that a build reads, from the Go command and Orchestrion's configuration, and why each is one of them."""

from orchwatchd.inputs.find import find_inputs
from orchwatchd.inputs.inputset import InputSet

__all__ = ["InputSet", "find_inputs"]
