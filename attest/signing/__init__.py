"""Effects of signing: keys from disk, identity tokens, services. A new signer is one file."""
