#include "isolate/spec/import.hpp"

#include "common/fd.hpp"
#include "isolate/spec/import_parts.hpp"
#include "isolate/spec/jail_file.hpp"
#include "isolate/spec/json_text.hpp"
#include "isolate/spec/oci_config.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

struct ForeignName {
    ForeignSystem system;
    char const* name;
};
constexpr ForeignName k_foreign[] = {{ForeignSystem::freebsd_jail, "freebsd-jail"},
                                     {ForeignSystem::solaris_zone, "solaris-zone"},
                                     {ForeignSystem::openvz, "openvz"},
                                     {ForeignSystem::linux_vserver, "linux-vserver"},
                                     {ForeignSystem::oci, "oci"}};

/// The first line that says something.
std::string first_words(std::string_view text) {
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        auto const begin = line.find_first_not_of(" \t\r");
        if (begin == line.npos || line[begin] == '#' || line.substr(begin).starts_with("//"))
            continue;
        return std::string(line.substr(begin));
    }
    return {};
}

std::optional<ForeignSystem> recognise(std::string_view text) {
    std::string const line = first_words(text);
    if (line.starts_with("{")) return ForeignSystem::oci;
    for (char const* begin : {"create", "set zone", "add net", "set brand", "set autoboot"})
        if (line.starts_with(begin) && text.find('{') == text.npos)
            return ForeignSystem::solaris_zone;
    auto const equals = line.find('=');
    std::string_view const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    if (equals != line.npos && equals > 0 &&
        line.substr(0, equals).find_first_not_of(letters) == line.npos)
        return ForeignSystem::openvz;
    if (text.find('{') != text.npos && text.find('}') != text.npos)
        return ForeignSystem::freebsd_jail;
    return {};
}

std::string base_name(std::string const& path) {
    auto const slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

/// "101" of "/etc/vz/conf/101.conf", for $VEID.
std::string container_id(std::string const& path) {
    std::string name = base_name(path);
    if (name.ends_with(".conf")) name.erase(name.size() - 5);
    return name.find_first_not_of("0123456789abcdefABCDEF-{}") == name.npos ? name : std::string();
}

/// What a terminal may show of text that others wrote.
std::string harmless(std::string_view text, std::size_t most) {
    std::string out(text.substr(0, most));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    if (text.size() > most) out.replace(out.size() - 3, 3, "...");
    return out;
}

} // namespace

std::optional<ForeignSystem> foreign_system(std::string_view name) {
    if (name == "virtuozzo") return ForeignSystem::openvz;
    for (auto const& [system, known] : k_foreign)
        if (name == known) return system;
    return {};
}

char const* foreign_name(ForeignSystem system) {
    for (auto const& [known, name] : k_foreign)
        if (known == system) return name;
    return "?";
}

std::string foreign_names() {
    return "freebsd-jail, solaris-zone, openvz, virtuozzo, linux-vserver or oci";
}

Result<foreign::Importer> foreign::import_oci(std::string_view text, std::string const& bundle,
                                              std::string const& where) {
    OciConfig const config = TRY(read_oci_config(text, bundle, where));
    Importer importer;
    importer.spec = config.spec;
    auto const in = TRY(parse_json(text, where));
    auto told = [&](std::string const& name, std::string said) {
        importer.lines.push_back(
            {ImportLine::Fate::kept, where, name, std::move(said), {}, "runtime-spec, config.md"});
    };
    // The reader has honoured each field or refused it: one line for each part is the whole truth.
    for (auto const& [name, value] : in.items()) {
        if (name != "linux") {
            told(name, {});
            continue;
        }
        for (auto const& [below, each] : value.items())
            told("linux." + below, {});
    }
    for (std::string const& note : config.notes) {
        auto const colon = note.find(": ", where.size() + 1);
        importer.lines.push_back({ImportLine::Fate::lost,
                                  where,
                                  note.substr(where.size() + 2, colon - where.size() - 2),
                                  {},
                                  colon == note.npos ? note : note.substr(colon + 2),
                                  "runtime-spec, config.md"});
    }
    return importer;
}

