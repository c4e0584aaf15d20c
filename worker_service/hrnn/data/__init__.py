"""From files to numbered histories, and from those to what training jobs learn from and are measured on."""
