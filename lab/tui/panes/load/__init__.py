"""The load: what is asked for and achieved, latency over time, failed requests."""
