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

def option_texts(name, header, struct):
    """NAME.h: the docstrings of an option struct's fields, from the comments of its header."""
    thaw_cc_library(
        name = name,
        hdrs = [name + ".h"],
    )
    native.genrule(
        name = name + "_from_comments",
        srcs = [header],
        outs = [name + ".h"],
        cmd = "python3 $(location option_texts.py) $(location %s) %s $@" % (header, struct),
        tools = ["option_texts.py"],
    )
