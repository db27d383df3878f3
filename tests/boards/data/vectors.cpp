// Gives a module one vector per clock, read from ../vectors.txt, and prints what it then puts out.
#include "Vtop.h"
#include "verilated.h"
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    const int samples = std::atoi(argv[1]);
    const char* random[] = {argv[0], "+verilator+seed+1", "+verilator+rand+reset+2"};
    Verilated::commandArgs(3, const_cast<char**>(random));
    Vtop top;
    std::FILE* file = std::fopen("../vectors.txt", "r");
    const int words_in = sizeof(top.vector) / 4, words_out = sizeof(top.answer) / 4;
    for (int clock = 0; file && clock < samples; ++clock) {
        for (int word = words_in - 1; word >= 0; --word) {
            unsigned value;
            if (std::fscanf(file, "%8x", &value) != 1) return 1;
            top.vector[word] = value;
        }
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
        for (int word = words_out - 1; word >= 0; --word) std::printf("%08x", top.answer[word]);
        std::printf("\n");
    }
    return file ? 0 : 1;
}
