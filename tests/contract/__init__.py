"""What a swarm of four nodes, three of them managers, does when it is asked over the engine's API: the facts on which
the lab stands. The unit tests hold the model of a swarm to them, the live tests the real one.

A scenario is a function of a `Swarm`. It asserts what can be observed (states, counts, refusals in their words), never
how long something takes.
"""
