"""Units of work, the same for the daemon and for one command: record, prune, rotate and the rest of upkeep."""
