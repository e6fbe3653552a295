"""Untrusted bytes → facts: one file a format; never executed, never unpickled, always bounded."""
