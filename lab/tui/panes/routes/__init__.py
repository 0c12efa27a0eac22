"""The routes, as Traefik knows them."""
