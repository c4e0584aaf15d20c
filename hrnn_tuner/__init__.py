"""What the three services share and what clients import: contract, domain, store, broker, client, command line."""

__version__ = "0.1.0"
