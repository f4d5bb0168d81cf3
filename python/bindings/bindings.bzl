"""One library of the native module: its name is that of its source and header."""

load("//tools:cc.bzl", "thaw_cc_library")

def bindings_library(name, srcs = None, hdrs = None, deps = [], **kwargs):
    thaw_cc_library(
        name = name,
        srcs = [name + ".cc"] if srcs == None else srcs,
        hdrs = [name + ".h"] if hdrs == None else hdrs,
        copts = ["-fvisibility=hidden"],
        deps = deps + ["@pybind11"],
        **kwargs
    )
