"""YAML files as validated values, and their problems as sentences with file and line."""
