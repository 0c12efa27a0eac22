"""The mesh: which node was asked, which replica answered."""
