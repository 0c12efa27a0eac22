"""The checks of a lesson: each states in words what it asks, and judges a world."""
