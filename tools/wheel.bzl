"""A wheel of Python libraries, with a native module and the extension's executables that zig builds."""

load("//toolchains/zig:targets.bzl", "WHEEL_TARGETS")
load("//tools:wheel_platform.bzl", "WHEEL_PLATFORM")
load("//tools:zig_transitions.bzl", "for_both_processors", "for_cpu")

def _executable(target):
    return target[DefaultInfo].files_to_run.executable

def _contents(ctx):
    """What is packed, by the path in the wheel."""
    files = depset(transitive = [
        depset(transitive = [dep[DefaultInfo].files, dep[DefaultInfo].default_runfiles.files])
        for dep in ctx.attr.deps
    ])
    prefix = len(ctx.attr.folder.rpartition("/")[0]) + 1
    contents = {
        f.short_path[prefix:]: f
        for f in files.to_list()
        if f.short_path.startswith(ctx.attr.folder + "/") and f.extension not in ["lds", "so"]
    }
    contents[ctx.attr.native_path] = _executable(ctx.attr.native_module[0])
    for processor, target in ctx.split_attr.extension.items():
        executable = _executable(target)
        contents["%s/%s/%s" % (ctx.attr.extension_folder, processor, executable.basename)] = executable
    return contents

def _thaw_wheel_impl(ctx):
    tag = "-".join([ctx.attr.python, ctx.attr.python, WHEEL_PLATFORM.format(ctx.attr.processor)])
    name = "%s-%s-%s" % (ctx.attr.package.replace("-", "_"), ctx.attr.version, tag)
    output = ctx.actions.declare_file(name + ".whl")
    contents = _contents(ctx)

    arguments = ctx.actions.args()
    arguments.use_param_file("@%s", use_always = True)
    arguments.set_param_file_format("multiline")
    for option, value in [
        ("--output", output.path),
        ("--name", ctx.attr.package),
        ("--version", ctx.attr.version),
        ("--tag", tag),
        ("--summary", ctx.attr.summary),
        ("--requires-python", ctx.attr.requires_python),
        ("--licence-expression", ctx.attr.licence_expression),
        ("--readme", ctx.file.readme.path),
        ("--requirements", ctx.file.requirements.path),
    ]:
        arguments.add(option)
        arguments.add(value)
    for licence in ctx.files.licences:
        arguments.add("--licence")
        arguments.add(licence.path)
    for sbom in ctx.files.sbom:
        arguments.add("--sbom")
        arguments.add(sbom.path)
    for extra, packages in ctx.attr.extras.items():
        for package in packages:
            arguments.add("--extra")
            arguments.add("%s:%s" % (extra, package))
    for script, target in ctx.attr.scripts.items():
        arguments.add("--script")
        arguments.add("%s=%s" % (script, target))
    for path, f in contents.items():
        arguments.add("%s=%s" % (path, f.path))

    ctx.actions.run(
        outputs = [output],
        inputs = contents.values() + ctx.files.licences + ctx.files.sbom + [ctx.file.readme, ctx.file.requirements],
        executable = ctx.executable._make_wheel,
        arguments = [arguments],
        mnemonic = "Wheel",
        progress_message = "Packing " + output.basename,
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles([output]))]

thaw_wheel = rule(
    implementation = _thaw_wheel_impl,
    attrs = {
        "cpu": attr.string(mandatory = True, values = WHEEL_TARGETS.keys(), doc = "a target of //toolchains/zig"),
        "deps": attr.label_list(mandatory = True, doc = "Python libraries; their data comes too"),
        "extension": attr.label(
            mandatory = True,
            cfg = for_both_processors,
            doc = "an executable, which is packed as static ones for both of Lambda's processors",
        ),
        "extension_folder": attr.string(mandatory = True, doc = "its folder in the wheel, with one for each processor"),
        "extras": attr.string_list_dict(doc = "extra to the packages it needs, by the names in `requirements`"),
        "folder": attr.string(mandatory = True, doc = "the package's folder from the workspace's root"),
        "licence_expression": attr.string(mandatory = True, doc = "SPDX's, of all that the wheel contains"),
        "licences": attr.label_list(
            allow_files = True,
            default = ["//:LICENSE", "//:NOTICE"],
            doc = "texts that lie in the wheel's folder of records",
        ),
        "native_module": attr.label(mandatory = True, cfg = for_cpu, doc = "built for `cpu` and `python`"),
        "native_path": attr.string(mandatory = True, doc = "its path in the wheel"),
        "package": attr.string(mandatory = True, doc = "the distribution's name"),
        "processor": attr.string(mandatory = True, doc = "`cpu`, by its name in the tag of the platform"),
        "python": attr.string(mandatory = True, doc = "the tag of the interpreter, such as cp311"),
        "readme": attr.label(allow_single_file = True, mandatory = True),
        "requirements": attr.label(allow_single_file = True, mandatory = True),
        "requires_python": attr.string(mandatory = True),
        "sbom": attr.label_list(allow_files = True, doc = "lie in the folder `sboms` of the wheel's records (PEP 770)"),
        "scripts": attr.string_dict(doc = "console script to module:function"),
        "summary": attr.string(),
        "version": attr.string(mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_make_wheel": attr.label(default = "//tools:make_wheel", executable = True, cfg = "exec"),
    },
)
