// Runs a board that tests itself: CLOCKS clocks at most, with or without the planted fault.
#include <cstdio>
#include <cstdlib>

#include "Vtop.h"
#include "verilated.h"

int main(int, char** given) {
    const long most = std::atol(given[1]);
    VerilatedContext context;
    context.randReset(2);
    Vtop top(&context);
    top.serial_in = given[2][0] != 'f';
    top.reset_n = 1;
    long clocks = 0, lit = 0;
    for (; clocks < most && !top.serial_out && lit < 3; ++clocks) {
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
        lit += top.led == 0;
    }
    std::printf("%ld %d %d\n", clocks, top.led, top.serial_out);
    return 0;
}
