"""Train the skin network; needs the extra ``ulcermeter[train]``."""
