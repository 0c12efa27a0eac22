"""What is known, as values: the swarm's objects, the journal's entries, the world folded from them."""
