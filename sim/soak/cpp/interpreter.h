// An interpreter of design files, written from docs/design-format.md: the witness beside the
// circuit. It shares no code with rchw.reference or rchw.hdl, and chooses the integer type by a
// bound of its own.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "law.h"
#include "wide.h"

namespace soak {

template <class Word>
inline Word shifted(const Word& value, int by) {
    return value << by;
}
template <>
inline int32_t shifted(const int32_t& value, int by) {
    return static_cast<int32_t>(static_cast<uint32_t>(value) << by);
}
template <>
inline int64_t shifted(const int64_t& value, int by) {
    return static_cast<int64_t>(static_cast<uint64_t>(value) << by);
}

template <class Word>
inline Word divided(Word value, int by, Rounding rounding) {  // value * 2**-by, rounded
    if (by <= 0) return shifted(value, -by);
    if (rounding == Rounding::kTruncate) return value >> by;
    const Word half = shifted(Word(1), by - 1);
    if (rounding == Rounding::kHalfUp) return (value + half) >> by;
    const Word below = value >> by, rest = value - shifted(below, by);
    const bool odd = static_cast<int64_t>(below) & 1;
    return rest > half || (!(rest < half) && odd) ? below + Word(1) : below;
}

template <class Word>
inline int64_t fit(const Word& value, const Format& format, bool wrap) {
    if (!wrap) {
        if (std::is_same<Word, Wide>::value) {
            if (value < Word(format.least)) return format.least;
            if (value > Word(format.greatest)) return format.greatest;
        }
        return std::min(std::max(static_cast<int64_t>(value), format.least), format.greatest);
    }
    const uint64_t mask = (uint64_t{1} << format.width) - 1;
    const uint64_t low = static_cast<uint64_t>(static_cast<int64_t>(value)) & mask;
    const bool below = format.is_signed && (low >> (format.width - 1));
    return static_cast<int64_t>(below ? low | ~mask : low);
}

class Interpreter {
  public:
    virtual ~Interpreter() = default;
    // From the initial state: codes (samples x channels) and flags to answers (samples x answers),
    // 0 where a sample has none.
    virtual void run(const std::vector<int32_t>& codes, const std::vector<uint8_t>& last,
                     std::vector<int64_t>& answers) = 0;
    int64_t least_state = 0, greatest_state = 0;  // of all samples so far
    static std::unique_ptr<Interpreter> of(const Law& law);
};

template <class Word>
inline std::vector<Word> aligned(const std::vector<int64_t>& codes, int by) {
    std::vector<Word> found;
    for (int64_t code : codes) found.push_back(shifted(Word(code), by));
    return found;
}

template <class Word>
class LayerOf {
  public:
    int64_t least_state = 0, greatest_state = 0;

    explicit LayerOf(const Layer& law)
        : m_law(law), m_bias(aligned<Word>(law.bias, law.bias_shift)), m_sum(law.units),
          m_ring(2 * law.units), m_gains(aligned<Word>(law.gains, law.gain_shift)),
          m_steps(aligned<Word>(law.steps, 0)) {
        for (const auto& tap : law.taps)
            m_taps.push_back(aligned<Word>(tap.weights, law.tap_shift));
        for (const auto& row : law.rows)
            m_matrix.push_back(aligned<Word>(row.weights, law.tap_shift));
        for (const auto& fed : law.fed) {
            m_fed.emplace_back();
            for (const auto& row : fed.rows)
                m_fed.back().push_back(aligned<Word>(row.weights, fed.shift));
        }
        for (const auto& input : law.inputs) {
            m_weights.push_back(aligned<Word>(input.weights, input.shift));
            m_low.push_back(aligned<Word>(input.low, input.shift));
            m_high.push_back(aligned<Word>(input.high, input.shift));
        }
        for (const auto& by : law.returns) m_returns.push_back(aligned<Word>(by.weights, by.shift));
        least_state = greatest_state = law.initial[0];
    }
    const Word* states() const { return m_ring.data(); }
    void begin() {
        for (int i = 0; i < m_law.units; ++i)
            m_ring[i] = m_ring[i + m_law.units] = Word(m_law.initial[i]);
    }
    void step(const int32_t* u, int own_channels, const std::vector<LayerOf>& all,
              const std::vector<int64_t>& returned) {
        const int n = m_law.units;
        if (m_law.external) return take(u + own_channels);
        Word* const sum = m_sum.data();
        if (m_gains.empty())
            std::copy(m_bias.begin(), m_bias.end(), sum);
        else
            std::fill(sum, sum + n, Word(0));
        for (size_t k = 0; k < m_taps.size(); ++k) {
            const Word* const weight = m_taps[k].data();
            const Word* const from = m_ring.data() + n - m_law.taps[k].offset;
            for (int i = 0; i < n; ++i) sum[i] += weight[i] * from[i];
        }
        for (size_t i = 0; i < m_matrix.size(); ++i)
            for (size_t k = 0; k < m_matrix[i].size(); ++k)
                sum[i] += m_matrix[i][k] * m_ring[m_law.rows[i].columns[k]];
        for (size_t k = 0; k < m_fed.size(); ++k) {  // earlier layers, after the same sample
            const Word* const from = all[m_law.fed[k].source].states();
            for (int i = 0; i < n; ++i)
                for (size_t j = 0; j < m_fed[k][i].size(); ++j)
                    sum[i] += m_fed[k][i][j] * from[m_law.fed[k].rows[i].columns[j]];
        }
        for (size_t k = 0; k < m_returns.size(); ++k)  // outputs of the sample before
            for (int i = 0; i < n; ++i) sum[i] += m_returns[k][i] * Word(returned[k]);
        for (size_t k = 0; k < m_law.inputs.size(); ++k) {
            const int32_t given = u[m_law.inputs[k].channel];
            if (m_law.inputs[k].level) {
                const int64_t* const threshold = m_law.inputs[k].thresholds.data();
                for (int i = 0; i < n; ++i)
                    sum[i] += given >= threshold[i] ? m_high[k][i] : m_low[k][i];
            } else {
                const Word code(given);
                const Word* const weight = m_weights[k].data();
                for (int i = 0; i < n; ++i) sum[i] += weight[i] * code;
            }
        }
        if (!m_gains.empty())
            for (int i = 0; i < n; ++i) sum[i] = sum[i] * m_gains[i] + m_bias[i];
        if (m_law.rounding == Rounding::kTruncate) update<Rounding::kTruncate>();
        if (m_law.rounding == Rounding::kHalfUp) update<Rounding::kHalfUp>();
        if (m_law.rounding == Rounding::kHalfEven) update<Rounding::kHalfEven>();
    }

