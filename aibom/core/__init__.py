"""The vocabulary that every other package shares: standard library only, and nothing of ours imported.

Digests, manifests, release names and coverage, strict JSON, findings, verdicts, errors, progress.
"""
