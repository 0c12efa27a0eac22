"""The map: the path of a request through the deployed services."""
