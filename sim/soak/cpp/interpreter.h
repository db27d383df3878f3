// An interpreter of design files, written from docs/design-format.md, sections 1 to 7: the witness
// beside the circuit. It shares no code with rchw.reference or rchw.hdl and chooses the integer type
// by a bound of its own.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "json.h"
#include "wide.h"

namespace soak {

enum class Rounding { kTruncate, kHalfUp, kHalfEven };

inline Rounding rounding_of(const std::string& name) {
    if (name == "truncate") return Rounding::kTruncate;
    if (name == "half-up") return Rounding::kHalfUp;
    if (name == "half-even") return Rounding::kHalfEven;
    throw std::runtime_error("rounding must be truncate, half-up or half-even, not " + name);
}

struct Format {  // section 1
    bool is_signed = true;
    int width = 1, frac = 0;
    int64_t least = 0, greatest = 0;

    static Format of(const Json& json) {
        Format found;
        const std::string& name = json.text;
        const size_t bar = name.find("_en");
        if (name.size() < 8 || bar == std::string::npos)
            throw std::runtime_error("a format must look like sfix8_en7, not " + name);
        found.is_signed = name[0] == 's';
        found.width = std::stoi(name.substr(4, bar - 4));
        found.frac = std::stoi(name.substr(bar + 3));
        found.least = found.is_signed ? -(int64_t{1} << (found.width - 1)) : 0;
        found.greatest = (int64_t{1} << (found.width - found.is_signed)) - 1;
        return found;
    }
    int bytes() const { return (width + 7) / 8; }
    long double magnitude() const { return std::max<int64_t>(greatest, -least); }
};

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

struct Law {  // a design file, as numbers
    struct Tap { int offset; std::vector<int64_t> weights; };
    struct Input { bool level; int shift; std::vector<int64_t> weights, thresholds, low, high; };
    struct Segment { int64_t start; int shift; int64_t offset; };
    struct Feature { enum Kind { kStates, kSquares, kInputs, kOne } kind; Format format;
                     Rounding rounding; int count; };
    enum Activation { kClip, kSegments, kTable } activation = kClip;

    std::vector<Format> channels, outputs;
    Format state, index;
    int units = 0, fraction = 0, leak = 0, tap_shift = 0, bias_shift = 0;
    int finest = 0, weight_fraction = 0, n_features = 0;
    Rounding rounding{}, output_rounding{};
    bool wrap = false, reset_on_last = false;
    int64_t low = 0, high = 0;
    std::vector<Tap> taps;
    std::vector<Input> inputs;
    std::vector<int64_t> bias, initial, entries;
    std::vector<Segment> segments;
    std::vector<Feature> features;
    std::vector<std::vector<int64_t>> weights;

    explicit Law(const Json& file) {
        for (const Json& channel : file.at("inputs").list)
            channels.push_back(Format::of(channel.at("format")));
        read_layer(file.at("layers").list.at(0), file);
        for (const Json& block : file.at("features").list) read_feature(block);
        read_readout(file.at("readouts").list.at(0));
        reset_on_last = file.at("reset").at("on_last").integer != 0;
    }

    long double bound() const { return std::max(ring_bound(), readout_bound()) * 1.01L; }

  private:
    void read_layer(const Json& layer, const Json& file) {
        units = static_cast<int>(layer.at("units").integer);
        state = Format::of(layer.at("state"));
        rounding = rounding_of(layer.at("rounding").text);
        leak = static_cast<int>(layer.at("leak_shift").integer);
        initial = layer.at("initial_state").integers();
        const int tap_fraction = state.frac + Format::of(layer.at("taps").at("format")).frac;
        const int bias_fraction = Format::of(layer.at("bias").at("format")).frac;
        fraction = std::max(tap_fraction, bias_fraction);
        std::vector<int> fractions;
        for (const Json& entry : layer.at("inputs").list) {
            Input input{};
            const Json& all = file.at("inputs");
            size_t channel = 0;
            while (all.list.at(channel).at("name").text != entry.at("source").text) ++channel;
            if (channel != inputs.size()) throw std::runtime_error("input k must read channel k");
            input.level = entry.at("kind").text == "level";
            if (input.level) {
                input.thresholds = entry.at("thresholds").integers();
                input.low = entry.at("low").integers();
                input.high = entry.at("high").integers();
            } else {
                input.weights = entry.at("weights").integers();
            }
            fractions.push_back(Format::of(entry.at("format")).frac +
                                (input.level ? 0 : channels[channel].frac));
            fraction = std::max(fraction, fractions.back());
            inputs.push_back(input);
        }
        for (size_t k = 0; k < inputs.size(); ++k) inputs[k].shift = fraction - fractions[k];
        tap_shift = fraction - tap_fraction;
        bias_shift = fraction - bias_fraction;
        bias = layer.at("bias").at("codes").integers();
        for (const Json& tap : layer.at("taps").at("table").list)
            taps.push_back({static_cast<int>(tap.at("offset").integer),
                            tap.at("weights").integers()});
        read_activation(layer.at("activation"));
    }
    void read_activation(const Json& json) {
        if (json.at("kind").text == "table") {
            activation = kTable;
            index = Format::of(json.at("index"));
            entries = json.at("entries").integers();
            return;
        }
        low = json.at("low").integer;
        high = json.at("high").integer;
        if (json.at("kind").text == "clip") return;
        activation = kSegments;
        for (const Json& segment : json.at("segments").list)  // the first start is null, so 0
            segments.push_back({segment.at("start").integer,
                                static_cast<int>(segment.at("shift").integer),
                                segment.at("offset").integer});
    }
    void read_feature(const Json& block) {
        Feature found{Feature::kStates, Format::of(block.at("format")), Rounding::kTruncate, units};
        const std::string& kind = block.at("kind").text;
        if (kind == "squares") {
            found.kind = Feature::kSquares;
            found.rounding = rounding_of(block.at("rounding").text);
        } else if (kind == "inputs") {
            found.kind = Feature::kInputs;
            found.count = static_cast<int>(channels.size());
        } else if (kind == "one") {
            found.kind = Feature::kOne;
            found.count = 1;
        }
        finest = std::max(finest, found.format.frac);
        n_features += found.count;
        features.push_back(found);
    }
    void read_readout(const Json& readout) {
        output_rounding = rounding_of(readout.at("rounding").text);
        wrap = readout.at("overflow").text == "wrap";
        weight_fraction = Format::of(readout.at("weights").at("format")).frac;
        for (const Json& output : readout.at("outputs").list)
            outputs.push_back(Format::of(output.at("format")));
        for (const Json& row : readout.at("weights").at("codes").list)
            weights.push_back(row.integers());
    }

