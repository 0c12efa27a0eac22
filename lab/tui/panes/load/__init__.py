"""The load: requested and achieved rate, latency over time, failed requests."""
