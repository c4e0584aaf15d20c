"""The `hrnn-tuner` command: everything the client can do, for people and for scripts."""
