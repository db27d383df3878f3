// Sends frames through the serial pin of a wrapped `tiny` and prints the frames that come back.
#include "Vtop.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    const int samples = std::atoi(argv[1]);
    Vtop top;
    uint64_t received = 0;
    int sent_bits = -1, sent = 0, received_bits = -1, done = 0;
    uint32_t frame = 0;
    for (int clock = 0; clock < 400 * samples + 100 && done < samples; ++clock) {
        top.reset_n = clock > 5;
        bool bit = false;
        if (clock > 20 && sent_bits < 0 && sent == done && sent < samples) {
            frame = (uint32_t(sent * 40503u) & 0xffff) | (sent % 7 == 6 ? 0x10000u : 0u);
            bit = true;
            sent_bits = 0;
            ++sent;
        } else if (sent_bits >= 0) {
            bit = frame >> sent_bits & 1;
            if (++sent_bits == 17) sent_bits = -1;
        }
        top.serial_in = bit;
        top.clk = 0;
        top.eval();
        if (received_bits >= 0) {
            received |= uint64_t(top.serial_out) << received_bits;
            if (++received_bits == 41) {
                std::printf("%llx %d\n", (unsigned long long)(received & 0xffffffffffULL),
                            int(received >> 40));
                received_bits = -1;
                ++done;
            }
        } else if (top.serial_out) {
            received_bits = 0;
            received = 0;
        }
        top.clk = 1;
        top.eval();
    }
    return done == samples ? 0 : 1;
}
