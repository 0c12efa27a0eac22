"""The lab's DNS, live: the name server, the health checks, and the clients that resolve the name and go there."""
