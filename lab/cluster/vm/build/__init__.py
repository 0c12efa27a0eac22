"""The machines' disk: made once, in stages that resume, kept in the cache by a key of what went in."""
