"""What is searched: functions whose values are known, cheap to compute, or were computed before."""
