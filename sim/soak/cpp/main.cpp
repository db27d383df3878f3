// Runs the Verilated design on blocks of stimulus and compares every output beat with the
// interpreter of the design file. Prints lines that begin with @ and hold one JSON object each.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "Vtop.h"
#include "interpreter.h"
#include "stimulus.h"
#include "verilated.h"

namespace {

using namespace soak;

// --- Ports of any width as words of 32 bits ------------------------------------------------------

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

// --- What is asked and what is told --------------------------------------------------------------

struct Request {
    std::map<std::string, std::string> words;
    std::vector<const char*> plus;  // arguments for the model, as +NAME=VALUE
    Request(int count, char** given) : plus(given, given + 1) {
        for (int i = 1; i < count; ++i) {
            const std::string word(given[i]);
            if (word[0] == '+') {
                plus.push_back(given[i]);
                continue;
            }
            const size_t equals = word.find('=');
            if (equals == std::string::npos) throw std::runtime_error("arguments must be KEY=VALUE");
            words[word.substr(0, equals)] = word.substr(equals + 1);
        }
    }
    uint64_t number(const char* key) const { return std::stoull(words.at(key)); }
};

struct Counts {
    uint64_t blocks = 0, samples = 0, sent = 0, checked = 0, resets = 0, lasts = 0, clocks = 0;
    uint64_t stalls_in = 0, stalls_out = 0;
    std::vector<int64_t> least, greatest;  // of the outputs
    int64_t least_state = 0, greatest_state = 0;
    bool any = false;

    void add(const Counts& other) {
        blocks += other.blocks, samples += other.samples, sent += other.sent;
        checked += other.checked, resets += other.resets, lasts += other.lasts;
        clocks += other.clocks, stalls_in += other.stalls_in, stalls_out += other.stalls_out;
        if (!other.any) return;
        if (!any) least = other.least, greatest = other.greatest;
        least_state = any ? std::min(least_state, other.least_state) : other.least_state;
        greatest_state = any ? std::max(greatest_state, other.greatest_state) : other.greatest_state;
        for (size_t k = 0; k < least.size(); ++k) {
            least[k] = std::min(least[k], other.least[k]);
            greatest[k] = std::max(greatest[k], other.greatest[k]);
        }
        any = true;
    }
};

struct Failure {
    std::string kind, want, got;  // kind: code, last, protocol, stuck, lost
    int rule = 0;
    bool early = false;  // before the reset in the middle of the block
    uint64_t block = 0, sent = 0, received = 0;
};

class Bench {  // one circuit, from power-up to the end of a block
  public:
    Bench(const Lanes& in, const Lanes& out, uint64_t window, std::vector<const char*>& plus,
          std::atomic<uint64_t>& done)
        : m_in(in), m_out(out), m_window(window), m_plus(plus), m_done(done), m_data(out.words),
          m_held(out.words), m_same(in.words), m_opposite(in.words, ~0u) {
        if (in.bits % 32) m_opposite.back() = (1u << in.bits % 32) - 1;
        if (sizeof(decltype(Vtop::s_axis_tdata)) != in.size() ||
            sizeof(decltype(Vtop::m_axis_tdata)) != out.size())
            throw std::runtime_error("the ports must have the widths of the design");
    }

