"""Repository rule that takes C++ sources out of a Debian source package, checked by sha256.

The package index is the one this machine's apt is set up with, read with the source type
switched on in a scratch copy; the machine's own configuration is left as it is.
"""

_FETCH = """
set -eu
mkdir -p _apt/lists/partial _apt/parts
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -f "$file" ] && sed -E 's/^deb /deb-src /' "$file" >> _apt/parts/all.list
done
for file in /etc/apt/sources.list.d/*.sources; do
  [ -f "$file" ] && sed -E 's/^Types:.*/Types: deb-src/' "$file" > _apt/parts/"$(basename "$file")"
done
options="-q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$PWD/_apt/parts -o Dir::State::lists=$PWD/_apt/lists -o APT::Sandbox::User=root"
apt-get $options update
cd _apt && apt-get $options source --download-only "$1=$2"
"""

def _debian_source_impl(ctx):
    result = ctx.execute(["bash", "-c", _FETCH, "fetch", ctx.attr.package, ctx.attr.version], timeout = 600)
    if result.return_code:
        fail("apt-get source %s failed:\n%s%s" % (ctx.attr.package, result.stdout, result.stderr))
    archive = "_apt/" + ctx.attr.archive
    result = ctx.execute(["sha256sum", archive])
    if not result.stdout.startswith(ctx.attr.sha256 + " "):
        fail("%s: sha256 is %s, expected %s" % (ctx.attr.archive, result.stdout, ctx.attr.sha256))
    ctx.extract(archive, stripPrefix = ctx.attr.strip_prefix)
    ctx.delete("_apt")
    ctx.template("BUILD.bazel", ctx.attr.build_file, executable = False)

debian_source = repository_rule(
    implementation = _debian_source_impl,
    attrs = {
        "package": attr.string(mandatory = True),
        "version": attr.string(mandatory = True, doc = "of the source package"),
        "archive": attr.string(mandatory = True, doc = "the upstream archive's file name"),
        "sha256": attr.string(mandatory = True, doc = "of the upstream archive"),
        "strip_prefix": attr.string(),
        "build_file": attr.label(mandatory = True, allow_single_file = True),
    },
)
