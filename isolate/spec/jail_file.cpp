#include "isolate/spec/jail_file.hpp"

#include "common/fd.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/names.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace iso::jail {

namespace {

struct Position {
    std::size_t line = 1, column = 1;
};

struct Word {
    std::string text;
    Position at;
};

/// One line's key and words; a line that continues counts as one.
struct Statement {
    Word key;
    std::vector<Word> words;
};

bool is_key_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Cuts a file into statements.
class JailFileScanner {
public:
    JailFileScanner(std::string_view text, std::string const& where)
        : text_(text)
        , where_(where) {}

    [[nodiscard]] tl::unexpected<Error>
    wrong(Position at, std::string cause, std::string hint,
          std::source_location source = std::source_location::current()) const {
        return error(fmt::format("{}:{}:{}", where_, at.line, at.column), std::move(cause),
                     std::move(hint), source);
    }

    /// The next statement; one with an empty key is the end.
    Result<Statement> next() {
        Statement statement;
        for (;;) {
            TRY(skip_blanks());
            if (done()) return statement;
            if (peek() != '\n') break;
            step();
        }
        statement.key.at = at_;
        while (!done() && is_key_letter(peek()))
            statement.key.text += step();
        if (statement.key.text.empty())
            return wrong(at_, fmt::format("a line cannot begin with {}", shown()),
                         "KEY = VALUE, or # and a comment");
        if (!done() && !is_blank(peek()) && peek() != '\n' && peek() != '=')
            return wrong(at_, fmt::format("{} in the name of a key", shown()),
                         "a key of small letters and -, then =");
        TRY(skip_blanks());
        if (!done() && peek() == '=') step();
        for (;;) {
            TRY(skip_blanks());
            if (done() || peek() == '\n') return statement;
            statement.words.push_back(TRY(word()));
        }
    }

private:
    [[nodiscard]] bool done() const { return next_ >= text_.size(); }
    [[nodiscard]] char peek() const { return text_[next_]; }
    static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

    char step() {
        char const c = text_[next_++];
        if (c == '\n') {
            ++at_.line;
            at_.column = 1;
        } else {
            ++at_.column;
        }
        return c;
    }
    [[nodiscard]] std::string shown() const {
        char const c = peek();
        if (c > 0x20 && c < 0x7f) return fmt::format("'{}'", c);
        return fmt::format("the byte 0x{:02x}", static_cast<unsigned char>(c));
    }

    /// Blanks, comments, and the ends of lines that continue.
    Result<void> skip_blanks() {
        while (!done()) {
            if (peek() == '#') {
                while (!done() && peek() != '\n')
                    step();
                return {};
            }
            std::size_t const end = next_ + (text_.substr(next_).starts_with("\\\r") ? 2 : 1);
            if (peek() == '\\' && end < text_.size() && text_[end] == '\n') {
                while (peek() != '\n')
                    step();
                step();
            } else if (is_blank(peek())) {
                step();
            } else {
                return {};
            }
        }
        return {};
    }

    /// Pieces in quotes and without, up to a blank.
    Result<Word> word() {
        Word word;
        word.at = at_;
        while (!done() && !is_blank(peek()) && peek() != '\n') {
            char const c = peek();
            if (c == '\'' || c == '"') {
                TRY(quoted(word.text));
            } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                return wrong(at_, shown() + " outside quotes", "\"\\xHH\" in double quotes");
            } else {
                word.text += step();
            }
        }
        return word;
    }

    Result<void> quoted(std::string& out) {
        Position const start = at_;
        char const quote = step();
        while (!done() && peek() != '\n') {
            if (peek() == quote) {
                step();
                return {};
            }
            if (peek() == '\0') return wrong(at_, "a NUL byte", "text without it");
            if (quote == '"' && peek() == '\\')
                TRY(escape(out));
            else
                out += step();
        }
        return wrong(start, fmt::format("no closing {} on this line", quote),
                     fmt::format("{0}...{0}; a line break is \"\\n\" in double quotes", quote));
    }

    Result<void> escape(std::string& out) {
        Position const start = at_;
        step();
        char const kind = done() ? '\0' : step();
        switch (kind) {
        case '"':
        case '\\':
            out += kind;
            return {};
        case 'n':
            out += '\n';
            return {};
        case 't':
            out += '\t';
            return {};
        case 'x': {
            int const high = done() ? -1 : hex_digit(peek());
            if (high >= 0) step();
            int const low = done() ? -1 : hex_digit(peek());
            if (high < 0 || low < 0)
                return wrong(start, "\\x without two hex digits", "\\x1b, for example");
            step();
            if (high == 0 && low == 0) return wrong(start, "a NUL byte", "text without it");
            out += static_cast<char>(high * 16 + low);
            return {};
        }
        default:
            return wrong(start, "an unknown escape",
                         "\\\" \\\\ \\n \\t or \\xHH; 'single quotes' have none");
        }
    }

    std::string_view text_;
    std::string const& where_;
    std::size_t next_ = 0;
    Position at_;
};

