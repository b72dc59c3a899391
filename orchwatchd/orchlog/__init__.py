"""Orchestrion's own log: its lines, the bytes that a run wrote, and what history keeps of them."""
