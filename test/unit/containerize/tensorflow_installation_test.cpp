#include "containerize/tensorflow_installation.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

namespace dockline::containerize {
namespace {

using archive::scratch_tree;
using namespace std::chrono_literals;

// A package that must not be run: importing it would leave a mark.
void install(const scratch_tree& tree, const std::string& packages, const std::string& distribution) {
  tree.file(packages + "/" + distribution + ".dist-info/METADATA", "Metadata-Version: 2.1\n");
  tree.file(packages + "/tensorflow/__init__.py", "open('" + tree.path("imported") + "', 'w')\n");
}

// "distribution version python", or "none".
std::string found_in(const containerize_environment& environment) {
  const std::atomic<bool> stopped = false;
  const auto found = find_tensorflow(environment, stopped).found;
  if (!found) return "none";
  return found->distribution + " " + found->version + " " + std::to_string(found->python_major);
}

// A folder with a `python3` that prints what is in it.
std::string fake_python(const scratch_tree& tree, const std::string& body) {
  tree.file("bin/python3", "#!/bin/sh\n" + body + "\n", 0755);
  return tree.path("bin");
}

}  // namespace

TEST_SUITE("containerize/tensorflow_installation") {
  TEST_CASE("names of distributions") {
    const auto read = [](const char* name) {
      const auto found = read_distribution_name(name);
      return found ? found->distribution + " " + found->version : std::string("none");
    };
    CHECK(read("tensorflow-2.15.0.dist-info") == "tensorflow 2.15.0");
    CHECK(read("tensorflow_cpu-2.15.0rc1.dist-info") == "tensorflow-cpu 2.15.0rc1");
    CHECK(read("TensorFlow.ROCm-2.14.0.600.dist-info") == "tensorflow-rocm 2.14.0.600");
    CHECK(read("tf_nightly-2.17.0.dev20240101.dist-info") == "tf-nightly 2.17.0.dev20240101");
    CHECK(read("tensorflow-2.15.0+nv.dist-info") == "tensorflow 2.15.0+nv");
    CHECK(read("nvidia_tensorflow-1.15.5+nv23.3.dist-info") == "nvidia-tensorflow 1.15.5+nv23.3");
    CHECK(read("tensorflow_aarch64-2.15.1.dist-info") == "tensorflow-aarch64 2.15.1");
    CHECK(read("tf_nightly_rocm-2.17.0.dev1.dist-info") == "tf-nightly-rocm 2.17.0.dev1");
    CHECK(read("tensorflow-2.15.0-py3.11.egg-info") == "tensorflow 2.15.0");
    CHECK(read("tensorflow_gpu-1.15.0rc1-py3.7-linux-x86_64.egg-info") == "tensorflow-gpu 1.15.0rc1");
    CHECK(read("tensorflow-2.15.0.egg-info") == "tensorflow 2.15.0");
    CHECK(read("tensorflow.egg-info") == "none");
    CHECK(read("tensorflow_hub-0.15.0-py3.11.egg-info") == "none");
    CHECK(read("tensorflow_datasets-4.9.dist-info") == "none");
    CHECK(read("tensorflow_estimator-2.15.0.dist-info") == "none");
    CHECK(read("tensorflow") == "none");
    CHECK(read(".dist-info") == "none");
  }

  TEST_CASE("the active virtual environment, then conda's, then python3") {
    const scratch_tree venv;
    const scratch_tree conda;
    const scratch_tree machine;
    install(venv, "lib/python3.11/site-packages", "tensorflow-2.15.0");
    install(conda, "lib/python3.10/site-packages", "tensorflow_cpu-2.14.1");
    install(machine, "dist-packages", "tensorflow-2.13.0");
    containerize_environment environment;
    CHECK(found_in(environment) == "none");
    environment.search_path =
        "/nowhere:" + fake_python(machine, "echo; echo " + machine.path("none") + "; echo " +
                                               machine.path("dist-packages"));
    CHECK(found_in(environment) == "tensorflow 2.13.0 3");
    environment.conda_prefix = conda.root();
    CHECK(found_in(environment) == "tensorflow-cpu 2.14.1 3");
    environment.virtual_env = venv.root();
    CHECK(found_in(environment) == "tensorflow 2.15.0 3");
    // One without a TensorFlow leaves the answer to the next.
    const scratch_tree empty;
    empty.directory("lib/python3.12/site-packages");
    environment.virtual_env = empty.root();
    CHECK(found_in(environment) == "tensorflow-cpu 2.14.1 3");
    CHECK_FALSE(std::filesystem::exists(venv.path("imported")));
  }

  TEST_CASE("several Pythons and several distributions in one environment") {
    const scratch_tree venv;
    containerize_environment environment;
    environment.virtual_env = venv.root();
    install(venv, "lib/python2.7/site-packages", "tensorflow-2.1.0");
    CHECK(found_in(environment) == "tensorflow 2.1.0 2");
    install(venv, "lib/python3.9/site-packages", "tensorflow-2.8.0");
    install(venv, "lib64/python3.11/site-packages", "tensorflow_macos-2.12.0");
    CHECK(found_in(environment) == "tensorflow-macos 2.12.0 3");
    install(venv, "lib64/python3.11/site-packages", "tf_nightly-2.17.0.dev1");
    CHECK(found_in(environment) == "tensorflow-macos 2.12.0 3");
    install(venv, "lib64/python3.11/site-packages", "tensorflow-2.11.0");
    install(venv, "lib64/python3.11/site-packages", "tensorflow-2.12.0");
    CHECK(found_in(environment) == "tensorflow 2.12.0 3");
  }

  TEST_CASE("of two versions the later one, by numbers") {
    for (const auto& [one, other] : {std::pair("2.9.1", "2.10.0"), std::pair("2.15.0rc2", "2.15.0rc10"),
                                     std::pair("2.15.0rc1", "2.15.0"), std::pair("2.15.0", "2.15.0+nv")}) {
      const scratch_tree venv;
      install(venv, "lib/python3.11/site-packages", "tensorflow-" + std::string(one));
      install(venv, "lib/python3.11/site-packages", "tensorflow-" + std::string(other));
      containerize_environment environment;
      environment.virtual_env = venv.root();
      CHECK(found_in(environment) == "tensorflow " + std::string(other) + " 3");
    }
  }

  TEST_CASE("what an older installer left is an installation") {
    const scratch_tree venv;
    venv.file("lib/python3.7/site-packages/tensorflow-1.15.0-py3.7.egg-info", "Metadata-Version: 1.0\n");
    containerize_environment environment;
    environment.virtual_env = venv.root();
    CHECK(found_in(environment) == "tensorflow 1.15.0 3");
  }

  TEST_CASE("a real interpreter is asked for its paths, and imports nothing") {
    const std::atomic<bool> stopped = false;
    const auto python = ask_python("/usr/bin/env", 10s, stopped);
    CHECK(python.folders.empty());  // env does not know -c
    CHECK(python.failure.starts_with("/usr/bin/env exited with status "));
    const scratch_tree tree;
    install(tree, "packages", "tensorflow-2.16.1");
    containerize_environment environment;
    // Whatever python3 there is, with a folder of ours on its path.
    environment.search_path =
        fake_python(tree, "PYTHONPATH=" + tree.path("packages") + " exec /usr/bin/env python3 \"$@\"");
    if (ask_python(tree.path("bin/python3"), 10s, stopped).folders.empty()) return;  // there is none
    CHECK(found_in(environment) == "tensorflow 2.16.1 3");
    CHECK_FALSE(std::filesystem::exists(tree.path("imported")));
  }

  TEST_CASE("an interpreter that fails, hangs or prints nonsense is none") {
    const scratch_tree tree;
    const std::atomic<bool> stopped = false;
    const auto ask = [&](const std::string& body, std::chrono::milliseconds limit = 10s) {
      const python_folders told = ask_python(fake_python(tree, body) + "/python3", limit, stopped);
      CHECK(told.folders.empty() != told.failure.empty());
      const std::string program = tree.path("bin/python3") + " ";
      return told.failure.starts_with(program) ? told.failure.substr(program.size()) : told.failure;
    };
    CHECK(ask("echo /x; exit 1") == "exited with status 1");
    CHECK(ask("echo one >&2; printf 'the last\\n \\n' >&2; exit 2") == "exited with status 2: the last");
    CHECK(ask("kill -9 $$") == "exited with status 137");
    // Errors that fill a pipe do not block it, and only their end counts.
    CHECK(ask("head -c 200000 /dev/zero | tr '\\0' 'e' >&2; echo >&2; echo end >&2; exit 1") ==
          "exited with status 1: end");
    CHECK(ask("head -c 300 /dev/zero | tr '\\0' 'e' >&2; exit 1") ==
          "exited with status 1: " + std::string(200, 'e'));
    // Nor does one that its children keep open.
    CHECK(ask("sleep 2 >/dev/null & echo last >&2; exit 1") == "exited with status 1: last");
    CHECK(ask("echo x") == "named no folder of modules");
    CHECK(ask("yes /x") == "wrote more than a mebibyte");
    CHECK(ask("echo warning >&2; echo /x") == "");
    fake_python(tree, "echo x; echo; echo /a b; printf /c");
    const std::string program = tree.path("bin/python3");
    CHECK(ask_python(program, 10s, stopped).folders == std::vector<std::string>{"/a b", "/c"});
    const auto before = std::chrono::steady_clock::now();
    CHECK(ask("echo /x; exec sleep 60", 100ms) == "did not answer within 100 ms");
    CHECK(ask("exec >/dev/null; exec sleep 60", 100ms) == "did not answer within 100 ms");
    CHECK(ask("exec >/dev/null 2>&1; exec sleep 60", 1s) == "did not answer within 1 s");
    const std::atomic<bool> told = true;
    CHECK(ask_python(program, 60s, told).failure == program + " was stopped");
    CHECK(ask_python(tree.path("none"), 60s, stopped).failure ==
          tree.path("none") + " could not be started: No such file or directory");
    CHECK(std::chrono::steady_clock::now() - before < 30s);
  }
}

}  // namespace dockline::containerize
