"""A Lambda layer of one extension, built for Lambda whatever the rest is built for."""

load("//tools:zig_transitions.bzl", "for_cpu")

def _lambda_layer_impl(ctx):
    executable = ctx.attr.extension[0][DefaultInfo].files_to_run.executable
    output = ctx.actions.declare_file(ctx.label.name + ".zip")
    licences = []
    for licence in ctx.files.licences:
        licences += ["--licence", licence.path]
    scripts = []
    for script in ctx.files.scripts:
        scripts += ["--script", script.path]
    ctx.actions.run(
        outputs = [output],
        inputs = [executable] + ctx.files.licences + ctx.files.scripts,
        executable = ctx.executable._make_layer,
        arguments = ["--output", output.path, "--name", executable.basename] + licences + scripts + [executable.path],
        mnemonic = "Layer",
        progress_message = "Packing " + output.short_path,
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles([output]))]

lambda_layer = rule(
    implementation = _lambda_layer_impl,
    attrs = {
        "cpu": attr.string(mandatory = True, doc = "a target of //toolchains/zig, such as lambda_amd64_static"),
        "extension": attr.label(mandatory = True, cfg = for_cpu, doc = "the executable; its name is the extension's"),
        "licences": attr.label_list(
            allow_files = True,
            default = [
                "//:LICENSE",
                "//:NOTICE",
                "//cc:layer_sbom",
            ],
            doc = "texts that lie in the layer's folder licenses",
        ),
        "scripts": attr.label_list(
            allow_files = True,
            default = ["//wrapper:datadog_wrapper"],
            doc = "programs that lie in the layer's root, where AWS_LAMBDA_EXEC_WRAPPER names them",
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_make_layer": attr.label(default = "//tools:make_layer", executable = True, cfg = "exec"),
    },
)
