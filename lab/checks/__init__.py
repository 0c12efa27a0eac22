"""What a lesson checks: each check says in words what it asks, and judges a world."""
