"""Random inputs for every place where the lab reads what somebody else wrote.

Each surface is a module with a `SURFACE`: how an input is drawn from a `random.Random`, and the law that it is held to.
Its `known` inputs once broke the law, and are tried first. `python -m tests.fuzz --help` says how to run it.
"""
