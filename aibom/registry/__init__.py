"""Registries: the BOM and the attestations of a release as OCI referrers of the artifact that holds the model.

Nothing here decides whom to trust: what comes from a registry is checked against its digests, then by `verify`.
"""
