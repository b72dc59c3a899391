"""Owns the history's file: how it is opened, its schema and migrations, and how bytes and sets are kept in it."""
