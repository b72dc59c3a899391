"""The rows of the table, a module a subject; each function measures and gives its rows."""
