"""What the declarations of the HRNN family are composed of."""
