"""Plans training jobs, dispatches them, takes in reports and decides what follows from them."""