  private:
    const Layer& m_law;
    std::vector<Word> m_bias, m_sum;
    std::vector<Word> m_ring;  // the states twice, so that no offset wraps
    std::vector<Word> m_gains, m_steps;  // of every unit, or none
    std::vector<std::vector<Word>> m_taps, m_weights, m_low, m_high, m_matrix, m_returns;
    std::vector<std::vector<std::vector<Word>>> m_fed;

    void take(const int32_t* states) {
        for (int i = 0; i < m_law.units; ++i) {
            m_ring[i] = Word(states[i]);
            least_state = std::min(least_state, static_cast<int64_t>(states[i]));
            greatest_state = std::max(greatest_state, static_cast<int64_t>(states[i]));
        }
    }
    template <Rounding rounding>
    void update() {
        const int n = m_law.units, by = m_law.fraction - m_law.state.frac;
        Word* const sum = m_sum.data();
        if (m_law.activation == Layer::kTable) {
            const int by_index = m_law.fraction - m_law.index.frac;
            for (int i = 0; i < n; ++i) {
                const int64_t m = fit(divided(sum[i], by_index, rounding), m_law.index, false);
                sum[i] = Word(m_law.entries[m - m_law.index.least]);
            }
        } else {
            for (int i = 0; i < n; ++i) sum[i] = divided(sum[i], by, rounding);
            if (m_law.activation == Layer::kSegments) {
                for (int i = 0; i < n; ++i) {
                    size_t j = m_law.segments.size() - 1;
                    while (j > 0 && sum[i] < Word(m_law.segments[j].start)) --j;
                    sum[i] = divided(sum[i], m_law.segments[j].shift, rounding) +
                             Word(m_law.segments[j].offset);
                }
            }
            const Word low(m_law.low), high(m_law.high);
            for (int i = 0; i < n; ++i) sum[i] = std::min(std::max(sum[i], low), high);
        }
        Word* const ring = m_ring.data();
        if (m_law.moves) move<rounding>();
        Word least = sum[0], greatest = sum[0];
        for (int i = 0; i < n; ++i) {
            ring[i] = ring[i + n] = sum[i];
            least = std::min(least, sum[i]);
            greatest = std::max(greatest, sum[i]);
        }
        least_state = std::min(least_state, static_cast<int64_t>(least));
        greatest_state = std::max(greatest_state, static_cast<int64_t>(greatest));
    }
    template <Rounding rounding>
    void move() {  // from the old states to the targets, or a step along them
        const Word* const old = m_ring.data();
        for (int i = 0; i < m_law.units; ++i) {
            Word& sum = m_sum[i];
            if (!m_steps.empty()) {
                const Word way = divided(Word(m_steps[i] * sum), m_law.step_fraction, rounding);
                sum = Word(fit(Word(old[i] + way), m_law.state, false));
            } else if (m_law.leaks[i]) {
                const int by = static_cast<int>(m_law.leaks[i]);
                sum = old[i] + divided(Word(sum - old[i]), by, rounding);
            }
        }
    }
};

template <class Word>
class InterpreterOf : public Interpreter {
  public:
    explicit InterpreterOf(const Law& law)
        : m_law(law), m_features(law.n_features), m_returned(law.feedback.size()),
          m_totals(law.outputs.size()), m_codes(law.outputs.size()) {
        for (const auto& layer : law.layers) m_layers.emplace_back(layer);
        for (const auto& row : law.weights) m_rows.push_back(aligned<Word>(row, 0));
    }

