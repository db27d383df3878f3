// Drives the stream ports of a Verilated module with a fixed pseudo-random stimulus (stalls on both
// sides, tlast, a reset in mid-stream) and prints every beat that comes out.
#include "Vtop.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

static uint64_t lcg = 1;
static uint32_t draw() {
    lcg = lcg * 6364136223846793005ULL + 1442695040888963407ULL;
    return uint32_t(lcg >> 33);
}

int main(int argc, char** argv) {
    const int samples = std::atoi(argv[1]);
    Vtop top;
    int taken = 0, given = 0, clock = 0;
    bool waiting = false;
    while (given < samples && clock < 400 * samples + 1000) {
        const bool reset = clock < 4 || (clock > 3000 && clock < 3010);
        if (!waiting) {
            const uint32_t r = draw();
            top.s_axis_tvalid = (r & 3) != 0;
            top.s_axis_tdata = (r & 0xf0) == 0 ? 0x8000 : (r & 0xf0) == 0x10 ? 0x7fff : r >> 8;
            top.s_axis_tlast = (r & 0x3f00) == 0;
        }
        top.m_axis_tready = (draw() & 7) != 0;
        top.aresetn = !reset;
        top.aclk = 0;
        top.eval();
        const bool in = top.s_axis_tvalid && top.s_axis_tready && !reset;
        if (top.m_axis_tvalid && top.m_axis_tready && !reset) {
            std::printf("%llx %d\n", (unsigned long long)top.m_axis_tdata, int(top.m_axis_tlast));
            ++given;
        }
        waiting = top.s_axis_tvalid && !in && !reset;
        taken += in;
        top.aclk = 1;
        top.eval();
        ++clock;
    }
    return given == samples ? 0 : 1;
}
