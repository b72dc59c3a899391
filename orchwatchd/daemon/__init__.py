"""The daemon: one loop that builds, indexes and keeps house in turn, its socket and its schedule."""
