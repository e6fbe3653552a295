"""CycloneDX for machine learning: the half that cyclonedx-python-lib lacks, a view of anybody's BOM, a schema check."""
