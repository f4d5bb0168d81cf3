"""The list of what an artefact contains, as tools/make_sbom.py makes it."""

load("@thaw_version//:defs.bzl", "VERSION")

def thaw_sbom(name, artefact, distribution, optional = []):
    """DISTRIBUTION.cdx.json.

    Args:
      name: of the target.
      artefact: as the table in third_party/README.md calls it.
      distribution: the artefact's own name.
      optional: Python packages that it can be installed with, by the names in the lock.
    """
    native.genrule(
        name = name,
        srcs = [
            "//third_party:README.md",
            "//third_party:deps.bzl",
            "//third_party:requirements.lock",
        ],
        outs = [distribution + ".cdx.json"],
        cmd = " ".join([
            "$(location //tools:make_sbom) --artefact %s --name %s --version %s --output $@" % (artefact, distribution, VERSION),
            "--table $(location //third_party:README.md) --dependencies $(location //third_party:deps.bzl)",
            "--lock $(location //third_party:requirements.lock)",
        ] + ["--optional " + package for package in optional]),
        tools = ["//tools:make_sbom"],
    )
