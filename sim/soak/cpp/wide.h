// A signed integer of 256 bits, for designs whose sums exceed 62: as slow as it is plain.
#pragma once
#include <cstdint>

namespace soak {

struct Wide {
    uint64_t limb[4] = {0, 0, 0, 0};  // two's complement, the least significant first

    Wide() = default;
    Wide(int64_t value) {
        limb[0] = static_cast<uint64_t>(value);
        limb[1] = limb[2] = limb[3] = value < 0 ? ~uint64_t{0} : 0;
    }
    bool negative() const { return limb[3] >> 63; }
    explicit operator int64_t() const { return static_cast<int64_t>(limb[0]); }

    friend Wide operator+(const Wide& a, const Wide& b) {
        Wide sum;
        unsigned __int128 carry = 0;
        for (int i = 0; i < 4; ++i) {
            carry += static_cast<unsigned __int128>(a.limb[i]) + b.limb[i];
            sum.limb[i] = static_cast<uint64_t>(carry);
            carry >>= 64;
        }
        return sum;
    }
    friend Wide operator-(const Wide& a, const Wide& b) {
        Wide inverse;
        for (int i = 0; i < 4; ++i) inverse.limb[i] = ~b.limb[i];
        return a + inverse + Wide(1);
    }
    friend Wide operator*(const Wide& a, const Wide& b) {
        Wide product;
        for (int i = 0; i < 4; ++i) {
            unsigned __int128 carry = 0;
            for (int j = 0; i + j < 4; ++j) {
                carry += static_cast<unsigned __int128>(a.limb[i]) * b.limb[j];
                carry += product.limb[i + j];
                product.limb[i + j] = static_cast<uint64_t>(carry);
                carry >>= 64;
            }
        }
        return product;
    }
    friend Wide operator<<(const Wide& a, int by) {
        Wide found;
        for (int i = 3; i >= by / 64; --i) {
            const int from = i - by / 64, rest = by % 64;
            found.limb[i] = a.limb[from] << rest;
            if (rest && from > 0) found.limb[i] |= a.limb[from - 1] >> (64 - rest);
        }
        return found;
    }
    friend Wide operator>>(const Wide& a, int by) {  // arithmetic: toward minus infinity
        const uint64_t sign = a.negative() ? ~uint64_t{0} : 0;
        const auto limb_at = [&](int i) { return i < 4 ? a.limb[i] : sign; };
        Wide found;
        for (int i = 0; i < 4; ++i) {
            const int from = i + by / 64, rest = by % 64;
            found.limb[i] = limb_at(from) >> rest;
            if (rest) found.limb[i] |= limb_at(from + 1) << (64 - rest);
        }
        return found;
    }
    friend bool operator<(const Wide& a, const Wide& b) {
        if (a.negative() != b.negative()) return a.negative();
        for (int i = 3; i >= 0; --i)
            if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i];
        return false;
    }
    friend bool operator>(const Wide& a, const Wide& b) { return b < a; }
    friend bool operator>=(const Wide& a, const Wide& b) { return !(a < b); }
    Wide& operator+=(const Wide& b) { return *this = *this + b; }
};

}  // namespace soak
