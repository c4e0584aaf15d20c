"""How well ``hrnn`` recommends, on real data, beside published figures and simple baselines: ``make bench-hrnn``."""
