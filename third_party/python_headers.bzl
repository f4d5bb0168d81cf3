"""Repository rule for the headers of each CPython that wheels are made for."""

# Versions of CPython that wheels are made for, where the machine has their headers.
_VERSIONS = ["3.11", "3.12", "3.13"]

_CHECK = """
import os, sys, sysconfig
assert sys.implementation.name == "cpython" and "%d.%d" % sys.version_info[:2] == "{version}"
include = sysconfig.get_paths()["include"]
assert os.path.exists(os.path.join(include, "Python.h"))
print(include)
"""

def _candidates(ctx, version):
    """Interpreters that may be of this version: what tools/setup found, then what PATH has."""
    named = ctx.os.environ.get("THAW_WHEEL_PYTHONS", "").split(":")
    return [
        candidate
        for candidate in [ctx.os.environ.get("WORKSPACE_PYTHON", "")] + named + [ctx.which("python" + version)]
        if candidate
    ]

def _include_of(ctx, version):
    for python in _candidates(ctx, version):
        result = ctx.execute([python, "-c", _CHECK.format(version = version)])
        if result.return_code == 0:
            return result.stdout.strip()
    return None

def _python_headers_impl(ctx):
    build = 'package(default_visibility = ["//visibility:public"])\n'
    found, skipped = [], {}
    for version in _VERSIONS:
        tag = "cp" + version.replace(".", "")
        include = _include_of(ctx, version)
        if not include:
            skipped[tag] = "this machine has no CPython %s with its headers" % version
            continue
        found.append(tag)
        ctx.symlink(include, tag + "/include")
        build += """
cc_library(
    name = "{tag}",
    textual_hdrs = ["{tag}/include"],
    includes = ["{tag}/include"],
)
""".format(tag = tag)
    ctx.file("BUILD.bazel", build, executable = False)
    ctx.file("defs.bzl", "PYTHONS = %r\nSKIPPED = %r\n" % (found, skipped), executable = False)

python_headers = repository_rule(
    implementation = _python_headers_impl,
    environ = ["PATH", "THAW_WHEEL_PYTHONS", "WORKSPACE_PYTHON"],
    doc = "cp311, cp312 and cp313 as far as the machine has them; defs.bzl names them, and says why others are left out",
)
