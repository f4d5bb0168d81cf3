"""Every outside dependency, by exact version and sha256."""

load("//third_party:abseil_labels.bzl", "abseil_labels")
load("//third_party:debian.bzl", "debian_source")
load("//third_party:pip.bzl", "pip_archive", "subrepository")
load("//third_party:python.bzl", "python_env")
load("//third_party:python_headers.bzl", "python_headers")

def third_party_dependencies():
    # gRPC's source archive carries Abseil, BoringSSL (with generated assembly),
    # GoogleTest, Google Benchmark, c-ares, RE2 and zlib.
    pip_archive(
        name = "grpc_source",
        package = "grpcio",
        version = "1.85.1",
        sha256 = "5f530287d5de5f7f66089ead81de44f6787162944dab3922efa65dfdff108a1d",
        sdist = True,
        strip_prefix = "grpcio-1.85.1/third_party",
        build_file = "//third_party:empty.BUILD",
    )
    subrepository(
        name = "abseil_source",
        archive = "@grpc_source//:BUILD.bazel",
        path = "abseil-cpp",
        build_file = "//third_party:abseil.BUILD",
    )
    abseil_labels(name = "com_google_absl")
    subrepository(
        name = "boringssl",
        archive = "@grpc_source//:BUILD.bazel",
        path = "boringssl-with-bazel",
        build_file = "//third_party:boringssl.BUILD",
    )
    subrepository(
        name = "com_google_googletest",
        archive = "@grpc_source//:BUILD.bazel",
        path = "boringssl-with-bazel/third_party/googletest",
        build_file = "//third_party:googletest.BUILD",
    )
    subrepository(
        name = "com_github_google_benchmark",
        archive = "@grpc_source//:BUILD.bazel",
        path = "boringssl-with-bazel/third_party/benchmark",
        build_file = "//third_party:benchmark.BUILD",
    )
    subrepository(
        name = "zlib",
        archive = "@grpc_source//:BUILD.bazel",
        path = "zlib",
        build_file = "//third_party:zlib.BUILD",
    )
    subrepository(
        name = "cares",
        archive = "@grpc_source//:BUILD.bazel",
        path = "cares",
        build_file = "//third_party:cares.BUILD",
    )
    subrepository(
        name = "com_google_re2",
        archive = "@grpc_source//:BUILD.bazel",
        path = "re2",
        build_file = "//third_party:re2.BUILD",
    )
    debian_source(
        name = "yaml_cpp",
        package = "yaml-cpp",
        version = "0.7.0+dfsg-8",
        archive = "yaml-cpp_0.7.0+dfsg.orig.tar.xz",
        sha256 = "dc63708605404e0b963e0ca3a9619d1c8270eda2839603e6fa0384e5e51e5312",
        strip_prefix = "yaml-cpp-yaml-cpp-0.7.0",
        build_file = "//third_party:yaml_cpp.BUILD",
    )
    pip_archive(
        name = "certifi",
        package = "certifi",
        version = "2026.10.18",
        sha256 = "73191c47aaa79da394e8fee2dbc2ec827432cab56311122c9e47abf79e390f62",
        strip_prefix = "certifi",
        build_file = "//third_party:certifi.BUILD",
    )
    pip_archive(
        name = "boost",
        package = "libboost-headers",
        version = "1.88.0",
        sha256 = "658a3b7c2d8cc9594d7f83aecbfdbfc4355a35aff3a19d5d4b0a02320e25833d",
        strip_prefix = "libboost_headers",
        build_file = "//third_party:boost.BUILD",
    )
    pip_archive(
        name = "pybind11",
        package = "pybind11",
        version = "3.1.0",
        sha256 = "b8488090f8acffbcb6b5d6a85571a6827a0a2981ffb75e5a0b27b87c4a6b7dd0",
        strip_prefix = "pybind11",
        build_file = "//third_party:pybind11.BUILD",
    )
    pip_archive(
        name = "zstd",
        package = "zstandard",
        version = "0.25.0",
        sha256 = "7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b",
        sdist = True,
        strip_prefix = "zstandard-0.25.0/zstd",
        build_file = "//third_party:zstd.BUILD",
    )
    pip_archive(
        name = "zig",
        package = "ziglang",
        version = "0.17.1",
        sha256 = "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
        strip_prefix = "ziglang",
        build_file = "//third_party:zig.BUILD",
    )
    python_env(
        name = "python_env",
        requirements = "//third_party:requirements.lock",
    )
    python_headers(name = "python_headers")
