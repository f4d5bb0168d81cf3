"""The targets that zig builds for."""

# Each is chosen by --cpu=NAME, which also names its output folder, so that
# building for one target does not throw away another's outputs.
LAMBDA_TARGETS = {
    # Amazon Linux 2 has glibc 2.26, Amazon Linux 2023 has 2.34.
    "lambda_amd64": "x86_64-linux-gnu.2.26",
    "lambda_arm64": "aarch64-linux-gnu.2.26",
    "lambda_amd64_static": "x86_64-linux-musl",
    "lambda_arm64_static": "aarch64-linux-musl",
}

# The native modules of wheels. manylinux2014 promises glibc 2.17.
WHEEL_TARGETS = {
    "manylinux_amd64": "x86_64-linux-gnu.2.17",
    "manylinux_arm64": "aarch64-linux-gnu.2.17",
}

ZIG_TARGETS = dict(LAMBDA_TARGETS, **WHEEL_TARGETS)
