// Rows that are sent in place of drawn codes. `rchw.sim.soak.data` writes the file: a table of
// 32-bit integers of this machine, per row the codes, then tlast as 0 or 1, or -1 where it is drawn.
#pragma once
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "law.h"

namespace soak {

struct Data {
    uint64_t rows = 0;
    size_t columns = 1;
    std::vector<int32_t> table;

    Data() = default;
    Data(const std::string& path, const std::vector<Format>& channels)
        : columns(channels.size() + 1) {
        std::ifstream file(path, std::ios::binary | std::ios::ate);
        const std::streamoff bytes = file ? static_cast<std::streamoff>(file.tellg()) : 0;
        const std::streamoff row = 4 * static_cast<std::streamoff>(columns);
        if (bytes <= 0 || bytes % row)
            throw std::runtime_error("the data must be whole rows of " + std::to_string(row) +
                                     " bytes, not " + std::to_string(bytes) + " bytes");
        rows = static_cast<uint64_t>(bytes / row);
        table.resize(rows * columns);
        file.seekg(0);
        if (!file.read(reinterpret_cast<char*>(table.data()), bytes))
            throw std::runtime_error("the data could not be read");
        for (uint64_t t = 0; t < rows; ++t)
            for (size_t c = 0; c < columns; ++c) {
                const bool flag = c + 1 == columns;
                const int64_t least = flag ? -1 : channels[c].least;
                const int64_t greatest = flag ? 1 : channels[c].greatest;
                const int32_t code = table[t * columns + c];
                if (code < least || code > greatest)
                    throw std::runtime_error("the data must be codes of the inputs, not " +
                                             std::to_string(code) + " in row " +
                                             std::to_string(t) + ", column " + std::to_string(c));
            }
    }
    const int32_t* row(uint64_t number) const { return &table[number * columns]; }
};

}  // namespace soak
