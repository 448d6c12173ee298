#pragma once

// The lines at the bottom of a terminal that are drawn anew in place.

#include "progress/columns.hpp"

#include <string>
#include <vector>

namespace dockline::progress {

class live_area {
 public:
  // The bytes that write `above` over the area's start, to stay, and make `lines` the area behind them. What
  // stands there already is not written again; empty when all of it does. `lines` have to be fewer than the
  // terminal has, and all lines narrower than it: the last column stays free, since writing there leaves
  // the cursor in a place that terminals disagree about.
  std::string draw(const std::vector<drawn_line>& above, std::vector<drawn_line> lines);

  // The bytes that take the area away before it is drawn for another size. A terminal that became narrower
  // has broken the area's lines, and what it has no height for is out of reach.
  std::string erase_for(int width, int height);

  // Starts a new area at the cursor. The old one stays as it is.
  void abandon() { drawn_.clear(); }

 private:
  std::vector<drawn_line> drawn_;  // the cursor is at the start of the line below them
};

}  // namespace dockline::progress
