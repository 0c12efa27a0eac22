"""Going through a lesson: steps are opened, commands typed, checks awaited."""
