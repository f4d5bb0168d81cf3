"""Benchmarks of the extension, measured from outside in the emulated Lambda."""
