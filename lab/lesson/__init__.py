"""Lessons as data: the model, the files it is read from, the checkpoints between steps, and a learner's progress."""
