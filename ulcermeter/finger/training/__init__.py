"""Training of the finger network: needs the extra `train`, and pictures of hands with every finger marked."""