    // Words to send and to get; a pause in clocks before each; true if all was as it must be.
    bool run(const Block& block, const Stimulus& stimulus, const std::vector<uint32_t>& to_send,
             const std::vector<uint32_t>& to_get, Counts& counts, Failure& failure) {
        m_top.reset();  // before its context
        m_context.reset(new VerilatedContext);
        m_context->randSeed(static_cast<int>(block.key & 0x7FFFFFFF) | 1);
        m_context->randReset(2);
        m_context->commandArgs(static_cast<int>(m_plus.size()), m_plus.data());
        m_top.reset(new Vtop(m_context.get()));
        m_stimulus = &stimulus, m_send = to_send.data(), m_get = to_get.data();
        failure.block = block.index;
        bool right = true;
        if (block.before) {
            reset(counts);
            failure.early = true;
            right = stream(std::min(block.before, block.samples), true, block.clocks, counts, failure);
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
    const uint64_t m_window;
    std::vector<const char*>& m_plus;
    std::atomic<uint64_t>& m_done;
    std::unique_ptr<VerilatedContext> m_context;
    std::unique_ptr<Vtop> m_top;
    const Stimulus* m_stimulus = nullptr;
    const uint32_t *m_send = nullptr, *m_get = nullptr;
    std::vector<uint32_t> m_data, m_held;
    std::vector<uint32_t> m_same, m_opposite;  // what to flip in a beat and between beats

    static constexpr int kTail = 64;  // clocks in which a surplus beat would show

    void edge() {
        m_top->aclk = 1;
        m_top->eval();
        m_top->aclk = 0;
    }
    void reset(Counts& counts) {
        m_top->aclk = 0, m_top->aresetn = 0, m_top->s_axis_tvalid = 0, m_top->m_axis_tready = 0;
        for (int i = 0; i < 2; ++i) {
            m_top->eval();
            edge();
        }
        m_top->aresetn = 1;
        counts.resets += 1, counts.clocks += 2;
    }

    bool stream(uint64_t due, bool early, uint64_t cut, Counts& counts, Failure& failure) {
        uint64_t sent = 0, got = 0, compared = 0, clocks = 0, quiet = 0, waited = 0, tail = 0, told = 0;
        int gap = due ? m_stimulus->source[0] : 0;
        bool held = false, held_last = false, forced = false, right = true;
        const auto fail = [&](const char* kind, int rule) {
            // A wrong code may be the consequence of a beat too few or too many: that is the cause.
            const bool cause = right || rule == 5 || kind == std::string("lost");
            if (right) failure.received = got;
            if (cause) failure.kind = kind, failure.rule = rule, failure.sent = sent;
            if (cause && !right && rule == 5) failure.received = got;
            right = false;
        };
        Vtop& top = *m_top;
        while (true) {
            const bool offer = sent < due && gap == 0;
            const bool ready = forced || got >= due || waited >= m_stimulus->sink[got];
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
            if (give) {
                if (got == sent && !take || got >= due) { fail("protocol", 5); break; }
                const uint32_t* const want = m_get + got * m_out.words;
                if (right && std::memcmp(m_data.data(), want, 4 * m_out.words) != 0) {
                    failure.want = m_out.hex(want), failure.got = m_out.hex(m_data.data());
                    fail("code", 0);
                }
                if (right && last != (m_stimulus->last[got] != 0)) {
                    failure.want = last ? "0" : "1", failure.got = last ? "1" : "0";
                    fail("last", 0);
                }
            }
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
                ++sent;
                gap = sent < due ? m_stimulus->source[sent] : 0;
            }
            got += give, compared += give && right;
            quiet = take || give ? 0 : quiet + 1;
            if (early && sent == due && cut-- == 0) break;
            if (!early && got == due && ++tail > kTail) break;
            if (quiet > m_window && (sent < due || got < sent)) {
                // A sink that stalls waits for tvalid: would it come if tready came first?
                if (forced || ready) { fail(sent < due && got == sent ? "stuck" : "lost", 0); break; }
                forced = true, quiet = 0;
            }
            if (forced && give) { --got; fail("protocol", 6); break; }
            if (!early && got - told >= 256) m_done += got - told, told = got;
        }
        if (!early) m_done += got - told;
        counts.sent += sent, counts.checked += compared, counts.clocks += clocks;
        return right;
    }
};

class Soak {
  public:
    Soak(const Law& law, const Request& request)
        : m_law(law), m_in(law.channels), m_out(law.outputs), m_seed(request.number("seed")),
          m_left(request.number("samples")), m_clocks(request.number("clocks")),
          m_window(request.number("window")), m_audit(request.number("audit")),
          m_plus(request.plus) {}

