"""Stack files: what `docker stack deploy` accepts, what it creates from them, and what people get wrong in them."""
