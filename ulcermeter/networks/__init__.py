"""What the package's networks share: how they are run, and how they are built, trained on and written to files."""
