"""Where a release comes from: the only packages that open its files."""
