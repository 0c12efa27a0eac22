"""The lesson pane: a step's text, the stack files it reads, and how it went."""
