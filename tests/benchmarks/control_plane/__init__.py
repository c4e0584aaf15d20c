"""What the control plane costs: `make bench`. Trainings are simulated, everything else is what users run."""
