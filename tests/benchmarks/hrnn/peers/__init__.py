"""Other implementations that the speed table measures beside ``hrnn``."""
