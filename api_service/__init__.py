"""The gRPC API: validates requests, stores tuning jobs, reads them, and streams what happens to them."""
