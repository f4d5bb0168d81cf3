"""The platform of wheels, without other code: tools/make_release.py runs this file as Python."""

# For a processor, by PEP 425's names. PEP 600 names the C library, the older name is for older installers.
WHEEL_PLATFORM = "manylinux2014_{0}.manylinux_2_17_{0}"
