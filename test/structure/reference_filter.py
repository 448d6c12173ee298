#!/usr/bin/env python3
"""What docs/reference/filter.py makes of the comments of the house: reference_filter.py SOURCE-FOLDER"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "docs/reference"))
sys.dont_write_bytecode = True
import filter as reference  # noqa: E402

CASES = {
    "a block before a declaration": ("""\
// Reads the text of a file. Waits for the disk.
result<int> read(int size);
""", """\
/// Reads the text of a file. Waits for the disk.
result<int> read(int size);
"""),
    "the file's own comment, and a section of it that is an example": ("""\
#pragma once

// Lines of text:
//
//     #1 DONE <0.4s>
//
// and so on.

#include <map>
""", """\
#pragma once
/// \\file
/// Lines of text:
///
///     #1 DONE <0.4s>
///
/// and so on.

#include <map>
"""),
    "a comment behind a field, and its second line": ("""\
struct a {
  int size = 0;  // bytes,
                 // at most
  // In words.
  std::string name = "//";  // "x"
  std::string other = "//";
};
""", """\
struct a {
  int size = 0;  ///< bytes,
                 ///< at most
  // In words.
  std::string name = "//";  ///< "x"
  std::string other = "//";
};
"""),
    "a heading above fields that have comments of their own": ("""\
enum class errc {
  // Found here.
  invalid = 1,  // an option
  // The way.
  lost,
};
""", """\
enum class errc {
  // Found here.
  invalid = 1,  ///< an option
  /// The way.
  lost,
};
"""),
    "a comment that belongs to nothing": ("""\
namespace a {

// One subject.

int one();

}  // namespace a
""", """\
namespace a {

// One subject.

int one();

}  // namespace a
"""),
    "the paragraphs of an operation, and its second form": ("""\
// Pings.
//
// Completion: when it is there.
// Signature: void(error_code, std::vector<int>), at once.
// Errors: errc::denied; those of async_info, engine::async_run and async_version(), not of `async_wait`.
template <class Token = default_token>
auto async_ping(const client& daemon, diagnostics& why, Token&& token = {}) {
  // Not for readers of the reference.
  return initiate<int>(&start_ping, std::forward<Token>(token), &why, daemon);  // nor this
}
template <class Token = default_token>
auto async_ping(const client& daemon, Token&& token = {}) {
}
""", """\
/// Pings.
///
/// \\par Completion \\ilinebr when it is there.
/// \\par Signature \\ilinebr `void(error_code, std::vector<int>)`, at once.
/// \\par Errors \\ilinebr errc::denied; those of async_info(), engine::async_run() and async_version(), not of `async_wait`.
template <class Token = default_token>
auto async_ping(const client& daemon, diagnostics& why, Token&& token = {}) {
  // Not for readers of the reference.
  return initiate<int>(&start_ping, std::forward<Token>(token), &why, daemon);  // nor this
}
/** SECOND */ template <class Token = default_token>
auto async_ping(const client& daemon, Token&& token = {}) {
}
""".replace("SECOND", reference.SECOND_FORM)),
    "a second form with words of its own": ("""\
// One.
template <class Token>
auto async_a(diagnostics& why, Token&& token);

// The same; quicker.
template <class Token>
auto async_a(Token&& token);
""", """\
/// One.
template <class Token>
auto async_a(diagnostics& why, Token&& token);

/// The same; quicker.
template <class Token>
auto async_a(Token&& token);
"""),
    "what is left out": ("""\
// The compiled half.
DOCKLINE_API void start_ping(client daemon, diagnostics* why,
                             completion_handler<int> handler);
struct a {
  a() = default;
  a(const a&) = delete;
  a& operator=(const a&) = delete;
  virtual ~a() = default;
  // Takes a number.
  explicit a(int number);
};
namespace boost::asio {
// What Asio wants.
struct b {};
}  // namespace boost::asio
""", """\



struct a {




  /// Takes a number.
  explicit a(int number);
};




"""),
    "a macro": ("""\
// Marks what is shown.
#define SHOWN 1
#define OTHER 2  // in words
""", """\
/// Marks what is shown.
#define SHOWN 1
#define OTHER 2  ///< in words
"""),
    "what would be a command or a tag": ("""\
// The name a@b, \\n, <x>, `c<d>`, "<y>@z" and --host.
int one();
""", """\
/// The name a\\@b, \\\\n, \\<x\\>, `c<d>`, "<y>@z" and \\--host.
int one();
"""),
    "code that braces and quotes do not lead astray": ("""\
struct a {
  std::chrono::milliseconds wait{10'000};  // for "}"
  char brace = '{';  // opens
  int last = 0;      // here
};
// After it.
int after();
""", """\
struct a {
  std::chrono::milliseconds wait{10'000};  ///< for "}"
  char brace = '{';  ///< opens
  int last = 0;  ///< here
};
/// After it.
int after();
"""),
}

failed = 0
for what, (given, wanted) in CASES.items():
    got = "\n".join(reference.filtered(given.splitlines())) + "\n"
    if got != wanted:
        failed += 1
        print(f"FAILED: {what}\n--- wanted\n{wanted}--- got\n{got}")
    if len(got.splitlines()) != len(given.splitlines()):
        failed += 1
        print(f"FAILED: {what}: lines have moved")
print(f"{len(CASES)} cases, {failed} failed")
sys.exit(1 if failed else 0)
