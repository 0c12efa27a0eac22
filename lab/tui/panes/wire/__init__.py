"""The wire: who talks to whom on the nodes' own network."""
