"""Repository rule that gives BUILD files the text of //:VERSION."""

def _version_impl(ctx):
    version = ctx.read(ctx.path(ctx.attr.file)).strip()
    ctx.file("BUILD.bazel", "", executable = False)
    ctx.file("defs.bzl", "VERSION = %r\n" % version, executable = False)

version_repository = repository_rule(
    implementation = _version_impl,
    attrs = {"file": attr.label(mandatory = True, allow_single_file = True)},
)
