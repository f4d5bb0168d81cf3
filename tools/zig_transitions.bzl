"""Transitions to the toolchains of //toolchains/zig: what ships is built by them, whatever the rest is built for."""

def _zig(cpu):
    return {
        "//command_line_option:cpu": cpu,
        "//command_line_option:crosstool_top": "//toolchains/zig:suite",
        "//command_line_option:compilation_mode": "opt",
    }

_CHANGED = [
    "//command_line_option:compilation_mode",
    "//command_line_option:cpu",
    "//command_line_option:crosstool_top",
]

def _for_cpu_impl(_settings, attr):
    return _zig(attr.cpu)

# To the target that the rule's attribute `cpu` names.
for_cpu = transition(implementation = _for_cpu_impl, inputs = [], outputs = _CHANGED)

def _for_both_processors_impl(_settings, _attr):
    return {
        "aarch64": _zig("lambda_arm64_static"),
        "x86_64": _zig("lambda_amd64_static"),
    }

# To static executables for both of Lambda's processors; ctx.split_attr has them by the processor's name.
for_both_processors = transition(implementation = _for_both_processors_impl, inputs = [], outputs = _CHANGED)
