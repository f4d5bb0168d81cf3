"""Libraries of the native module: each one's name is that of its source and header."""

load("@python_headers//:defs.bzl", "PYTHONS")
load("//tools:cc.bzl", "thaw_cc_library")

# The ending of a library that option_texts makes. It has no Python in it.
_TEXTS = "_texts"

def bindings_library(name, srcs = None, hdrs = None, deps = [], tags = [], **kwargs):
    """A library for the Python that tests use, and NAME_cp312 and its like for those that wheels are made for."""
    common = dict(
        kwargs,
        srcs = [name + ".cc"] if srcs == None else srcs,
        hdrs = [name + ".h"] if hdrs == None else hdrs,
        copts = ["-fvisibility=hidden"],
    )
    thaw_cc_library(
        name = name,
        deps = deps + ["@pybind11"],
        tags = tags,
        **common
    )
    for python in PYTHONS:
        thaw_cc_library(
            name = "%s_%s" % (name, python),
            deps = [
                "%s_%s" % (dep, python) if dep.startswith(":") and not dep.endswith(_TEXTS) else dep
                for dep in deps
            ] + [
                "@pybind11//:without_python",
                "@python_headers//:" + python,
            ],
            tags = tags + ["manual"],
            **common
        )

def option_texts(name, header, struct):
    """NAME.h: the docstrings of an option struct's fields, from the comments of its header."""
    if not name.endswith(_TEXTS):
        fail("the name of option texts ends with %s, and %s does not" % (_TEXTS, name))
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
