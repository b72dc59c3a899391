"""Frozen data that crosses module borders; no behaviour beyond naming itself."""
