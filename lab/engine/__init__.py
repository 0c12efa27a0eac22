"""All that knows the engine's JSON, and how an engine is reached."""
