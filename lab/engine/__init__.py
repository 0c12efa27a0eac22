"""Everything that depends on the engine's JSON, and how an engine is reached."""
