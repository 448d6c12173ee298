#pragma once

#include "dockline/engine/container_list.hpp"

#include "engine/answer_fields.hpp"

namespace dockline::engine {

// A row of the container list, which /system/df has as well.
inline container_summary container_summary_of(json::value row) {
  container_summary container;
  container.id = text_of(row, "Id");
  container.names = texts_of(row.find("Names"));
  container.image = text_of(row, "Image");
  container.image_id = text_of(row, "ImageID");
  container.command = text_of(row, "Command");
  container.created = number_of(row, "Created");
  for (const json::value one : row.find("Ports").elements()) {
    published_port port;
    port.ip = text_of(one, "IP");
    port.private_port = static_cast<int>(number_of(one, "PrivatePort"));
    port.public_port = static_cast<int>(number_of(one, "PublicPort"));
    port.type = text_of(one, "Type");
    container.ports.push_back(std::move(port));
  }
  container.labels = pairs_of(row.find("Labels"));
  container.state = text_of(row, "State");
  container.status = text_of(row, "Status");
  container.size_rw = number_of(row, "SizeRw", -1);
  container.size_root_fs = number_of(row, "SizeRootFs", -1);
  return container;
}

}  // namespace dockline::engine
