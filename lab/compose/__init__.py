"""Stack files: what `docker stack deploy` takes, what it makes of them, and what people get wrong in them."""
