#include "isolate/spec/key_options.hpp"

#include <CLI/CLI.hpp>

namespace iso::jail {

void add_key_options(CLI::App& command, std::vector<KeyValue>& said) {
    for (Key const& key : keys()) {
        std::string const name = std::string("--") + key.name;
        if (key.kind == Key::Kind::words || command.get_option_no_throw(name) != nullptr) continue;
        // On every word at once, not at the end by option: mounts are made in the order of the
        // line.
        auto const take = [&key, &said](std::vector<std::string> const& words) {
            bool const alone =
                words.empty() || (words.back().empty() && key.kind == Key::Kind::flag);
            said.push_back({&key, alone ? std::string("yes") : words.back()});
        };
        CLI::Option* const option =
            command.add_option_function<std::vector<std::string>>(name, take, key.help);
        option->group(key.group)->trigger_on_parse()->multi_option_policy(
            CLI::MultiOptionPolicy::TakeLast);
        option->allow_extra_args(false)->option_text(key.form);
        if (key.kind == Key::Kind::flag) {
            option->expected(0, 1)->option_text(std::string("[=") + key.form + "]");
        } else {
            option->expected(1);
        }
    }
}

} // namespace iso::jail
