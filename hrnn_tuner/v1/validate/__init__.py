"""Generated from the vendored buf/validate/validate.proto."""
