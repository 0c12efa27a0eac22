"""Widgets that several panes use, and the terminal."""
