#pragma once

#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace dockline::archive {

// The SHA-256 of bytes that come in pieces.
class content_digest {
 public:
  content_digest();
  ~content_digest();
  content_digest(content_digest&&) noexcept = default;
  content_digest& operator=(content_digest&&) noexcept = default;

  void add(std::span<const char> bytes) noexcept;
  // 64 hexadecimal digits; nothing may be added after it.
  std::string finish();

 private:
  struct deleter {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, deleter> context_;
};

}  // namespace dockline::archive