    static long double largest(const std::vector<int64_t>& codes) {
        long double found = 0;
        for (int64_t code : codes) found = std::max(found, std::fabs((long double)code));
        return found;
    }
    long double ring_bound() const {
        long double total = std::ldexp(largest(bias), bias_shift);
        for (const Tap& tap : taps)
            total += std::ldexp(largest(tap.weights) * state.magnitude(), tap_shift);
        for (size_t k = 0; k < inputs.size(); ++k) {
            const Input& input = inputs[k];
            const long double part = input.level
                ? std::max(largest(input.low), largest(input.high))
                : largest(input.weights) * channels[k].magnitude();
            total += std::ldexp(part, input.shift);
        }
        if (activation == kTable && index.frac > fraction)
            total = std::ldexp(total, index.frac - fraction);
        // Halves of a step in roundings, offsets of segments, and a state in the leak.
        return total + std::ldexp(1.0L, std::max(fraction, 24)) + std::ldexp(1.0L, 27) *
               (activation == kSegments) + 2 * state.magnitude() + 1024;
    }
    long double readout_bound() const {
        long double most = 0;
        std::vector<long double> sums(outputs.size(), 0);
        size_t place = 0;
        for (const Feature& feature : features) {
            const int align = finest - feature.format.frac;
            const long double each = std::ldexp(
                feature.kind == Feature::kOne ? 1.0L : feature.format.magnitude(), align);
            if (feature.kind == Feature::kSquares) {
                const int by = 2 * state.frac - feature.format.frac;
                most = std::max(most, std::ldexp(state.magnitude() * state.magnitude(),
                                                 std::max(-by, 0)) +
                                          std::ldexp(1.0L, std::max(by, 0)));
            }
            most = std::max(most, each);
            for (int j = 0; j < feature.count; ++j, ++place)
                for (size_t k = 0; k < outputs.size(); ++k)
                    sums[k] += each * std::fabs((long double)weights[k][place]);
        }
        for (size_t k = 0; k < outputs.size(); ++k) {
            const int by = weight_fraction + finest - outputs[k].frac;
            most = std::max(most, std::ldexp(sums[k], std::max(-by, 0)) +
                                      std::ldexp(1.0L, std::max(by, 0)));
        }
        return most;
    }
};

class Interpreter {
  public:
    virtual ~Interpreter() = default;
    // From the initial state: codes (samples x channels) and flags to outputs (samples x outputs).
    virtual void run(const std::vector<int32_t>& codes, const std::vector<uint8_t>& last,
                     std::vector<int64_t>& outputs) = 0;
    int64_t least_state = 0, greatest_state = 0;  // of all samples so far
    static std::unique_ptr<Interpreter> of(const Law& law);
};

template <class Word>
class InterpreterOf : public Interpreter {
  public:
    explicit InterpreterOf(const Law& law)
        : m_law(law), m_bias(aligned(law.bias, law.bias_shift)), m_sum(law.units),
          m_ring(2 * law.units), m_features(law.n_features) {
        for (const auto& tap : law.taps) m_taps.push_back(aligned(tap.weights, law.tap_shift));
        for (const auto& input : law.inputs) {
            m_weights.push_back(aligned(input.weights, input.shift));
            m_low.push_back(aligned(input.low, input.shift));
            m_high.push_back(aligned(input.high, input.shift));
        }
        for (const auto& row : law.weights) m_rows.push_back(aligned(row, 0));
        least_state = greatest_state = law.initial[0];
    }

