"""Facts → BOM: collect what the files say, assemble an account of the release, emit CycloneDX."""
