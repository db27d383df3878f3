// Runs the Verilated design on blocks of stimulus and compares every output beat with the
// interpreter of the design file. Prints lines that begin with @ and hold one JSON object each.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "bench.h"
#include "data.h"
#include "interpreter.h"
#include "stimulus.h"

namespace {

using namespace soak;

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
            if (equals == std::string::npos)
                throw std::runtime_error("arguments must be KEY=VALUE, not " + word);
            words[word.substr(0, equals)] = word.substr(equals + 1);
        }
    }
    uint64_t number(const char* key) const { return std::stoull(words.at(key)); }
};

class Soak {
  public:
    Soak(const Law& law, const Request& request)
        : m_law(law), m_in(law.channels), m_out(law.answers), m_seed(request.number("seed")),
          m_left(request.number("samples")),
          m_promised{request.number("clocks"), request.number("latency"),
                     request.number("window")},
          m_audit(request.number("audit")), m_plus(request.plus) {
        const auto data = request.words.find("data");
        if (data != request.words.end()) m_data = Data(data->second, law.channels);
    }

    // Draws the next block, shortened where no more samples are wanted; false at the end.
    bool next(Block& block) {
        const std::lock_guard<std::mutex> guard(m_mutex);
        if (m_left == 0 || m_failed) return false;
        block = Block(m_seed, m_next++, static_cast<int>(m_promised.per_sample));
        if (static_cast<uint64_t>(block.samples) > m_left) block.samples = static_cast<int>(m_left);
        m_left -= block.samples;
        return true;
    }

    void work() {
        const std::unique_ptr<Interpreter> interpreter = Interpreter::of(m_law);
        Bench bench(m_in, m_out, m_promised, m_law.pooled(), m_plus, m_done);
        Stimulus stimulus;
        std::vector<int64_t> answers;
        std::vector<uint32_t> to_send, to_get;
        Block block(0, 0, 1);
        while (next(block)) {
            const size_t k = m_law.channels.size(), l = m_law.answers.size();
            fill(block, m_law.channels, m_data, stimulus);
            interpreter->run(stimulus.codes, stimulus.last, answers);
            to_send.resize(block.samples * m_in.words);
            to_get.resize(block.samples * m_out.words);
            Counts counts;
            size_t answered = 0;
            for (int t = 0; t < block.samples; ++t) {
                m_in.pack(&stimulus.codes[t * k], &to_send[t * m_in.words]);
                if (m_law.pooled() && !stimulus.last[t]) continue;
                const int64_t* const answer = &answers[t * l];
                m_out.pack(answer, &to_get[answered++ * m_out.words]);
                counts.see(std::vector<int64_t>(answer, answer + l));
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
                            (unsigned long long)digest(stimulus, answers));
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
            std::ostringstream text;
            if (m_failed) {
                const Failure& f = m_first;
                text << "@failure {\"block\": " << f.block << ", \"kind\": \"" << f.kind
                     << "\", \"rule\": " << f.rule
                     << ", \"early\": " << (f.early ? "true" : "false")
                     << ", \"sent\": " << f.sent << ", \"received\": " << f.received
                     << ", \"want\": \"" << f.want << "\", \"got\": \"" << f.got << "\"}\n";
            }
            const Counts& c = m_counts;
            text << "@done {\"blocks\": " << c.blocks << ", \"samples\": " << c.samples
                 << ", \"sent\": " << c.sent << ", \"checked\": " << c.checked
                 << ", \"clocks\": " << c.clocks << ", \"resets\": " << c.resets
                 << ", \"last_flags\": " << c.lasts << ", \"stalls_in\": " << c.stalls_in
                 << ", \"stalls_out\": " << c.stalls_out << ", \"states\": [" << c.least_state
                 << ", " << c.greatest_state << "], \"outputs\": [";
            for (size_t k = 0; k < c.least.size(); ++k)
                text << (k ? ", " : "") << "[" << c.least[k] << ", " << c.greatest[k] << "]";
            const double cpu = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;  // all threads
            text << "], \"seconds\": " << seconds << ", \"cpu_seconds\": " << cpu << "}";
            std::puts(text.str().c_str());
        }
        std::fflush(stdout);
    }

    // One block as a table: codes, last, pauses of source and sink, answers; one row per sample.
    void show(uint64_t index) const {
        Block block(m_seed, index, static_cast<int>(m_promised.per_sample));
        block.samples = static_cast<int>(std::min<uint64_t>(block.samples, m_left));
        Stimulus stimulus;
        std::vector<int64_t> answers;
        fill(block, m_law.channels, m_data, stimulus);
        Interpreter::of(m_law)->run(stimulus.codes, stimulus.last, answers);
        const size_t k = m_law.channels.size(), l = m_law.answers.size();
        std::printf("@shown {\"samples\": %d, \"before\": %d, \"clocks\": %u, \"digest\": "
                    "\"%016llx\"}\n", block.samples, block.before, block.clocks,
                    (unsigned long long)digest(stimulus, answers));
        for (int t = 0; t < block.samples; ++t) {
            for (size_t c = 0; c < k; ++c) std::printf("%d ", stimulus.codes[t * k + c]);
            std::printf("%d %d %d", stimulus.last[t], stimulus.source[t], stimulus.sink[t]);
            for (size_t c = 0; c < l; ++c) std::printf(" %lld", (long long)answers[t * l + c]);
            std::printf("\n");
        }
    }

  private:
    const Law& m_law;
    const Lanes m_in, m_out;
    const uint64_t m_seed;
    uint64_t m_left;
    const Clocks m_promised;
    const uint64_t m_audit;
    std::vector<const char*> m_plus;
    Data m_data;  // empty where codes are drawn
    std::mutex m_mutex;
    uint64_t m_next = 0;
    bool m_failed = false;
    Failure m_first;
    Counts m_counts;
    std::atomic<uint64_t> m_done{0};

    static uint64_t digest(const Stimulus& stimulus, const std::vector<int64_t>& answers) {
        const size_t samples = stimulus.last.size();
        const size_t k = stimulus.codes.size() / samples, l = answers.size() / samples;
        uint64_t sum = 0, place = 0;
        const auto add = [&](int64_t code) {
            sum += mix(static_cast<uint64_t>(code) + ++place * kGolden);
        };
        for (size_t t = 0; t < samples; ++t) {
            for (size_t c = 0; c < k; ++c) add(stimulus.codes[t * k + c]);
            add(stimulus.last[t]), add(stimulus.source[t]), add(stimulus.sink[t]);
            for (size_t c = 0; c < l; ++c) add(answers[t * l + c]);
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
