// Sends beats through a circuit without pauses and lets Verilator count how often each net changes.
// A net counts once a clock, by its value when all has settled, so that glitches do not count.
//
//     simulator BEATS.txt COUNT OUT.saif     one line per beat: flag, then words of 32 bits in hex
//
// The count goes from power-up to the clock in which the beat of that number went in.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_saif_c.h"

namespace {

struct Beat {
    bool last;
    std::vector<uint32_t> words;
};

template <class Port>
void drive(Port& port, const std::vector<uint32_t>& words) {
    if constexpr (std::is_integral<Port>::value) {
        uint64_t value = words[0];
        if (words.size() > 1) value |= static_cast<uint64_t>(words[1]) << 32;
        port = static_cast<Port>(value);
    } else {
        for (size_t i = 0; i < words.size(); ++i) port[i] = words[i];
    }
}

std::vector<Beat> read(const char* path) {
    std::vector<Beat> beats;
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream text(line);
        Beat beat;
        int flag = 0;
        uint32_t word = 0;
        text >> flag >> std::hex;
        beat.last = flag != 0;
        while (text >> word) beat.words.push_back(word);
        beats.push_back(beat);
    }
    return beats;
}

}  // namespace

int main(int count, char** given) {
    if (count != 4) return 2;
    const std::vector<Beat> beats = read(given[1]);
    const size_t due = std::strtoull(given[2], nullptr, 10);
    VerilatedContext context;
    context.randSeed(1);
    context.randReset(2);
    context.traceEverOn(true);
    Vtop top(&context);
    VerilatedSaifC saif;
    top.trace(&saif, 1);
    saif.open(given[3]);
    uint64_t clocks = 0;
    const auto clock = [&] {
        top.aclk = 1;
        top.eval();
        top.aclk = 0;
        top.eval();
        ++clocks;
    };
    top.aclk = 0, top.aresetn = 0, top.s_axis_tvalid = 0, top.m_axis_tready = 1;
    top.s_axis_tlast = 0;
    drive(top.s_axis_tdata, std::vector<uint32_t>(beats[0].words.size(), 0));
    top.eval();
    for (int i = 0; i < 4; ++i) {
        saif.dump(clocks);
        clock();
    }
    top.aresetn = 1;
    size_t sent = 0;
    for (uint64_t waited = 0; sent < due && waited < 10000000; ++waited) {
        const Beat& beat = beats[sent % beats.size()];
        drive(top.s_axis_tdata, beat.words);
        top.s_axis_tlast = beat.last;
        top.s_axis_tvalid = 1;
        top.eval();
        saif.dump(clocks);
        const bool taken = top.s_axis_tready;
        clock();
        if (taken) ++sent, waited = 0;
    }
    saif.close();
    top.final();
    if (sent < due) {
        std::fprintf(stderr, "the circuit takes no more beats\n");
        return 1;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(clocks));
    return 0;
}
