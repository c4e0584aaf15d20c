"""The `hrnn-tuner` command: everything the client can do, for people and for scripts."""

import os

# gRPC's core reads this when it is first imported. Its notes about lost connections would run through the live table;
# the commands report a server that stays away themselves.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