Result<Imported> import_jail(std::string const& path, std::optional<ForeignSystem> from,
                             std::string const& jail) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return sys_error("import(" + path + ")", "a file or directory that exists");
    bool const directory = S_ISDIR(info.st_mode);
    if (directory && from && *from == ForeignSystem::oci) // a bundle
        return import_jail(path + "/config.json", from, jail);
    if (directory && from && *from != ForeignSystem::linux_vserver)
        return error("import(" + path + ")",
                     fmt::format("a directory; {} has files", foreign_name(*from)),
                     "the file itself");
    if (directory && !from && ::access((path + "/config.json").c_str(), F_OK) == 0)
        return import_jail(path + "/config.json", ForeignSystem::oci, jail);
    if (!directory && from && *from == ForeignSystem::linux_vserver)
        return error("import(" + path + ")", "a file; linux-vserver has a directory",
                     "/etc/vservers/NAME");

    std::string text;
    if (directory) {
        from = ForeignSystem::linux_vserver;
    } else {
        if (!S_ISREG(info.st_mode))
            return error("import(" + path + ")", "not a regular file", "a file");
        text = TRY(read_file(path, k_max_json_bytes));
        if (!from) from = recognise(text);
        if (!from)
            return error("import(" + path + ")", "of no system that isolate recognises",
                         "--from with " + foreign_names());
    }
    auto read = [&]() -> Result<foreign::Importer> {
        switch (*from) {
        case ForeignSystem::freebsd_jail:
            return foreign::import_jail_conf(text, path, jail);
        case ForeignSystem::solaris_zone:
            return foreign::import_zone(text, path);
        case ForeignSystem::openvz:
            return foreign::import_openvz(text, path, container_id(path));
        case ForeignSystem::linux_vserver:
            return foreign::import_vserver(path);
        case ForeignSystem::oci:
            break;
        }
        char resolved[PATH_MAX];
        if (::realpath(path.c_str(), resolved) == nullptr)
            return sys_error("realpath(" + path + ")");
        std::string const whole = resolved;
        return foreign::import_oci(
            text, whole.substr(0, std::max<std::size_t>(whole.rfind('/'), 1)), path);
    };
    foreign::Importer importer = TRY(read());
    return Imported{*from, std::move(importer.spec), std::move(importer.lines)};
}

std::string import_report(Imported const& imported) {
    struct Row {
        ImportLine::Fate fate;
        char const* title;
    };
    std::string out;
    std::size_t counts[3] = {};
    for (auto const& [fate, title] :
         {Row{ImportLine::Fate::kept, "kept"}, Row{ImportLine::Fate::approximated, "approximated"},
          Row{ImportLine::Fate::lost, "lost"}}) {
        bool first = true;
        for (ImportLine const& line : imported.lines) {
            if (line.fate != fate) continue;
            ++counts[static_cast<std::size_t>(fate)];
            if (first) out += fmt::format("{}{}:\n", out.empty() ? "" : "\n", title);
            first = false;
            auto const colon = line.where.rfind(':');
            std::string const place =
                colon == line.where.npos ? "" : line.where.substr(colon + 1) + ":";
            out += fmt::format("  {:>5} {}", harmless(place, 8), harmless(line.said, 100));
            if (!line.became.empty()) out += "\n         -> " + harmless(line.became, 100);
            if (!line.why.empty()) out += "\n         because " + harmless(line.why, 200);
            if (!line.source.empty()) out += fmt::format("  [{}]", line.source);
            out += "\n";
        }
    }
    out += fmt::format("\n{}: {} kept, {} approximated, {} lost\n", foreign_name(imported.system),
                       counts[0], counts[1], counts[2]);
    return out;
}

} // namespace iso::jail
