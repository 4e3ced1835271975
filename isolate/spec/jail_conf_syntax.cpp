#include "isolate/spec/jail_conf_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace iso::jail::foreign {

namespace {

constexpr std::size_t k_max_tokens = 10'000;

struct Token {
    enum class Kind : std::uint8_t { word, sign, end } kind = Kind::end;
    std::string text;
    std::size_t line = 1;
};

/// jail.conf(5): words, strings in either quotes, # // and /* */ comments, and = += , ; { }.
class JailConfScanner {
public:
    JailConfScanner(std::string_view text, std::string const& where)
        : text_(text)
        , where_(where) {}

    tl::unexpected<Error> wrong(std::size_t line, std::string cause, std::string hint) const {
        return error(fmt::format("{}:{}", where_, line), std::move(cause), std::move(hint));
    }

    Result<Token> next() {
        TRY(skip());
        Token token;
        token.line = line_;
        if (at_ >= text_.size()) return token;
        char const c = text_[at_];
        if (std::string_view("=,;{}").find(c) != std::string_view::npos) {
            ++at_;
            token.kind = Token::Kind::sign;
            token.text = c;
            return token;
        }
        if (text_.substr(at_).starts_with("+=")) {
            at_ += 2;
            token.kind = Token::Kind::sign;
            token.text = "+=";
            return token;
        }
        token.kind = Token::Kind::word;
        TRY(word(token));
        return token;
    }

private:
    Result<void> skip() {
        while (at_ < text_.size()) {
            char const c = text_[at_];
            if (c == '\n') ++line_;
            if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                ++at_;
            } else if (c == '#' || text_.substr(at_).starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (text_.substr(at_).starts_with("/*")) {
                auto const end = text_.find("*/", at_ + 2);
                if (end == text_.npos) return wrong(line_, "a comment without an end", "*/");
                for (; at_ < end + 2; ++at_)
                    if (text_[at_] == '\n') ++line_;
            } else {
                return {};
            }
        }
        return {};
    }

    Result<void> word(Token& token) {
        while (at_ < text_.size()) {
            char const c = text_[at_];
            if (c == '"' || c == '\'') {
                TRY(quoted(token.text, c));
                continue;
            }
            if (std::string_view(" \t\r\n=,;{}#").find(c) != std::string_view::npos) break;
            // "+=" ends a word, a plus alone does not.
            if (text_.substr(at_).starts_with("+=")) break;
            if (static_cast<unsigned char>(c) < 0x20)
                return wrong(line_, "a control character", "text");
            TRY(letter(token.text, c));
        }
        return {};
    }

    Result<void> quoted(std::string& out, char quote) {
        std::size_t const start = line_;
        for (++at_; at_ < text_.size() && text_[at_] != quote;) {
            if (text_[at_] == '\n') ++line_;
            if (text_[at_] == '\0' || text_[at_] == k_variable)
                return wrong(line_, "a control character", "text");
            if (quote == '\'')
                out += text_[at_++];
            else
                TRY(letter(out, text_[at_]));
        }
        if (at_ >= text_.size())
            return wrong(start, "a string without an end", std::string(1, quote));
        ++at_;
        return {};
    }

    /// One letter, escape or variable, at at_.
    Result<void> letter(std::string& out, char c) {
        ++at_;
        if (c == '\\' && at_ < text_.size()) {
            char const kind = text_[at_++];
            if (kind == '\n') ++line_;
            if (kind == '\0' || kind == k_variable)
                return wrong(line_, "a control character", "text");
            out += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind;
            return {};
        }
        if (c != '$' || at_ >= text_.size()) {
            out += c;
            return {};
        }
        bool const braces = text_[at_] == '{';
        std::size_t const begin = at_ + (braces ? 1 : 0);
        std::size_t end = begin;
        auto belongs = [&](char x) {
            return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
                   x == '_' || (braces && (x == '.' || x == '-'));
        };
        while (end < text_.size() && belongs(text_[end]))
            ++end;
        if (end == begin || (braces && (end >= text_.size() || text_[end] != '}')))
            return wrong(line_, "a $ without a variable's name", "$name or ${name}");
        out += k_variable;
        out += text_.substr(begin, end - begin);
        out += k_variable;
        at_ = end + (braces ? 1 : 0);
        return {};
    }

    std::string_view text_;
    std::string const& where_;
    std::size_t at_ = 0, line_ = 1;
};

class JailConfParser {
public:
    JailConfParser(std::string_view text, std::string const& where)
        : scanner_(text, where) {}

    Result<std::vector<JailBlock>> parse() {
        blocks_.emplace_back();
        for (;;) {
            Token const token = TRY(scanner_.next());
            if (++tokens_ > k_max_tokens) return scanner_.wrong(token.line, "too long", "one jail");
            if (token.kind == Token::Kind::end) {
                if (inside_) return scanner_.wrong(token.line, "a jail without its }", "}");
                return std::move(blocks_);
            }
            TRY(statement(token));
        }
    }

private:
    Result<void> statement(Token const& token) {
        if (token.text == "}" && token.kind == Token::Kind::sign && inside_) {
            inside_ = false;
            return {};
        }
        if (token.kind == Token::Kind::sign)
            return scanner_.wrong(token.line, "'" + token.text + "' where a name is expected",
                                  "NAME = VALUE; or JAIL { ... }");
        Token sign = TRY(scanner_.next());
        if (token.text == ".include")
            return scanner_.wrong(token.line, "includes another file, which is not read",
                                  "the included text in the place of .include");
        if (sign.text == "{" && sign.kind == Token::Kind::sign) {
            if (inside_) return scanner_.wrong(sign.line, "a jail within a jail", "} first");
            inside_ = true;
            blocks_.push_back({token.text, {}});
            return {};
        }
        Parameter parameter{token.text, {}, sign.text == "+=", token.line};
        if (sign.text == "=" || sign.text == "+=") {
            do {
                Token const value = TRY(scanner_.next());
                if (value.kind != Token::Kind::word)
                    return scanner_.wrong(value.line, "no value for " + token.text,
                                          "a value and ;");
                if (++tokens_ > k_max_tokens)
                    return scanner_.wrong(value.line, "too long", "one jail");
                parameter.values.push_back(value.text);
                sign = TRY(scanner_.next());
            } while (sign.text == "," && sign.kind == Token::Kind::sign);
        }
        if (sign.text != ";" || sign.kind != Token::Kind::sign)
            return scanner_.wrong(sign.line, "no ; after " + token.text.substr(0, 60), ";");
        (inside_ ? blocks_.back() : blocks_.front()).parameters.push_back(std::move(parameter));
        return {};
    }

    JailConfScanner scanner_;
    std::vector<JailBlock> blocks_;
    bool inside_ = false;
    std::size_t tokens_ = 0;
};

} // namespace

Result<std::vector<JailBlock>> parse_jail_conf(std::string_view text, std::string const& where) {
    return JailConfParser(text, where).parse();
}

} // namespace iso::jail::foreign
