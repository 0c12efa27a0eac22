"""What an update, a crash, a drain and a machine that goes off cost, by recipe: measured under load through Traefik."""
