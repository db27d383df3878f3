// A design file as numbers: docs/design-format.md, sections 1 to 7, and a bound of every sum.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "json.h"

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

struct Layer {  // section 4; of layers in series one
    struct Tap { int offset; std::vector<int64_t> weights; };
    struct Row { std::vector<int> columns; std::vector<int64_t> weights; };
    struct Input { bool level; int shift; size_t channel;
                   std::vector<int64_t> weights, thresholds, low, high; };
    struct Fed { size_t source; int shift; std::vector<Row> rows; };  // by an earlier layer
    struct Return { int shift; long double magnitude; std::vector<int64_t> weights; };
    struct Segment { int64_t start; int shift; int64_t offset; };
    enum Activation { kClip, kSegments, kTable } activation = kClip;

    std::string name;
    Format state, index;
    bool external = false;
    int units = 0, fraction = 0, tap_shift = 0, gain_shift = 0, bias_shift = 0;
    int step_fraction = 0;
    bool moves = false;  // the update takes up the old state
    Rounding rounding{};
    int64_t low = 0, high = 0;
    std::vector<Tap> taps;
    std::vector<Row> rows;  // of a matrix, in place of taps
    std::vector<Input> inputs;
    std::vector<Fed> fed;
    std::vector<Return> returns;  // of outputs that are fed back, end of section 6
    std::vector<int64_t> bias, initial, entries;
    std::vector<int64_t> leaks, gains, steps;  // per unit; of the last two, those there are
    std::vector<Segment> segments;

    // `back` are the entries of feedback, `fed_formats` those of their outputs.
    Layer(const Json& layer, const Json& file, const std::vector<Format>& channels,
          const std::vector<Layer>& earlier, const std::vector<Format>& fed_formats) {
        name = layer.at("name").text;
        units = static_cast<int>(layer.at("units").integer);
        state = Format::of(layer.at("state"));
        external = layer.at("family").text == "external";
        if (external) {
            initial.assign(units, 0);
            return;
        }
        rounding = rounding_of(layer.at("rounding").text);
        const Json& leak = layer.at("leak_shift");
        leaks = leak.kind == Json::kList ? leak.integers()
                                         : std::vector<int64_t>(units, leak.integer);
        if (layer.at("step").kind != Json::kNull) {
            steps = layer.at("step").at("codes").integers();
            step_fraction = Format::of(layer.at("step").at("format")).frac;
        }
        moves = !steps.empty();
        for (int64_t shift : leaks) moves = moves || shift != 0;
        initial = layer.at("initial_state").integers();
        const bool ring = layer.at("matrix").kind == Json::kNull;
        const Json& joined = layer.at(ring ? "taps" : "matrix");
        const int tap_fraction = state.frac + Format::of(joined.at("format")).frac;
        const int bias_fraction = Format::of(layer.at("bias").at("format")).frac;
        int inner = tap_fraction;  // fraction bits of what a gain multiplies
        std::vector<int> fractions, fed_fractions;
        for (const Json& entry : layer.at("inputs").list) {
            const std::string& kind = entry.at("kind").text;
            if (kind == "matrix" || kind == "taps") {
                fed_fractions.push_back(read_fed(entry, earlier));
                inner = std::max(inner, fed_fractions.back());
                continue;
            }
            Input input{};
            const Json& all = file.at("inputs");
            size_t channel = 0;
            while (all.list.at(channel).at("name").text != entry.at("source").text) ++channel;
            input.channel = channel;
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
            inner = std::max(inner, fractions.back());
            inputs.push_back(input);
        }
        std::vector<int> back_fractions;
        const std::vector<Json>& back = file.at("feedback").list;
        for (size_t k = 0; k < back.size(); ++k) {
            back_fractions.push_back(Format::of(back[k].at("format")).frac + fed_formats[k].frac);
            inner = std::max(inner, back_fractions.back());
            returns.push_back({0, fed_formats[k].magnitude(), back[k].at("weights").integers()});
        }
        fraction = std::max(inner, bias_fraction);
        if (layer.at("gain").kind != Json::kNull) {
            gains = layer.at("gain").at("codes").integers();
            const int gain_fraction = Format::of(layer.at("gain").at("format")).frac;
            fraction = std::max(inner + gain_fraction, bias_fraction);
            gain_shift = fraction - inner - gain_fraction;
        } else {
            inner = fraction;
        }
        for (size_t k = 0; k < inputs.size(); ++k) inputs[k].shift = inner - fractions[k];
        for (size_t k = 0; k < fed.size(); ++k) fed[k].shift = inner - fed_fractions[k];
        for (size_t k = 0; k < returns.size(); ++k) returns[k].shift = inner - back_fractions[k];
        tap_shift = inner - tap_fraction;
        bias_shift = fraction - bias_fraction;
        bias = layer.at("bias").at("codes").integers();
        if (ring)
            for (const Json& tap : joined.at("table").list)
                taps.push_back({static_cast<int>(tap.at("offset").integer),
                                tap.at("weights").integers()});
        else
            rows = read_matrix(joined);
        read_activation(layer.at("activation"));
    }

