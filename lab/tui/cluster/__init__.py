"""The cluster pane: what should run against what does."""
