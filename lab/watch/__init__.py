"""Live sources: they look at a real cluster and write what they see into the journal."""
