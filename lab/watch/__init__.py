"""Live sources, which poll a real cluster and write what they see to the journal."""
