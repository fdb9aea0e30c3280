"""References: what a thing of known size is, and one file for each kind that finds it on a photo."""
