"""Tables, diffs and code on a terminal; rich's only home. Knows models, and neither the store nor the file system."""
