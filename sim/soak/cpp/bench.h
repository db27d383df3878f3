// One circuit, from power-up to the end of a block: its ports, the rules of its streams, its codes.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "Vtop.h"
#include "law.h"
#include "stimulus.h"
#include "verilated.h"

namespace soak {

// Ports of any width as words of 32 bits.
template <class Port>
constexpr int words_of() {
    return (sizeof(Port) + 3) / 4;
}
template <class Port>
void drive(Port& port, const uint32_t* words, const uint32_t* flip) {
    if constexpr (std::is_integral<Port>::value) {
        uint64_t value = words[0] ^ flip[0];
        if (sizeof(Port) > 4) value |= static_cast<uint64_t>(words[1] ^ flip[1]) << 32;
        port = static_cast<Port>(value);
    } else {
        for (int i = 0; i < words_of<Port>(); ++i) port[i] = words[i] ^ flip[i];
    }
}
template <class Port>
void sample(const Port& port, uint32_t* words) {
    if constexpr (std::is_integral<Port>::value) {
        words[0] = static_cast<uint32_t>(port);
        if (sizeof(Port) > 4) words[1] = static_cast<uint32_t>(static_cast<uint64_t>(port) >> 32);
    } else {
        for (int i = 0; i < words_of<Port>(); ++i) words[i] = port[i];
    }
}

struct Lanes {  // whole bytes per code, the first in the least significant
    std::vector<Format> formats;
    int bits = 0, words;
    explicit Lanes(const std::vector<Format>& of) : formats(of) {
        for (const Format& format : of) bits += 8 * format.bytes();
        words = (bits + 31) / 32;
    }
    size_t size() const {  // of Verilator's type for such a port
        return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : 4 * words;
    }
    template <class Code>
    void pack(const Code* codes, uint32_t* to) const {
        std::memset(to, 0, 4 * words);
        int place = 0;
        for (size_t k = 0; k < formats.size(); ++k)
            for (int b = 0; b < formats[k].bytes(); ++b, ++place)
                to[place / 4] |= static_cast<uint32_t>((static_cast<int64_t>(codes[k]) >> 8 * b) &
                                                       0xFF) << 8 * (place % 4);
    }
    std::string hex(const uint32_t* from) const {
        std::string found;
        char text[9];
        for (int i = words - 1; i >= 0; --i) {
            std::snprintf(text, sizeof text, "%08x", from[i]);
            found += text;
        }
        return found;
    }
};

struct Counts {
    uint64_t blocks = 0, samples = 0, sent = 0, checked = 0, resets = 0, lasts = 0, clocks = 0;
    uint64_t stalls_in = 0, stalls_out = 0;
    std::vector<int64_t> least, greatest;  // of the answers; empty where there is none
    int64_t least_state = 0, greatest_state = 0;
    bool any = false;

    void add(const Counts& other) {
        blocks += other.blocks, samples += other.samples, sent += other.sent;
        checked += other.checked, resets += other.resets, lasts += other.lasts;
        clocks += other.clocks, stalls_in += other.stalls_in, stalls_out += other.stalls_out;
        least_state = any ? std::min(least_state, other.least_state) : other.least_state;
        greatest_state =
            any ? std::max(greatest_state, other.greatest_state) : other.greatest_state;
        any = true;
        see(other.least), see(other.greatest);
    }
    void see(const std::vector<int64_t>& answer) {
        if (least.empty()) least = greatest = answer;
        for (size_t k = 0; k < answer.size(); ++k) {
            least[k] = std::min(least[k], answer[k]);
            greatest[k] = std::max(greatest[k], answer[k]);
        }
    }
};

struct Failure {
    std::string kind, want, got;  // kind: code, last, protocol, stuck, lost, late, slow
    int rule = 0;
    bool early = false;  // before the reset in the middle of the block
    uint64_t block = 0, sent = 0, received = 0;
};

struct Clocks {  // what a circuit promises, and without any transfer for how long it is stuck
    uint64_t per_sample, latency, window;
};

class Bench {
  public:
    Bench(const Lanes& in, const Lanes& out, const Clocks& promised,
          bool pooled, std::vector<const char*>& plus, std::atomic<uint64_t>& done)
        : m_in(in), m_out(out), m_promised(promised), m_pooled(pooled), m_plus(plus), m_done(done),
          m_data(out.words), m_held(out.words), m_same(in.words), m_opposite(in.words, ~0u) {
        if (in.bits % 32) m_opposite.back() = (1u << in.bits % 32) - 1;
        if (sizeof(decltype(Vtop::s_axis_tdata)) != in.size() ||
            sizeof(decltype(Vtop::m_axis_tdata)) != out.size())
            throw std::runtime_error("the ports must have the widths of the design");
    }

