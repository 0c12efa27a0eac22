"""The machines' disk: built once, in stages that resume, and cached under a key of its inputs."""
