"""Statements about artifacts, and the envelopes and bundles that carry their signatures.

Everything here is pure; what reaches keys, tokens or services is in `attest.signing`.
"""