    // Draws the next block, shortened where no more samples are wanted; false at the end.
    bool next(Block& block) {
        const std::lock_guard<std::mutex> guard(m_mutex);
        if (m_left == 0 || m_failed) return false;
        block = Block(m_seed, m_next++, static_cast<int>(m_clocks));
        if (static_cast<uint64_t>(block.samples) > m_left) block.samples = static_cast<int>(m_left);
        m_left -= block.samples;
        return true;
    }

    void work() {
        const std::unique_ptr<Interpreter> interpreter = Interpreter::of(m_law);
        Bench bench(m_in, m_out, m_window, m_plus, m_done);
        Stimulus stimulus;
        std::vector<int64_t> outputs;
        std::vector<uint32_t> to_send, to_get;
        Block block(0, 0, 1);
        while (next(block)) {
            const size_t k = m_law.channels.size(), l = m_law.outputs.size();
            fill(block, m_law.channels, stimulus);
            interpreter->run(stimulus.codes, stimulus.last, outputs);
            to_send.resize(block.samples * m_in.words);
            to_get.resize(block.samples * m_out.words);
            Counts counts;
            counts.any = true;
            counts.least.assign(outputs.begin(), outputs.begin() + l);
            counts.greatest = counts.least;
            for (int t = 0; t < block.samples; ++t) {
                m_in.pack(&stimulus.codes[t * k], &to_send[t * m_in.words]);
                m_out.pack(&outputs[t * l], &to_get[t * m_out.words]);
                for (size_t j = 0; j < l; ++j) {
                    counts.least[j] = std::min(counts.least[j], outputs[t * l + j]);
                    counts.greatest[j] = std::max(counts.greatest[j], outputs[t * l + j]);
                }
            }
            Failure failure;
            const bool right = bench.run(block, stimulus, to_send, to_get, counts, failure);
            counts.blocks = 1, counts.samples = block.samples;
            counts.least_state = interpreter->least_state;
            counts.greatest_state = interpreter->greatest_state;
            const std::lock_guard<std::mutex> guard(m_mutex);
            m_counts.add(counts);
            if (block.index < 8 || block.index % m_audit == 0)
                std::printf("@block {\"block\": %llu, \"samples\": %d, \"digest\": \"%016llx\"}\n",
                            (unsigned long long)block.index, block.samples,
                            (unsigned long long)digest(stimulus, outputs));
            if (!right && (!m_failed || failure.block < m_first.block)) m_first = failure;
            m_failed |= !right;
        }
    }

    void tell(double seconds, bool end) {
        const std::lock_guard<std::mutex> guard(m_mutex);
        if (!end) {
            std::printf("@progress {\"samples\": %llu, \"seconds\": %.3f}\n",
                        (unsigned long long)m_done.load(), seconds);
        } else {
            if (m_failed)
                std::printf("@failure {\"block\": %llu, \"kind\": \"%s\", \"rule\": %d, \"early\": %s,"
                            " \"sent\": %llu, \"received\": %llu, \"want\": \"%s\", \"got\": \"%s\"}\n",
                            (unsigned long long)m_first.block, m_first.kind.c_str(), m_first.rule,
                            m_first.early ? "true" : "false", (unsigned long long)m_first.sent,
                            (unsigned long long)m_first.received, m_first.want.c_str(),
                            m_first.got.c_str());
            std::ostringstream text;
            const Counts& c = m_counts;
            text << "@done {\"blocks\": " << c.blocks << ", \"samples\": " << c.samples
                 << ", \"sent\": " << c.sent << ", \"checked\": " << c.checked
                 << ", \"clocks\": " << c.clocks << ", \"resets\": " << c.resets
                 << ", \"last_flags\": " << c.lasts << ", \"stalls_in\": " << c.stalls_in
                 << ", \"stalls_out\": " << c.stalls_out << ", \"states\": [" << c.least_state
                 << ", " << c.greatest_state << "], \"outputs\": [";
            for (size_t k = 0; k < c.least.size(); ++k)
                text << (k ? ", " : "") << "[" << c.least[k] << ", " << c.greatest[k] << "]";
            text << "], \"seconds\": " << seconds << "}";
            std::puts(text.str().c_str());
        }
        std::fflush(stdout);
    }

