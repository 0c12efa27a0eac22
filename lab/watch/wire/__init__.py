"""The nodes' own network: the headers of its frames, and who talks to whom."""
