"""Widgets that several panes are made of, and the terminal."""