    void run(const std::vector<int32_t>& codes, const std::vector<uint8_t>& last,
             std::vector<int64_t>& answers) override {
        const size_t k = m_law.channels.size(), l = m_law.answers.size();
        answers.assign(last.size() * l, 0);
        begin(), m_place = 0;
        for (size_t t = 0; t < last.size(); ++t) {
            const int32_t* const u = &codes[t * k];
            for (auto& layer : m_layers) layer.step(u, m_law.own_channels, m_layers, m_returned);
            const bool asked = !m_law.pooled() || last[t];
            if (asked || m_law.accumulate >= Law::kSum) read_out(u);
            if (asked) answer(&answers[t * l]);
            feed_back(u);
            m_place = last[t] ? 0 : m_place + 1;
            if (last[t] && m_law.reset_on_last) begin();
        }
        least_state = m_layers[0].least_state, greatest_state = m_layers[0].greatest_state;
        for (const auto& layer : m_layers) {
            least_state = std::min(least_state, layer.least_state);
            greatest_state = std::max(greatest_state, layer.greatest_state);
        }
    }

  private:
    const Law& m_law;
    std::vector<LayerOf<Word>> m_layers;
    std::vector<Word> m_features;
    std::vector<std::vector<Word>> m_rows;
    std::vector<int64_t> m_returned;  // what the next sample is fed
    std::vector<Word> m_totals;       // exact sums behind the outputs
    std::vector<int64_t> m_codes;     // of the outputs
    int64_t m_place = 0;              // of the sample in its sequence

    void begin() {
        for (auto& layer : m_layers) layer.begin();
        for (size_t k = 0; k < m_returned.size(); ++k)
            m_returned[k] = m_law.feedback[k].initial;
    }
    void feed_back(const int32_t* u) {  // only with an answer to every sample
        int number = 0;
        for (size_t k = 0; k < m_returned.size(); ++k) {
            const Law::Feedback& entry = m_law.feedback[k];
            m_returned[k] = m_codes[entry.output];
            if (entry.teacher < 0) continue;
            if (u[m_law.channels.size() - 1] >> number++ & 1) m_returned[k] = u[entry.teacher];
        }
    }
    void read_out(const int32_t* u) {
        Word* feature = m_features.data();
        for (const auto& block : m_law.features) {
            const int align = m_law.finest - block.format.frac;
            const int by = 2 * m_law.layers[block.layer].state.frac - block.format.frac;
            const Word* const states = m_layers[block.layer].states();
            for (int j = 0; j < block.count; ++j) {
                Word code(1);
                if (block.kind == Law::Feature::kStates) code = states[j];
                if (block.kind == Law::Feature::kInputs) code = Word(u[j]);
                if (block.kind == Law::Feature::kSquares)
                    code = Word(fit(divided(Word(states[j] * states[j]), by, block.rounding),
                                    block.format, false));
                feature[j] = shifted(code, align);
            }
            feature += block.count;
        }
        const bool sums = m_law.accumulate >= Law::kSum;
        const int64_t segment = sums ? m_place / m_law.segment_length : 0;
        const int count = m_law.n_features;
        for (size_t k = 0; k < m_rows.size(); ++k) {
            if (!sums || m_place == 0) m_totals[k] = Word(0);
            if (segment >= m_law.segment_count) continue;
            const Word* const row = m_rows[k].data() + segment * count;
            const Word* const all = m_features.data();
            Word total(0);
            for (int j = 0; j < count; ++j) total += row[j] * all[j];
            m_totals[k] += total;
        }
    }
    void answer(int64_t* to) {
        for (size_t k = 0; k < m_totals.size(); ++k) {
            const int by = m_law.weight_fraction + m_law.finest - m_law.outputs[k].frac;
            const Word rounded = divided(m_totals[k], by, m_law.output_rounding);
            m_codes[k] = fit(rounded, m_law.outputs[k], m_law.wrap);
        }
        if (m_law.argmax)  // the first of equals
            *to = std::max_element(m_codes.begin(), m_codes.end()) - m_codes.begin();
        else
            std::copy(m_codes.begin(), m_codes.end(), to);
    }
};

inline std::unique_ptr<Interpreter> Interpreter::of(const Law& law) {
    const long double bound = law.bound();
    if (bound < std::ldexp(1.0L, 30))
        return std::unique_ptr<Interpreter>(new InterpreterOf<int32_t>(law));
    if (bound < std::ldexp(1.0L, 62))
        return std::unique_ptr<Interpreter>(new InterpreterOf<int64_t>(law));
    if (bound < std::ldexp(1.0L, 250))
        return std::unique_ptr<Interpreter>(new InterpreterOf<Wide>(law));
    throw std::runtime_error("sums of the design must be below 2**250");
}

}  // namespace soak
