"""The cluster pane: desired against actual state."""
