#include "isolate/spec/import_parts.hpp"

#include "isolate/spec/jail_file.hpp"
#include "isolate/spec/key_values.hpp"
#include "isolate/spec/keys.hpp"

#include <fmt/format.h>

#include <charconv>

namespace iso::jail::foreign {

void Importer::take(ImportLine line, std::vector<Said> const& said) {
    JailSpec taken = spec; // all of it, or nothing
    for (auto const& [name, value] : said) {
        Key const* const key = find_key(name);
        auto const done = key != nullptr ? key->read(taken, value, "/")
                                         : Result<void>(error(name, "no such key"));
        if (!done) {
            lines.push_back({ImportLine::Fate::lost,
                             line.where,
                             line.said,
                             {},
                             done.error().cause + "; wanted: " + done.error().hint,
                             line.source});
            return;
        }
        // One key's words stand on one line, as in the file.
        if (line.became.empty())
            line.became = fmt::format("{} = {}", name, jail_file_word(value));
        else if (key->kind == Key::Kind::words && line.became.starts_with(key->name))
            line.became += " " + jail_file_word(value);
    }
    spec = std::move(taken);
    lines.push_back(std::move(line));
}

void Importer::keep(Setting const& setting, char const* source, std::vector<Said> const& said) {
    take({ImportLine::Fate::kept, setting.where, setting.said, {}, {}, source}, said);
}
void Importer::approximate(Setting const& setting, char const* source,
                           std::vector<Said> const& said, std::string why) {
    take({ImportLine::Fate::approximated, setting.where, setting.said, {}, std::move(why), source},
         said);
}
void Importer::lose(Setting const& setting, char const* source, std::string why) {
    lines.push_back(
        {ImportLine::Fate::lost, setting.where, setting.said, {}, std::move(why), source});
}

Loss const* find_loss(std::span<Loss const> losses, std::string_view name) {
    for (Loss const& loss : losses) {
        std::string_view known = loss.name;
        if (known == name) return &loss;
        if (!known.ends_with('*')) continue;
        known.remove_suffix(1);
        if (name.starts_with(known)) return &loss;
    }
    return nullptr;
}

std::optional<std::uint64_t> plain_number(std::string_view text) {
    std::uint64_t value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

std::vector<std::string> words_of(std::string_view text, std::string_view separators) {
    std::vector<std::string> words;
    while (!text.empty()) {
        auto const end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::string with_prefix(std::string const& address) {
    if (address.find('/') != address.npos) return address;
    return address + (address.find(':') != address.npos ? "/128" : "/32");
}

std::string without_interface(std::string const& address) {
    auto const bar = address.find('|');
    return bar == address.npos ? address : address.substr(bar + 1);
}

std::string mount_parts(char const* type, std::string const& source, std::string const& target) {
    form::PartWriter writer;
    writer.add("type", type);
    if (!source.empty()) writer.add("source", source);
    return writer.add("target", target).take();
}

std::string shell_hook(char const* moment, std::string const& command) {
    return form::PartWriter()
        .add(moment)
        .add("path", "/bin/sh")
        .add("argument", "sh")
        .add("argument", "-c")
        .add("argument", command)
        .take();
}

} // namespace iso::jail::foreign
