"""The configuration: what can be set, where it is read from, and where everything lies on the disk."""
