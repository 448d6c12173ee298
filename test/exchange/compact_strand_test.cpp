#include "core/compact_strand.hpp"

#include "support/failing_memory.hpp"

#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include <doctest/doctest.h>

namespace dockline::test {

TEST_SUITE("exchange/compact strand") {
  TEST_CASE("copies of it, with work or without, need no memory") {
    asio::io_context context;
    const asio::any_io_executor strand = make_compact_strand(context.get_executor());
    const failing_allocation one(1, 0);
    const asio::any_io_executor copy = strand;
    const asio::any_io_executor work = asio::prefer(copy, asio::execution::outstanding_work.tracked);
    const asio::any_io_executor posts = asio::require(work, asio::execution::blocking.never);
    CHECK_FALSE(one.happened());
  }
}

}  // namespace dockline::test
