"""The output of `bazel aquery` becomes entries that clangd understands."""

from tools.compile_commands import entries


def action(source: str, *options: str) -> dict[str, object]:
    command = ["/usr/bin/gcc", "-std=c++20", *options, "-c", source, "-o", f"bazel-out/{source}.o"]
    return {"mnemonic": "CppCompile", "arguments": command}


def test_a_source_of_ours_has_an_entry_that_runs_in_the_execution_root() -> None:
    (entry,) = entries({"actions": [action("cc/base/task.cc")]}, "/execution", "/outside/")
    assert entry == {
        "directory": "/execution",
        "file": "cc/base/task.cc",
        "arguments": action("cc/base/task.cc")["arguments"],
    }


def test_outside_sources_have_none_and_outside_headers_are_found_in_the_output_base() -> None:
    graph = {
        "actions": [
            action("external/zlib/inflate.c"),
            action("cc/b.cc", "-iquote", "external/zlib", "-isystem", "external/boost/include"),
        ]
    }
    (entry,) = entries(graph, "/execution", "/outside/")
    assert entry["file"] == "cc/b.cc"
    assert entry["arguments"][2:6] == ["-iquote", "/outside/zlib", "-isystem", "/outside/boost/include"]


def test_options_that_clang_refuses_are_left_out() -> None:
    (entry,) = entries(
        {"actions": [action("cc/a.cc", "-fno-canonical-system-headers")]}, "/execution", "/outside/"
    )
    assert "-fno-canonical-system-headers" not in entry["arguments"]


def test_entries_are_sorted_and_an_action_that_compiles_nothing_is_skipped() -> None:
    preprocess = {"mnemonic": "CppCompile", "arguments": ["/usr/bin/gcc", "-E", "cc/c.h"]}
    graph = {"actions": [action("cc/b.cc"), preprocess, action("cc/a.cc")]}
    assert [entry["file"] for entry in entries(graph, "/execution", "/outside/")] == ["cc/a.cc", "cc/b.cc"]
    assert entries({}, "/execution", "/outside/") == []
