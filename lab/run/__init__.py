"""Going through a lesson: steps are begun, commands typed, checks awaited."""
