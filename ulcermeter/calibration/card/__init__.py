"""The printable card: its layout in mm, its print, its colours."""
