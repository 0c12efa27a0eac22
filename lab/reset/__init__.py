"""From any world to a checkpoint: the differences as a plan of actions, carried out and awaited."""
