"""A wheel of Python libraries, with everything of theirs that lies under one folder."""

load("@python_env//:defs.bzl", "EXT_SUFFIX")

def _python_tag():
    """Which interpreter and machine the native module is for, such as cp311-cp311-linux_x86_64.

    Plain linux, no manylinux: the module links this machine's own libstdc++ and C library.
    """
    parts = EXT_SUFFIX.split(".")[1].split("-")  # ".cpython-311-x86_64-linux-gnu.so"
    python = "cp" + parts[1]
    return "-".join([python, python, "linux_" + parts[2]])

def _thaw_wheel_impl(ctx):
    tag = _python_tag()
    output = ctx.actions.declare_file("%s-%s-%s.whl" % (ctx.attr.package, ctx.attr.version, tag))
    files = depset(transitive = [
        depset(transitive = [dep[DefaultInfo].files, dep[DefaultInfo].default_runfiles.files])
        for dep in ctx.attr.deps
    ])
    packed = [
        f
        for f in files.to_list()
        if f.short_path.startswith(ctx.attr.folder + "/") and f.extension != "lds"
    ]
    prefix = len(ctx.attr.folder.rpartition("/")[0]) + 1

    arguments = ctx.actions.args()
    arguments.use_param_file("@%s", use_always = True)
    arguments.set_param_file_format("multiline")
    for name, value in [
        ("--output", output.path),
        ("--name", ctx.attr.package),
        ("--version", ctx.attr.version),
        ("--tag", tag),
        ("--summary", ctx.attr.summary),
        ("--licence-expression", ctx.attr.licence_expression),
        ("--readme", ctx.file.readme.path),
        ("--requirements", ctx.file.requirements.path),
    ]:
        arguments.add(name)
        arguments.add(value)
    for licence in ctx.files.licences:
        arguments.add("--licence")
        arguments.add(licence.path)
    for extra, packages in ctx.attr.extras.items():
        for package in packages:
            arguments.add("--extra")
            arguments.add("%s:%s" % (extra, package))
    for script, target in ctx.attr.scripts.items():
        arguments.add("--script")
        arguments.add("%s=%s" % (script, target))
    for f in packed:
        arguments.add("%s=%s" % (f.short_path[prefix:], f.path))

    ctx.actions.run(
        outputs = [output],
        inputs = packed + ctx.files.licences + [ctx.file.readme, ctx.file.requirements],
        executable = ctx.executable._make_wheel,
        arguments = [arguments],
        mnemonic = "Wheel",
        progress_message = "Packing " + output.basename,
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles([output]))]

thaw_wheel = rule(
    implementation = _thaw_wheel_impl,
    attrs = {
        "deps": attr.label_list(mandatory = True, doc = "Python libraries; their data comes too"),
        "extras": attr.string_list_dict(doc = "extra to the packages it needs, by the names in `requirements`"),
        "folder": attr.string(mandatory = True, doc = "the package's folder from the workspace's root"),
        "licence_expression": attr.string(mandatory = True, doc = "SPDX's, of all that the wheel contains"),
        "licences": attr.label_list(
            allow_files = True,
            default = ["//:LICENSE", "//:NOTICE"],
            doc = "texts that lie in the wheel's folder of records",
        ),
        "package": attr.string(mandatory = True),
        "readme": attr.label(allow_single_file = True, mandatory = True),
        "requirements": attr.label(allow_single_file = True, mandatory = True),
        "scripts": attr.string_dict(doc = "console script to module:function"),
        "summary": attr.string(),
        "version": attr.string(mandatory = True),
        "_make_wheel": attr.label(default = "//tools:make_wheel", executable = True, cfg = "exec"),
    },
)
