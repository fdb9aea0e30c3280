"""The reader's page: served on this machine alone, read with keyboard and mouse."""
