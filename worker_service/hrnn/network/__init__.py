"""The network: item table, recurrent cell, scores, and its losses."""
