"""The course: lessons as data, their checks, the way through them, and back to the start of any of their steps."""
