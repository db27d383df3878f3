// Stimulus of a soak: every number is the n-th output of a SplitMix64 whose seed is a key, so that
// nothing depends on what came before. `rchw.sim.soak.stimulus` is the same in numpy and says what
// each number means; a test holds the two together.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "data.h"
#include "law.h"

namespace soak {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;
constexpr int kStretch = 512;
constexpr uint64_t kData = uint64_t{1} << 32, kPauses = kData + 1;
constexpr uint64_t kStart = kData + 2;

inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
inline uint64_t draw(uint64_t key, uint64_t n) { return mix(key + (n + 1) * kGolden); }

struct Block {
    uint64_t key, index;
    int samples;
    int before;       // its first samples come twice: after so many the circuit is reset,
    uint32_t clocks;  // so many clocks after the last of them has gone in; 0 if not

    Block(uint64_t seed, uint64_t number, int clocks_per_sample)
        : key(draw(mix(seed), number)), index(number) {
        static const int lengths[16] = {512, 512, 512, 512, 512, 512, 512, 512,
                                        2048, 2048, 2048, 2048, 8192, 8192, 8192, 65536};
        const uint64_t head = draw(key, 0);
        samples = lengths[head & 15];
        before = (head >> 4) & 1 ? 1 + static_cast<int>((head >> 8) & 63) : 0;
        clocks = static_cast<uint32_t>((head >> 32) % (2 * clocks_per_sample + 8));
    }
};

struct Stimulus {
    std::vector<int32_t> codes;  // samples x channels
    std::vector<uint8_t> last, source, sink;
};

inline int32_t code_of(const Format& format, const std::vector<int32_t>& corners, uint64_t head,
                       uint64_t data, uint64_t t, uint64_t lanes, uint64_t channel) {
    const int width = format.width, extra = (head >> 5) & 7;
    const auto word = [&](uint64_t row) { return draw(data, row * lanes + channel); };
    const auto uniform = [&](uint64_t w) {
        return static_cast<int32_t>(format.least + static_cast<int64_t>(w >> (64 - width)));
    };
    const auto corner = [&](uint64_t w) { return corners[((w >> 8) & 0xFFFF) % corners.size()]; };
    switch (head & 7) {
        case 2: return corner(word(t));
        case 3:
            return static_cast<int32_t>(word(t >> (7 + (extra & 3))) >> 63 ? format.greatest
                                                                           : format.least);
        case 4: {
            const uint64_t w = word(t);
            return (w & 3) ? uniform(w) : corner(w);
        }
        case 5: {
            const uint32_t phase =
                static_cast<uint32_t>(word(0)) + static_cast<uint32_t>(t << (20 + extra));
            const uint32_t up = (phase >> 31 ? ~phase : phase) << 1;
            return static_cast<int32_t>(format.least + static_cast<int64_t>(up >> (32 - width)));
        }
        case 6: return uniform(word(t)) >> (width / 2);
        default: return uniform(word(t));
    }
}

// Codes, and flags if it marks any, come from the data if there are any; all else is drawn.
inline void fill(const Block& block, const std::vector<Format>& channels, const Data& fed,
                 Stimulus& to) {
    const uint64_t k = channels.size(), lanes = k + 1;
    const uint64_t data = draw(block.key, kData), pauses = draw(block.key, kPauses);
    static const uint64_t odds[4] = {0, uint64_t{1} << 24, uint64_t{1} << 27, uint64_t{1} << 30};
    to.codes.resize(block.samples * k);
    for (auto* flags : {&to.last, &to.source, &to.sink}) flags->assign(block.samples, 0);
    std::vector<std::vector<int32_t>> corners(k);
    for (uint64_t c = 0; c < k; ++c) {
        const int64_t least = channels[c].least, greatest = channels[c].greatest;
        for (int64_t code : {least, std::max<int64_t>(-1, least), int64_t{0},
                             std::min<int64_t>(1, greatest), greatest})
            corners[c].push_back(static_cast<int32_t>(code));
        std::sort(corners[c].begin(), corners[c].end());
        corners[c].erase(std::unique(corners[c].begin(), corners[c].end()), corners[c].end());
    }
    const uint64_t start = fed.rows ? draw(block.key, kStart) % fed.rows : 0;
    for (uint64_t t = 0; t < static_cast<uint64_t>(block.samples); ++t) {
        const uint64_t head = draw(block.key, 1 + t / kStretch);
        const int32_t* const row = fed.rows ? fed.row((start + t) % fed.rows) : nullptr;
        for (uint64_t c = 0; c < k; ++c)
            to.codes[t * k + c] =
                row ? row[c] : code_of(channels[c], corners[c], head, data, t, lanes, c);
        const uint64_t odd = odds[(head >> 3) & 3];
        const bool marked = row && row[k] >= 0;
        to.last[t] = marked ? row[k] : odd && (draw(data, t * lanes + k) >> 32) < odd;
        const int pace = (head >> 8) & 7, size = (head >> 11) & 7;
        const auto pause = [&](uint64_t w) -> uint8_t {
            return (w & 255) < (128u >> size) ? 1 + ((w >> 8) & ((1u << size) - 1)) : 0;
        };
        if (pace == 5 || pace == 7) to.source[t] = pause(draw(pauses, 2 * t));
        if (pace == 6 || pace == 7) to.sink[t] = pause(draw(pauses, 2 * t + 1));
    }
}

}  // namespace soak
