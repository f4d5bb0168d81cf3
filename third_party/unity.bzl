"""Sources of a library that are compiled together, as one file that includes them all.

A file of these libraries takes most of its time to read headers that its neighbours read, too.
"""

def compiled_together(name, srcs):
    """Makes NAME.cc, which includes `srcs`; the library has it in its srcs, and `srcs` in its textual_hdrs.

    Sources that declare the same local name, or whose macros would reach others, are compiled apart.

    Args:
      name: the name of the file, without its suffix.
      srcs: C++ sources of this repository.
    """
    native.genrule(
        name = name + "_source",
        outs = [name + ".cc"],
        cmd = "for source in %s; do echo \"#include \\\"$$source\\\"\"; done > $@" % " ".join(srcs),
    )