/// Takes the statements into a spec.
class JailFileReader {
public:
    JailFileReader(std::string_view text, std::string const& base, std::string const& where)
        : scanner_(text, where)
        , base_(base) {}

    Result<JailSpec> read() {
        for (;;) {
            Statement const statement = TRY(scanner_.next());
            if (statement.key.text.empty()) return std::move(spec_);
            TRY(take(statement));
        }
    }

private:
    struct Seen {
        Key const* key;
        std::size_t line;
    };

    Result<void> take(Statement const& statement) {
        Word const& name = statement.key;
        Key const* const key = find_key(name.text);
        if (key == nullptr) {
            std::string const similar = similar_keys(name.text);
            return scanner_.wrong(name.at, fmt::format("unknown key '{}'", name.text.substr(0, 60)),
                                  similar.empty() ? "isolate check --keys, which lists them"
                                                  : similar);
        }
        TRY(check_once(*key, name.at));
        std::string const form = fmt::format("{} = {}", key->name, key->form);
        if (key->kind == Key::Kind::flag && statement.words.empty())
            return give(*key, {"yes", name.at});
        if (statement.words.empty())
            return scanner_.wrong(name.at, fmt::format("'{}' without a value", key->name), form);
        if (key->kind != Key::Kind::words && statement.words.size() > 1)
            return scanner_.wrong(statement.words[1].at,
                                  fmt::format("'{}' takes one value", key->name),
                                  "quotes around a value with blanks: " + form);
        for (Word const& word : statement.words)
            TRY(give(*key, word));
        return {};
    }

    Result<void> check_once(Key const& key, Position at) {
        if (std::string_view(key.name) == "like" && !seen_.empty())
            return scanner_.wrong(at, "'like' would undo what stands before it",
                                  "like as the first key of the file");
        for (Seen const& seen : seen_) {
            bool const same = seen.key == &key && key.kind != Key::Kind::list;
            bool const rival = seen.key != &key && key.sets != nullptr &&
                               seen.key->sets != nullptr &&
                               std::string_view(key.sets) == seen.key->sets;
            if (same || rival)
                return scanner_.wrong(at,
                                      fmt::format("'{}' after '{}' on line {}: which one counts?",
                                                  key.name, seen.key->name, seen.line),
                                      "one of the two");
        }
        if (seen_.empty() || seen_.back().key != &key) seen_.push_back({&key, at.line});
        return {};
    }

    Result<void> give(Key const& key, Word const& word) {
        auto done = key.read(spec_, word.text, base_);
        if (done) return {};
        return scanner_.wrong(word.at, fmt::format("{}: {}", key.name, done.error().cause),
                              done.error().hint);
    }

    JailFileScanner scanner_;
    std::string const& base_;
    JailSpec spec_;
    std::vector<Seen> seen_;
};

bool is_bare(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./:=,@%+-").find(c) != std::string_view::npos;
    }) && word.front() != '=';
}

} // namespace

Result<JailSpec> read_jail_file(std::string_view text, std::string const& base,
                                std::string const& where) {
    if (text.size() > k_max_jail_file_bytes)
        return error(
            where, fmt::format("{} bytes; at most {} are read", text.size(), k_max_jail_file_bytes),
            "a smaller file");
    return JailFileReader(text, base, where).read();
}

Result<JailSpec> load_jail_file(std::string const& path) {
    std::string const text = TRY(read_file(path, k_max_jail_file_bytes));
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr) return sys_error("realpath(" + path + ")");
    std::string const whole = resolved;
    auto const slash = whole.rfind('/');
    return read_jail_file(text, slash == 0 ? "/" : whole.substr(0, slash), path);
}

std::string jail_file_word(std::string_view word) {
    if (is_bare(word)) return std::string(word);
    auto const is_plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; };
    if (word.find('\'') == word.npos && is_utf8(word) &&
        std::all_of(word.begin(), word.end(), is_plain))
        return "'" + std::string(word) + "'";
    bool const text = is_utf8(word);
    std::string out = "\"";
    for (char const c : word) {
        if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (c == '\n')
            out += "\\n";
        else if (is_plain(c) && (text || static_cast<unsigned char>(c) < 0x80))
            out += c;
        else
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return out + "\"";
}

std::string write_jail_file(JailSpec const& spec) {
    std::string out =
        "# A jail of isolate. What is not said here is as usual (docs/jail-file.md).\n";
    std::string_view group;
    Key const* words = nullptr;
    for (auto const& [key, value] : said_of(spec)) {
        if (key->kind == Key::Kind::words && key == words) {
            out.insert(out.size() - 1, " " + jail_file_word(value));
            continue;
        }
        if (group != key->group) out += fmt::format("\n# {}\n", key->group);
        group = key->group;
        words = key->kind == Key::Kind::words ? key : nullptr;
        out += fmt::format("{} = {}\n", key->name, jail_file_word(value));
    }
    return out;
}

} // namespace iso::jail
