"""Everything known, as values: the swarm's objects, the journal's entries, and the world folded from them."""
