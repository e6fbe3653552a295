"""The parts of CycloneDX 1.6 and 1.7 that cyclonedx-python-lib 11.12 has no model for, as frozen values.

Model card, component data with governance, energy, compositions, annotations, citations, formulation, declarations.
Each renders to the JSON of the specification and to nothing else; empty parts are left out. This package stands on the
standard library alone, so that it could be offered to that library as it is.
"""