    // Of every sum of the layer; magnitudes of the channels are those of their formats.
    long double bound(const std::vector<Format>& channels, const std::vector<Layer>& all) const {
        if (external) return state.magnitude();
        long double total = 0;
        for (const Tap& tap : taps)
            total += std::ldexp(largest(tap.weights) * state.magnitude(), tap_shift);
        total += std::ldexp(widest(rows) * state.magnitude(), tap_shift);
        for (const Fed& by : fed)
            total += std::ldexp(widest(by.rows) * all[by.source].state.magnitude(), by.shift);
        for (const Return& by : returns)
            total += std::ldexp(largest(by.weights) * by.magnitude, by.shift);
        for (const Input& input : inputs) {
            const long double part = input.level
                ? std::max(largest(input.low), largest(input.high))
                : largest(input.weights) * channels[input.channel].magnitude();
            total += std::ldexp(part, input.shift);
        }
        if (!gains.empty()) total += std::ldexp(total * largest(gains), gain_shift);
        total += std::ldexp(largest(bias), bias_shift);
        if (!steps.empty())
            total += largest(steps) * state.magnitude() + std::ldexp(1.0L, step_fraction);
        if (activation == kTable && index.frac > fraction)
            total = std::ldexp(total, index.frac - fraction);
        // Halves of a step in roundings, offsets of segments, and a state in the leak.
        return total + std::ldexp(1.0L, std::max(fraction, 24)) + std::ldexp(1.0L, 27) *
               (activation == kSegments) + 2 * state.magnitude() + 1024;
    }

  private:
    int read_fed(const Json& entry, const std::vector<Layer>& earlier) {  // its fraction bits
        size_t source = 0;
        while (earlier.at(source).name != entry.at("source").text) ++source;
        const bool matrix = entry.at("kind").text == "matrix";
        const Json& joined = entry.at(matrix ? "matrix" : "taps");
        std::vector<Row> found(units);
        if (matrix) {
            found = read_matrix(joined);
        } else {
            const int others = earlier[source].units;
            for (const Json& tap : joined.at("table").list) {
                const std::vector<int64_t> codes = tap.at("weights").integers();
                const int offset = static_cast<int>(tap.at("offset").integer);
                for (int i = 0; i < units; ++i) {
                    found[i].columns.push_back(((i - offset) % others + others) % others);
                    found[i].weights.push_back(codes[i]);
                }
            }
        }
        fed.push_back({source, 0, found});
        return earlier[source].state.frac + Format::of(joined.at("format")).frac;
    }
    std::vector<Row> read_matrix(const Json& matrix) const {  // section 4: W[i][j]
        std::vector<Row> rows;
        const bool sparse = matrix.at("kind").text == "sparse";
        const bool triangle = matrix.at("kind").text == "antisymmetric";
        rows.resize(units);
        for (int i = 0; i < units; ++i) {
            const std::vector<int64_t> codes = matrix.at("codes").list.at(i).integers();
            for (size_t k = 0; k < codes.size(); ++k) {
                const int j = static_cast<int>(
                    sparse ? matrix.at("columns").list.at(i).list.at(k).integer : k);
                rows[i].columns.push_back(j), rows[i].weights.push_back(codes[k]);
                if (triangle) rows[j].columns.push_back(i), rows[j].weights.push_back(-codes[k]);
            }
            if (triangle) {
                rows[i].columns.push_back(i);
                rows[i].weights.push_back(matrix.at("diagonal").list.at(i).integer);
            }
        }
        return rows;
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

  public:
    static long double largest(const std::vector<int64_t>& codes) {
        long double found = 0;
        for (int64_t code : codes) found = std::max(found, std::fabs((long double)code));
        return found;
    }
    static long double widest(const std::vector<Row>& rows) {
        long double found = 0;
        for (const Row& row : rows) {
            long double sum = 0;
            for (int64_t weight : row.weights) sum += std::fabs((long double)weight);
            found = std::max(found, sum);
        }
        return found;
    }
};

struct Law {  // a design file, as numbers
    struct Feature { enum Kind { kStates, kSquares, kInputs, kOne } kind; Format format;
                     Rounding rounding; int count; size_t layer; };

    struct Feedback { size_t output; int64_t initial; int teacher; };  // teacher: its lane, or -1
    enum Accumulate { kEach, kLast, kSum, kSegments } accumulate = kEach;

    std::vector<Format> channels, outputs;  // channels: every code of a beat
    std::vector<Format> answers;            // what an output beat holds
    int own_channels = 0;  // those before the states of an external layer, end of section 4
    int finest = 0, weight_fraction = 0, n_features = 0;
    Rounding output_rounding{};
    bool wrap = false, reset_on_last = false, argmax = false;
    int64_t segment_length = 0, segment_count = 1;
    std::vector<Feedback> feedback;
    std::vector<Layer> layers;
    std::vector<Feature> features;
    std::vector<std::vector<int64_t>> weights;  // with segments one segment after the other

