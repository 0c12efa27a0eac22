"""The swarm itself: its machines, the managers' quorum, who reaches whom."""
