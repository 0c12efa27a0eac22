"""The load generator: open-loop requests at a rate, and their results."""