    explicit Law(const Json& file) {
        for (const Json& channel : file.at("inputs").list)
            channels.push_back(Format::of(channel.at("format")));
        own_channels = static_cast<int>(channels.size());
        read_readout(file.at("readouts").list.at(0));
        const std::vector<Format> fed = read_feedback(file);
        for (const Json& layer : file.at("layers").list) {
            layers.push_back(Layer(layer, file, channels, layers, fed));
            if (layers.back().external)
                channels.insert(channels.end(), layers.back().units, layers.back().state);
        }
        for (const Json& block : file.at("features").list) read_feature(block);
        add_teachers();
        reset_on_last = file.at("reset").at("on_last").integer != 0;
    }

    bool pooled() const { return accumulate != kEach; }  // one answer per sequence
    long double bound() const {
        long double found = readout_bound();
        for (const Layer& layer : layers) found = std::max(found, layer.bound(channels, layers));
        return found * 1.01L;
    }

  private:
    void read_feature(const Json& block) {
        const std::string& kind = block.at("kind").text;
        size_t layer = 0;
        if (kind == "states" || kind == "squares")
            while (layers.at(layer).name != block.at("layer").text) ++layer;
        Feature found{Feature::kStates, Format::of(block.at("format")), Rounding::kTruncate,
                      layers[layer].units, layer};
        if (kind == "squares") {
            found.kind = Feature::kSquares;
            found.rounding = rounding_of(block.at("rounding").text);
        } else if (kind == "inputs") {
            found.kind = Feature::kInputs;
            found.count = own_channels;
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
        const std::string& kind = readout.at("accumulate").text;
        const char* const kinds[] = {"each", "last", "sum", "segments"};
        int number = 0;
        while (number < 4 && kind != kinds[number]) ++number;
        if (number == 4)
            throw std::runtime_error("accumulate must be each, last, sum or segments, not " + kind);
        accumulate = static_cast<Accumulate>(number);
        if (accumulate >= kSum) {
            segment_length = readout.at("segments").at("length").integer;
            segment_count = readout.at("segments").at("count").integer;
        }
        argmax = readout.at("output").text == "argmax";
        answers = outputs;
        if (argmax) {
            int width = 1;
            while ((outputs.size() - 1) >> width) ++width;
            answers.assign(1, unsigned_of(width));
        }
    }
    static Format unsigned_of(int width) {
        Format found;
        found.is_signed = false, found.width = width;
        found.greatest = (int64_t{1} << width) - 1;
        return found;
    }
    std::vector<Format> read_feedback(const Json& file) {  // formats of what is fed back
        std::vector<Format> found;
        const Json& named = file.at("readouts").list.at(0).at("outputs");
        for (const Json& entry : file.at("feedback").list) {
            size_t output = 0;
            while (named.list.at(output).at("name").text != entry.at("output").text) ++output;
            const bool taught = entry.at("teacher").text == "stream";
            feedback.push_back({output, entry.at("initial").integer, taught ? 0 : -1});
            found.push_back(outputs[output]);
        }
        return found;
    }
    void add_teachers() {  // their codes, then a lane of their bits; a beat is never empty
        int taught = 0;
        for (Feedback& entry : feedback) {
            if (entry.teacher < 0) continue;
            ++taught;
            entry.teacher = static_cast<int>(channels.size());
            channels.push_back(outputs[entry.output]);
        }
        if (taught) channels.push_back(unsigned_of(taught));
        if (channels.empty()) channels.push_back(unsigned_of(8));
    }

    long double readout_bound() const {
        long double most = 0;
        std::vector<long double> sums(outputs.size(), 0);
        const long double samples = accumulate >= kSum ? segment_length : 1;
        size_t place = 0;
        for (const Feature& feature : features) {
            const int align = finest - feature.format.frac;
            const long double each = std::ldexp(
                feature.kind == Feature::kOne ? 1.0L : feature.format.magnitude(), align);
            if (feature.kind == Feature::kSquares) {
                const Format& state = layers[feature.layer].state;
                const int by = 2 * state.frac - feature.format.frac;
                most = std::max(most, std::ldexp(state.magnitude() * state.magnitude(),
                                                 std::max(-by, 0)) +
                                          std::ldexp(1.0L, std::max(by, 0)));
            }
            most = std::max(most, each);
            for (int j = 0; j < feature.count; ++j, ++place)
                for (size_t k = 0; k < outputs.size(); ++k)
                    for (int64_t g = 0; g < segment_count; ++g)
                        sums[k] += samples * each *
                                   std::fabs((long double)weights[k][g * n_features + place]);
        }
        for (size_t k = 0; k < outputs.size(); ++k) {
            const int by = weight_fraction + finest - outputs[k].frac;
            most = std::max(most, std::ldexp(sums[k], std::max(-by, 0)) +
                                      std::ldexp(1.0L, std::max(by, 0)));
        }
        return most;
    }
};

}  // namespace soak
