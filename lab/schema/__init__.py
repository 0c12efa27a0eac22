"""YAML files as validated values, and what is wrong with them as sentences with file and line."""
