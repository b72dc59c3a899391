"""A flight recorder for builds of Go services instrumented with Orchestrion."""

__version__ = "0.1.0"