    // Words to send, of every sample, and to get, of every answer; true if all was as it must be.
    bool run(const Block& block, const Stimulus& stimulus, const std::vector<uint32_t>& to_send,
             const std::vector<uint32_t>& to_get, Counts& counts, Failure& failure) {
        m_top.reset();  // before its context
        m_context.reset(new VerilatedContext);
        m_context->randSeed(static_cast<int>(block.key & 0x7FFFFFFF) | 1);
        m_context->randReset(2);
        m_context->commandArgs(static_cast<int>(m_plus.size()), m_plus.data());
        m_top.reset(new Vtop(m_context.get()));
        m_stimulus = &stimulus, m_send = to_send.data(), m_get = to_get.data();
        m_asked.clear();
        for (size_t t = 0; t < stimulus.last.size(); ++t)
            if (!m_pooled || stimulus.last[t]) m_asked.push_back(t);
        failure.block = block.index;
        m_hold = 1 + static_cast<int>(block.index % 2);  // one clock of reset must do
        bool right = true;
        if (block.before) {
            reset(counts);
            failure.early = true;
            const int some = std::min(block.before, block.samples);
            right = stream(some, true, block.clocks, counts, failure);
        }
        if (right) {
            reset(counts);
            failure.early = false;
            right = stream(block.samples, false, 0, counts, failure);
        }
        m_top->final();
        return right;
    }

  private:
    const Lanes &m_in, &m_out;
    const Clocks m_promised;
    const bool m_pooled;  // only the last sample of a sequence has an answer
    std::vector<const char*>& m_plus;
    std::atomic<uint64_t>& m_done;
    std::unique_ptr<VerilatedContext> m_context;
    std::unique_ptr<Vtop> m_top;
    const Stimulus* m_stimulus = nullptr;
    int m_hold = 1;  // clocks of a reset
    const uint32_t *m_send = nullptr, *m_get = nullptr;
    std::vector<uint32_t> m_data, m_held;
    std::vector<uint32_t> m_same, m_opposite;  // what to flip in a beat and between beats
    std::vector<uint64_t> m_taken;             // clock in which each beat went in
    std::vector<uint64_t> m_asked;             // samples that have an answer, ascending

    static constexpr int kTail = 64;  // clocks in which a surplus beat would show

    void edge() {
        m_top->aclk = 1;
        m_top->eval();
        m_top->aclk = 0;
    }
    void reset(Counts& counts) {
        m_top->aclk = 0, m_top->aresetn = 0, m_top->s_axis_tvalid = 0, m_top->m_axis_tready = 0;
        for (int i = 0; i < m_hold; ++i) {
            m_top->eval();
            edge();
        }
        m_top->aresetn = 1;
        counts.resets += 1, counts.clocks += m_hold;
    }

