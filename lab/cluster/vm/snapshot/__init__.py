"""Snapshots of a lab's machines: taken (`take`), restored (`restore`), kept (`store`); the template of `up`."""
