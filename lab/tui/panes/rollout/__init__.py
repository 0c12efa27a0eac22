"""The update under way, slot by slot."""
