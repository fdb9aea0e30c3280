"""The stages of one photo, one file each or a few; `ulcermeter.pipeline.one_photo` calls them in order."""
