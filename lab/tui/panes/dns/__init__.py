"""The DNS pane: what is answered for a name, why, and what its clients make of it."""
