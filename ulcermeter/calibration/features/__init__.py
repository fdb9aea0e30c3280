"""Features: edges, ellipses, four-sided outlines, ticks and marker codes, placed to a fraction of a pixel."""
