"""Fuzz targets: hostile bytes into every door that ztfast has.  See fuzz/README.md."""
