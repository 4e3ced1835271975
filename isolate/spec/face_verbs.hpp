#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iso::jail {

/// The verbs about descriptions of jails, which make none: check, import, like, spec.
struct FaceVerbs {
    std::vector<std::string> files; ///< to check
    bool list_keys = false;
    std::string path, from, jail, output; ///< to import
    std::string system;                   ///< to be like
    std::string bundle = ".";             ///< to write a config.json into
    bool rootless = false;
};

/// Declares them.
void add_face_verbs(CLI::App& app, FaceVerbs& verbs);

/// Does the one that was called. Nothing: none of these was. Otherwise what to end with.
std::optional<int> run_face_verb(CLI::App const& app, FaceVerbs const& verbs);

} // namespace iso::jail
