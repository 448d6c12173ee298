#pragma once

// A name for what a context holds: the same for the same content, on every machine.

#include "dockline/archive/build_context.hpp"

#include <string>
#include <utility>

namespace dockline::archive {

DOCKLINE_API void start_content_hash(boost::asio::any_io_executor executor, build_context context,
                                     diagnostics* why, completion_handler<std::string> handler);

// The SHA-256 of the context's tar, before any compression: 64 hexadecimal digits. It tells content from
// content where the context is `reproducible`. The tree is read for it, and nothing is kept;
// build_context::pack(content_hash) makes sure that what is packed later is still that.
//
// Completion: with the digits. Never before this function returns.
// Signature: void(error_code, std::string), on the token's associated executor, by default `executor`.
// Lifetimes: `why` stays until completion, the context is shared.
// Cancellation: any type, at once.
// Errors: errc::unreadable_file, errc::file_changed, with the path.
// Source: POSIX.1-2001, pax.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_content_hash(boost::asio::any_io_executor executor, build_context context, diagnostics& why,
                        Token&& token = Token()) {
  return initiate<std::string>(&start_content_hash, std::forward<Token>(token), &why, std::move(executor),
                               std::move(context));
}

// The same; with the default token a failure is thrown with its words.
template <class Token = default_token>
auto async_content_hash(boost::asio::any_io_executor executor, build_context context,
                        Token&& token = Token()) {
  return initiate<std::string>(&start_content_hash, std::forward<Token>(token), nullptr, std::move(executor),
                               std::move(context));
}

}  // namespace dockline::archive
