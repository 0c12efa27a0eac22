"""Filters for text between a shell and a screen: sanitised, redacted, or as plain text."""
