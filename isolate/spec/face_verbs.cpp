#include "isolate/spec/face_verbs.hpp"

#include "common/exit.hpp"
#include "common/fd.hpp"
#include "isolate/spec/import.hpp"
#include "isolate/spec/jail_file.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/like.hpp"
#include "isolate/spec/oci_config.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace iso::jail {

namespace {

void list_keys() {
    std::string_view group;
    for (Key const& key : keys()) {
        if (group != key.group) fmt::print("{}{}\n", group.empty() ? "" : "\n", key.group);
        group = key.group;
        fmt::print("  {} = {}\n      {}{}\n", key.name, key.form, key.help,
                   key.kind == Key::Kind::list ? "; may be said again" : "");
    }
}

int check(FaceVerbs const& verbs) {
    if (verbs.list_keys) {
        list_keys();
        return exit_code::done;
    }
    bool right = true;
    for (std::string const& file : verbs.files) {
        auto const spec = load_jail_file(file);
        if (spec) {
            fmt::print("{}: no mistake in it\n", file);
        } else {
            print_error("isolate", spec.error());
            right = false;
        }
    }
    return right ? exit_code::done : exit_code::no;
}

Result<void> import_to(FaceVerbs const& verbs) {
    std::optional<ForeignSystem> const from = foreign_system(verbs.from);
    if (!verbs.from.empty() && !from)
        return refused("--from " + verbs.from, "no system that isolate reads", foreign_names());
    Imported const imported = TRY(import_jail(verbs.path, from, verbs.jail));
    std::string const report = import_report(imported);
    std::string const text = write_jail_file(imported.spec);
    if (verbs.output.empty()) {
        TRY(write_all(STDERR_FILENO, report));
        return write_all(STDOUT_FILENO, text);
    }
    // A file that is there already is somebody's work.
    auto out = Fd::open(verbs.output, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (!out) return tl::unexpected<Error>(std::move(out.error()).with_hint("another name for -o"));
    TRY(write_all(out->get(), text));
    return write_all(STDERR_FILENO, report);
}

int import_verb(FaceVerbs const& verbs) {
    auto const done = import_to(verbs);
    if (done) return exit_code::done;
    print_error("isolate", done.error());
    return done.error().exit_status == exit_code::usage ? exit_code::usage : exit_code::no;
}

int like_verb(FaceVerbs const& verbs) {
    if (verbs.system.empty()) {
        for (LikeSystem const& system : like_systems())
            fmt::print("{:<14} {}\n", system.name, system.title);
        return exit_code::done;
    }
    LikeSystem const* const system = find_like(verbs.system);
    if (system == nullptr) {
        print_error("isolate", refused("like " + verbs.system, "no system that isolate can be like",
                                       like_names())
                                   .value());
        return exit_code::usage;
    }
    std::fputs(like_table(*system).c_str(), stdout);
    return exit_code::done;
}

/// A config.json to begin with, in a bundle that has none.
int spec_verb(FaceVerbs const& verbs) {
    auto write = [&]() -> Result<void> {
        std::string const text =
            TRY(write_oci_config(usual_oci_jail(verbs.rootless, ::geteuid(), ::getegid())));
        auto out = Fd::open(verbs.bundle + "/config.json", O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (!out)
            return tl::unexpected<Error>(std::move(out.error()).with_hint("another --bundle DIR"));
        return write_all(out->get(), text);
    };
    auto const done = write();
    if (done) return exit_code::done;
    print_error("isolate", done.error());
    return exit_code::no;
}

} // namespace

void add_face_verbs(CLI::App& app, FaceVerbs& verbs) {
    CLI::App& check =
        *app.add_subcommand("check", "Say whether jail files are right, and if not, where");
    auto* const files = check.add_option("FILE", verbs.files, "Jail files (docs/jail-file.md)");
    auto* const list =
        check.add_flag("--keys", verbs.list_keys, "List every key that a jail file may have");
    files->excludes(list);
    check.require_option(1, 0);
    CLI::App& import = *app.add_subcommand(
        "import", "Turn another system's configuration into a jail file, and say what is lost");
    import.add_option("PATH", verbs.path, "Its file, or its directory")->required();
    import
        .add_option("--from", verbs.from,
                    "Its system, where it is not recognised: " + foreign_names())
        ->option_text("SYSTEM");
    import.add_option("--jail", verbs.jail, "Which jail of a jail.conf with several")
        ->option_text("NAME");
    import
        .add_option("-o,--output", verbs.output, "Write the jail file to OUT, which must not exist")
        ->option_text("OUT");
    CLI::App& like = *app.add_subcommand(
        "like", "Show what a system isolates and shares, beside isolate with --like");
    like.add_option("SYSTEM", verbs.system, like_names());
    CLI::App& spec = *app.add_subcommand("spec", "Write a config.json of OCI's form to begin with");
    spec.add_option("-b,--bundle", verbs.bundle, "The folder that it is written into (.)")
        ->option_text("DIR");
    spec.add_flag("--rootless", verbs.rootless, "For a caller without privileges");
}

std::optional<int> run_face_verb(CLI::App const& app, FaceVerbs const& verbs) {
    if (app.got_subcommand("check")) return check(verbs);
    if (app.got_subcommand("import")) return import_verb(verbs);
    if (app.got_subcommand("like")) return like_verb(verbs);
    if (app.got_subcommand("spec")) return spec_verb(verbs);
    return {};
}

} // namespace iso::jail