    // One block as a table: codes, last, pauses of source and sink, outputs; one row per sample.
    void show(uint64_t index) const {
        Block block(m_seed, index, static_cast<int>(m_clocks));
        block.samples = static_cast<int>(std::min<uint64_t>(block.samples, m_left));
        Stimulus stimulus;
        std::vector<int64_t> outputs;
        fill(block, m_law.channels, stimulus);
        Interpreter::of(m_law)->run(stimulus.codes, stimulus.last, outputs);
        const size_t k = m_law.channels.size(), l = m_law.outputs.size();
        std::printf("@shown {\"samples\": %d, \"before\": %d, \"clocks\": %u, \"digest\": "
                    "\"%016llx\"}\n", block.samples, block.before, block.clocks,
                    (unsigned long long)digest(stimulus, outputs));
        for (int t = 0; t < block.samples; ++t) {
            for (size_t c = 0; c < k; ++c) std::printf("%d ", stimulus.codes[t * k + c]);
            std::printf("%d %d %d", stimulus.last[t], stimulus.source[t], stimulus.sink[t]);
            for (size_t c = 0; c < l; ++c) std::printf(" %lld", (long long)outputs[t * l + c]);
            std::printf("\n");
        }
    }

  private:
    const Law& m_law;
    const Lanes m_in, m_out;
    const uint64_t m_seed;
    uint64_t m_left;
    const uint64_t m_clocks, m_window, m_audit;
    std::vector<const char*> m_plus;
    std::mutex m_mutex;
    uint64_t m_next = 0;
    bool m_failed = false;
    Failure m_first;
    Counts m_counts;
    std::atomic<uint64_t> m_done{0};

    static uint64_t digest(const Stimulus& stimulus, const std::vector<int64_t>& outputs) {
        const size_t samples = stimulus.last.size();
        const size_t k = stimulus.codes.size() / samples, l = outputs.size() / samples;
        uint64_t sum = 0, place = 0;
        const auto add = [&](int64_t code) {
            sum += mix(static_cast<uint64_t>(code) + ++place * kGolden);
        };
        for (size_t t = 0; t < samples; ++t) {
            for (size_t c = 0; c < k; ++c) add(stimulus.codes[t * k + c]);
            add(stimulus.last[t]), add(stimulus.source[t]), add(stimulus.sink[t]);
            for (size_t c = 0; c < l; ++c) add(outputs[t * l + c]);
        }
        return sum;
    }
};

int run(const Request& request) {
    std::ifstream file(request.words.at("design"));
    std::stringstream text;
    text << file.rdbuf();
    const std::string whole = text.str();
    const Law law(JsonReader(whole).read());
    Soak soak(law, request);
    if (request.words.count("show")) {
        soak.show(request.number("show"));
        return 0;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    std::mutex mutex;
    std::condition_variable ended;
    uint64_t running = request.number("jobs");
    std::string problem;
    std::vector<std::thread> threads;
    for (uint64_t i = 0, count = running; i < count; ++i)
        threads.emplace_back([&] {
            try {
                soak.work();
            } catch (const std::exception& error) {
                const std::lock_guard<std::mutex> guard(mutex);
                problem = error.what();
            }
            const std::lock_guard<std::mutex> guard(mutex);
            --running;
            ended.notify_all();
        });
    {
        std::unique_lock<std::mutex> lock(mutex);
        while (!ended.wait_for(lock, std::chrono::seconds(1), [&] { return running == 0; }))
            soak.tell(seconds(), false);
    }
    for (std::thread& thread : threads) thread.join();
    if (!problem.empty()) throw std::runtime_error(problem);
    soak.tell(seconds(), true);
    return 0;
}

}  // namespace

int main(int count, char** given) {
    try {
        return run(Request(count, given));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