    void run(const std::vector<int32_t>& codes, const std::vector<uint8_t>& last,
             std::vector<int64_t>& outputs) override {
        const size_t k = m_law.channels.size(), l = m_law.outputs.size();
        outputs.resize(last.size() * l);
        begin();
        for (size_t t = 0; t < last.size(); ++t) {
            step(&codes[t * k]);
            read_out(&codes[t * k], &outputs[t * l]);
            if (last[t] && m_law.reset_on_last) begin();
        }
    }

  private:
    const Law& m_law;
    std::vector<Word> m_bias, m_sum;
    std::vector<Word> m_ring;  // the states twice, so that no offset wraps
    std::vector<Word> m_features;
    std::vector<std::vector<Word>> m_taps, m_weights, m_low, m_high, m_rows;

    static std::vector<Word> aligned(const std::vector<int64_t>& codes, int by) {
        std::vector<Word> found;
        for (int64_t code : codes) found.push_back(shifted(Word(code), by));
        return found;
    }
    void begin() {
        for (int i = 0; i < m_law.units; ++i)
            m_ring[i] = m_ring[i + m_law.units] = Word(m_law.initial[i]);
    }
    void step(const int32_t* u) {
        const int n = m_law.units;
        Word* const sum = m_sum.data();
        std::copy(m_bias.begin(), m_bias.end(), sum);
        for (size_t k = 0; k < m_taps.size(); ++k) {
            const Word* const weight = m_taps[k].data();
            const Word* const from = m_ring.data() + n - m_law.taps[k].offset;
            for (int i = 0; i < n; ++i) sum[i] += weight[i] * from[i];
        }
        for (size_t k = 0; k < m_law.inputs.size(); ++k) {
            if (m_law.inputs[k].level) {
                const int64_t* const threshold = m_law.inputs[k].thresholds.data();
                for (int i = 0; i < n; ++i)
                    sum[i] += u[k] >= threshold[i] ? m_high[k][i] : m_low[k][i];
            } else {
                const Word code(u[k]);
                const Word* const weight = m_weights[k].data();
                for (int i = 0; i < n; ++i) sum[i] += weight[i] * code;
            }
        }
        if (m_law.rounding == Rounding::kTruncate) update<Rounding::kTruncate>();
        if (m_law.rounding == Rounding::kHalfUp) update<Rounding::kHalfUp>();
        if (m_law.rounding == Rounding::kHalfEven) update<Rounding::kHalfEven>();
    }
    template <Rounding rounding>
    void update() {
        const int n = m_law.units, by = m_law.fraction - m_law.state.frac;
        Word* const sum = m_sum.data();
        if (m_law.activation == Law::kTable) {
            const int by_index = m_law.fraction - m_law.index.frac;
            for (int i = 0; i < n; ++i) {
                const int64_t m = fit(divided(sum[i], by_index, rounding), m_law.index, false);
                sum[i] = Word(m_law.entries[m - m_law.index.least]);
            }
        } else {
            for (int i = 0; i < n; ++i) sum[i] = divided(sum[i], by, rounding);
            if (m_law.activation == Law::kSegments) {
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
        if (m_law.leak)
            for (int i = 0; i < n; ++i)
                sum[i] = ring[i] + divided(Word(sum[i] - ring[i]), m_law.leak, rounding);
        Word least = sum[0], greatest = sum[0];
        for (int i = 0; i < n; ++i) {
            ring[i] = ring[i + n] = sum[i];
            least = std::min(least, sum[i]);
            greatest = std::max(greatest, sum[i]);
        }
        least_state = std::min(least_state, static_cast<int64_t>(least));
        greatest_state = std::max(greatest_state, static_cast<int64_t>(greatest));
    }
    void read_out(const int32_t* u, int64_t* outputs) {
        Word* feature = m_features.data();
        for (const auto& block : m_law.features) {
            const int align = m_law.finest - block.format.frac;
            const int by = 2 * m_law.state.frac - block.format.frac;
            for (int j = 0; j < block.count; ++j) {
                Word code(1);
                if (block.kind == Law::Feature::kStates) code = m_ring[j];
                if (block.kind == Law::Feature::kInputs) code = Word(u[j]);
                if (block.kind == Law::Feature::kSquares)
                    code = Word(fit(divided(Word(m_ring[j] * m_ring[j]), by, block.rounding),
                                    block.format, false));
                feature[j] = shifted(code, align);
            }
            feature += block.count;
        }
        const int count = m_law.n_features;
        for (size_t k = 0; k < m_rows.size(); ++k) {
            const Word* const row = m_rows[k].data();
            const Word* const all = m_features.data();
            Word total(0);
            for (int j = 0; j < count; ++j) total += row[j] * all[j];
            const int by = m_law.weight_fraction + m_law.finest - m_law.outputs[k].frac;
            outputs[k] = fit(divided(total, by, m_law.output_rounding), m_law.outputs[k], m_law.wrap);
        }
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
