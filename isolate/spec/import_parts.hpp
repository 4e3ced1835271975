#pragma once

#include "isolate/spec/import.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// What the importers of the single systems share.
namespace iso::jail::foreign {

/// What is read of a configuration, by far more than any real one has.
inline constexpr std::size_t k_max_lines = 4000;

/// One thing that a configuration says.
struct Setting {
    std::string where; ///< file and line
    std::string name;
    std::vector<std::string> values;
    std::string said; ///< as a person would repeat it

    [[nodiscard]] std::string value() const {
        return values.empty() ? std::string() : values.front();
    }
};

/// A key of the table and what it gets.
using Said = std::pair<char const*, std::string>;

/// Turns settings into the model, and remembers what became of each.
class Importer {
public:
    /// What `name` means there is in the manual `source`. A value that the key does not take makes
    /// the setting a lost one, with the reason.
    void keep(Setting const& setting, char const* source, std::vector<Said> const& said);
    void approximate(Setting const& setting, char const* source, std::vector<Said> const& said,
                     std::string why);
    void lose(Setting const& setting, char const* source, std::string why);

    JailSpec spec;
    std::vector<ImportLine> lines;

private:
    void take(ImportLine line, std::vector<Said> const& said);
};

/// A setting of which all that can be said is why it is lost.
struct Loss {
    char const* name; ///< one that ends with '*' stands for all that begin so
    char const* why;
};
Loss const* find_loss(std::span<Loss const> losses, std::string_view name);

/// A whole number, or nothing.
std::optional<std::uint64_t> plain_number(std::string_view text);
std::vector<std::string> words_of(std::string_view text, std::string_view separators = " \t,");
/// "10.0.0.1" with a prefix: as it is if it has one, else one for the single address.
std::string with_prefix(std::string const& address);
/// "em0|10.0.0.1/24" without the interface.
std::string without_interface(std::string const& address);

/// The value of the key mount, to which options can be added at a comma.
std::string mount_parts(char const* type, std::string const& source, std::string const& target);

/// A hook that runs a command line of the host's shell.
std::string shell_hook(char const* moment, std::string const& command);

Result<Importer> import_jail_conf(std::string_view text, std::string const& where,
                                  std::string const& jail);
Result<Importer> import_zone(std::string_view text, std::string const& where);
Result<Importer> import_openvz(std::string_view text, std::string const& where,
                               std::string const& id);
Result<Importer> import_vserver(std::string const& directory);
Result<Importer> import_oci(std::string_view text, std::string const& bundle,
                            std::string const& where);

} // namespace iso::jail::foreign
