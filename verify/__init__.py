"""Decide, from files, signatures and a policy, whether a release is authentic, whole, and complete for a purpose.

Never imports the builder or a signer: a verifier that shares code with the producer repeats its mistakes.
"""