    uint64_t sample_of(uint64_t answer) const {
        return answer < m_asked.size() ? m_asked[answer] : m_stimulus->last.size();
    }
    bool stream(uint64_t due, bool early, uint64_t cut, Counts& counts, Failure& failure) {
        uint64_t sent = 0, got = 0, compared = 0, told = 0;        // beats
        uint64_t owed = 0, answers = 0;  // answers to what was sent, and to all that will be
        while (answers < m_asked.size() && m_asked[answers] < due) ++answers;
        const uint64_t surplus = kTail + (m_pooled ? m_promised.latency : 0);
        uint64_t clocks = 0, quiet = 0, waited = 0, tail = 0;  // clocks
        uint64_t steady = 0;   // beats that went in since either side has paused
        bool flowing = true;   // since nothing was in work, the output has not paused
        m_taken.resize(due);
        int gap = due ? m_stimulus->source[0] : 0;
        bool held = false, held_last = false, forced = false, right = true;
        const auto fail = [&](const char* kind, int rule) {
            // A wrong code may be the consequence of a beat too few or too many: that is the cause.
            const bool cause = right || rule == 5 || kind == std::string("lost");
            if (right) failure.received = sample_of(got);
            if (cause) failure.kind = kind, failure.rule = rule, failure.sent = sent;
            if (cause && !right && rule == 5) failure.received = sample_of(got);
            right = false;
        };
        Vtop& top = *m_top;
        while (true) {
            const bool offer = sent < due && gap == 0;
            const bool ready = forced || got >= answers || waited >= m_stimulus->sink[got];
            const uint64_t shown = std::min(sent, due - 1);
            // Between beats data and flag are the opposite of the next beat's.
            drive(top.s_axis_tdata, m_send + shown * m_in.words,
                  (offer ? m_same : m_opposite).data());
            top.s_axis_tlast = m_stimulus->last[shown] ^ !offer;
            top.s_axis_tvalid = offer;
            top.m_axis_tready = ready;
            top.eval();
            const bool take = offer && top.s_axis_tready, valid = top.m_axis_tvalid;
            const bool give = valid && ready, last = top.m_axis_tlast;
            if (valid) sample(top.m_axis_tdata, m_data.data());
            if (held) {
                if (!valid) { fail("protocol", 1); break; }
                if (m_data != m_held) { fail("protocol", 2); break; }
                if (last != held_last) { fail("protocol", 3); break; }
            }
            if (take) m_taken[sent] = clocks;
            if (give) {
                if (got >= answers || m_asked[got] >= sent + take) {
                    fail("protocol", 5);
                    break;
                }
                if (right && flowing && clocks - m_taken[m_asked[got]] > m_promised.latency)
                    fail("late", 0);
                const uint32_t* const want = m_get + got * m_out.words;
                if (right && std::memcmp(m_data.data(), want, 4 * m_out.words) != 0) {
                    failure.want = m_out.hex(want), failure.got = m_out.hex(m_data.data());
                    fail("code", 0);
                }
                if (right && last != (m_stimulus->last[m_asked[got]] != 0)) {
                    failure.want = last ? "0" : "1", failure.got = last ? "1" : "0";
                    fail("last", 0);
                }
            }
            if (take && right && steady > 1 &&
                clocks - m_taken[sent - 1] > m_promised.per_sample)
                fail("slow", 0);
            if (!ready) {
                top.m_axis_tready = 1;
                top.eval();
                const bool other = top.m_axis_tvalid;
                top.m_axis_tready = 0;
                top.eval();
                if (other != valid) { fail("protocol", 6); break; }
            }
            held = valid && !ready;
            if (held) m_held = m_data, held_last = last;
            counts.stalls_in += offer && !take, counts.stalls_out += held;
            waited = give ? 0 : waited + held;
            edge();
            ++clocks;
            if (sent < due && gap > 0) --gap;
            if (take) {
                counts.lasts += m_stimulus->last[sent] != 0;
                owed += owed < answers && m_asked[owed] == sent;
                ++sent;
                gap = sent < due ? m_stimulus->source[sent] : 0;
            }
            got += give, compared += give && right;
            steady = offer && ready ? steady + take : 0;
            flowing = got == owed || (flowing && !held);
            quiet = take || give ? 0 : quiet + 1;
            if (early && sent == due && cut-- == 0) break;
            if (!early && got == answers && sent == due && ++tail > surplus) break;
            if (quiet > m_promised.window && (sent < due || got < owed)) {
                // A sink that stalls waits for tvalid: would it come if tready came first?
                if (forced || ready) {
                    fail(sent < due && got == owed ? "stuck" : "lost", 0);
                    break;
                }
                forced = true, quiet = 0;
            }
            if (forced && give) { --got; fail("protocol", 6); break; }
            if (!early && sent - told >= 256) m_done += sent - told, told = sent;
        }
        if (!early) m_done += sent - told;
        counts.sent += sent, counts.checked += compared, counts.clocks += clocks;
        return right;
    }
};

}  // namespace soak
