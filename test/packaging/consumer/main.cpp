#include <dockline/core/diagnostics.hpp>
#include <dockline/http/address.hpp>
int main() {
  dockline::diagnostics why;
  return dockline::http::parse_address("x", why).error() == dockline::condition::invalid_argument ? 0 : 1;
}
