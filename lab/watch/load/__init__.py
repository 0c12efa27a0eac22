"""The load generator: open-loop requests at a rate, and what came of them."""
