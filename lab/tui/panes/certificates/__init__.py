"""The certificates, as each node serves them."""
