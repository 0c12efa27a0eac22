"""The map: the way of a request through what is deployed."""
