// A reader of JSON that keeps what a design file is made of: objects, lists, strings, integers.
#pragma once
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace soak {

struct Json {
    enum Kind { kNull, kBool, kInteger, kReal, kString, kList, kObject } kind = kNull;
    int64_t integer = 0;  // also of a bool
    std::string text;     // of a string; of a real, as it is written
    std::vector<Json> list;
    std::vector<std::pair<std::string, Json>> members;

    const Json& at(const char* key) const {
        for (const auto& member : members)
            if (member.first == key) return member.second;
        throw std::runtime_error(std::string("the design file must have the key ") + key);
    }
    std::vector<int64_t> integers() const {
        std::vector<int64_t> found;
        for (const Json& item : list) found.push_back(item.integer);
        return found;
    }
};

class JsonReader {
  public:
    explicit JsonReader(const std::string& text) : m_text(text) {}

    Json read() {
        const Json found = value();
        skip();
        if (m_place != m_text.size()) fail();
        return found;
    }

  private:
    const std::string& m_text;
    size_t m_place = 0;

    [[noreturn]] void fail() const {
        throw std::runtime_error("the design file must be JSON, but character " +
                                 std::to_string(m_place) + " is not");
    }
    void skip() {
        while (m_place < m_text.size() && std::isspace(static_cast<unsigned char>(m_text[m_place])))
            ++m_place;
    }
    char peek() {
        skip();
        if (m_place >= m_text.size()) fail();
        return m_text[m_place];
    }
    void expect(char wanted) {
        if (peek() != wanted) fail();
        ++m_place;
    }
    bool word(const char* wanted) {
        const std::string text(wanted);
        if (m_text.compare(m_place, text.size(), text) != 0) return false;
        m_place += text.size();
        return true;
    }
    std::string string() {
        expect('"');
        std::string found;
        while (m_place < m_text.size() && m_text[m_place] != '"') {
            // Names and kinds have no escapes; texts of the provenance are not looked at.
            if (m_text[m_place] == '\\') found += m_text[m_place++];
            if (m_place < m_text.size()) found += m_text[m_place++];
        }
        expect('"');
        return found;
    }
    Json value() {
        Json found;
        const char first = peek();
        if (first == '{') {
            found.kind = Json::kObject;
            ++m_place;
            while (peek() != '}') {
                std::string key = string();
                expect(':');
                found.members.emplace_back(std::move(key), value());
                if (peek() != '}') expect(',');
            }
            ++m_place;
        } else if (first == '[') {
            found.kind = Json::kList;
            ++m_place;
            while (peek() != ']') {
                found.list.push_back(value());
                if (peek() != ']') expect(',');
            }
            ++m_place;
        } else if (first == '"') {
            found.kind = Json::kString;
            found.text = string();
        } else if (word("null")) {
            found.kind = Json::kNull;
        } else if (word("true")) {
            found.kind = Json::kBool;
            found.integer = 1;
        } else if (word("false")) {
            found.kind = Json::kBool;
        } else {
            number(found);
        }
        return found;
    }
    void number(Json& found) {
        const size_t start = m_place;
        while (m_place < m_text.size() &&
               (std::isalnum(static_cast<unsigned char>(m_text[m_place])) ||
                m_text[m_place] == '-' || m_text[m_place] == '+' || m_text[m_place] == '.'))
            ++m_place;
        found.text = m_text.substr(start, m_place - start);
        if (found.text.empty()) fail();
        const bool real = found.text.find_first_not_of("-0123456789") != std::string::npos;
        found.kind = real ? Json::kReal : Json::kInteger;
        if (!real) found.integer = std::strtoll(found.text.c_str(), nullptr, 10);
    }
};

}  // namespace soak
