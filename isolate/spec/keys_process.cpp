#include "isolate/spec/key_tables.hpp"

#include <fmt/format.h>

namespace iso::jail::tables {

namespace {

constexpr char const* k_program = "The program";
constexpr char const* k_hooks = "Hooks";

Result<void> read_user(JailSpec& spec, std::string_view value) {
    auto const colon = value.find(':');
    spec.process.uid = TRY(form::id(value.substr(0, colon)));
    spec.process.gid =
        colon == value.npos ? spec.process.uid : TRY(form::id(value.substr(colon + 1)));
    return {};
}

Values write_user(JailSpec const& spec) {
    ProcessSpec const& process = spec.process;
    return unless(process.uid == 0 && process.gid == 0,
                  fmt::format("{}:{}", process.uid, process.gid));
}

Result<void> read_terminal_size(JailSpec& spec, std::string_view value) {
    auto const cross = value.find('x');
    if (cross == value.npos) return form::wrong(value, "is no size", "COLUMNSxROWS like 80x24");
    spec.process.columns =
        static_cast<std::uint16_t>(TRY(form::whole(value.substr(0, cross), 0, 65535)));
    spec.process.rows =
        static_cast<std::uint16_t>(TRY(form::whole(value.substr(cross + 1), 0, 65535)));
    return {};
}

Values write_terminal_size(JailSpec const& spec) {
    ProcessSpec const& process = spec.process;
    return unless(process.columns == 0 && process.rows == 0,
                  fmt::format("{}x{}", process.columns, process.rows));
}

Result<void> read_rlimit(JailSpec& spec, std::string_view value) {
    auto const [name, text] = TRY(form::pair(value));
    auto const resource = rlimit_number(name);
    if (!resource)
        return form::wrong(name, "is no resource of getrlimit(2)",
                           "nofile, nproc, core, as, stack, memlock and so on");
    std::string_view const limits = text;
    auto const colon = limits.find(':');
    ResourceLimit limit;
    limit.resource = *resource;
    limit.soft = TRY(form::amount(limits.substr(0, colon)));
    limit.hard = colon == limits.npos ? limit.soft : TRY(form::amount(limits.substr(colon + 1)));
    if (limit.soft > limit.hard)
        return form::wrong(value, "has a soft limit above the hard one", "SOFT at most HARD");
    for (ResourceLimit& known : spec.process.rlimits)
        if (known.resource == limit.resource) {
            known = limit;
            return {};
        }
    spec.process.rlimits.push_back(limit);
    return {};
}

Values write_rlimits(JailSpec const& spec) {
    Values values;
    for (ResourceLimit const& limit : spec.process.rlimits)
        values.push_back(fmt::format("{}={}:{}", rlimit_name(limit.resource),
                                     form::amount(limit.soft), form::amount(limit.hard)));
    return values;
}

// runtime-spec, config.md, "POSIX-platform Hooks".
constexpr std::string_view k_moments[] = {"prestart",       "createRuntime", "createContainer",
                                          "startContainer", "poststart",     "poststop"};

Result<void> read_hook(JailSpec& spec, std::string_view value, std::string const& base) {
    Hook hook;
    std::string moment;
    for (form::Part const& part : TRY(form::parts(value))) {
        if (!part.value) {
            moment = part.name;
        } else if (part.name == "path") {
            hook.path = TRY(form::outside(*part.value, base));
        } else if (part.name == "argument") {
            hook.arguments.push_back(*part.value);
        } else if (part.name == "environment") {
            hook.environment.push_back(*part.value);
        } else if (part.name == "timeout") {
            hook.timeout_seconds = static_cast<int>(TRY(form::whole(*part.value, 1, 86400)));
        } else {
            return form::wrong(part.name, "is no part of a hook",
                               "MOMENT,path=,argument=,environment=,timeout=");
        }
    }
    bool known = false;
    for (std::string_view const each : k_moments)
        known = known || each == moment;
    if (!known)
        return form::wrong(moment, "is no moment in a jail's life",
                           "prestart, createRuntime, createContainer, startContainer, poststart or "
                           "poststop");
    if (hook.path.empty())
        return form::wrong(value, "says no path", moment + ",path=/host/program");
    spec.hooks[moment].push_back(std::move(hook));
    return {};
}

Values write_hooks(JailSpec const& spec) {
    Values values;
    for (auto const& [moment, hooks] : spec.hooks)
        for (Hook const& hook : hooks) {
            form::PartWriter writer;
            writer.add(moment).add("path", hook.path);
            for (std::string const& argument : hook.arguments)
                writer.add("argument", argument);
            for (std::string const& variable : hook.environment)
                writer.add("environment", variable);
            if (hook.timeout_seconds) writer.add("timeout", std::to_string(*hook.timeout_seconds));
            values.push_back(writer.take());
        }
    return values;
}

using Kind = Key::Kind;
using Text = std::string_view;
using Base = std::string const&;

constexpr Key k_process_keys[] = {
    {"command", "PROGRAM [ARG...]", k_program, "The program and its arguments", "/bin/httpd",
     Kind::words,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         if (v.find('\0') != v.npos) return form::wrong(v, "has a NUL byte", "words without it");
         s.process.arguments.emplace_back(v);
         return {};
     },
     [](JailSpec const& s) { return s.process.arguments; }},
    {"host-program", "yes|no", k_program,
     "Whether the program is a file of the host that appears inside at its own path (no: it is the "
     "root's)",
     "yes", Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.from_host = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(!s.process.from_host, "yes"); }},
    {"env", "NAME=VALUE", k_program, "A variable for the program; nothing else is inherited",
     "PATH=/bin", Kind::list,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         TRY(form::pair(v));
         s.process.environment.emplace_back(v);
         return {};
     },
     [](JailSpec const& s) { return s.process.environment; }},
    {"workdir", "PATH", k_program, "The program's working directory, inside", "/srv", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.directory = TRY(form::inside(v));
         return {};
     },
     [](JailSpec const& s) {
         return unless(s.process.directory == ProcessSpec{}.directory, s.process.directory);
     }},
    {"user", "UID[:GID]", k_program,
     "Who the program is inside, by number; without GID the group has the same number", "1000:1000",
     Kind::one, [](JailSpec& s, Text v, Base) { return read_user(s, v); }, write_user},
    {"group", "GID", k_program, "A further group of the program, by number", "33", Kind::list,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.groups.push_back(TRY(form::id(v)));
         return {};
     },
     [](JailSpec const& s) {
         Values values;
         for (auto const group : s.process.groups)
             values.push_back(std::to_string(group));
         return values;
     }},
    {"umask", "MODE", k_program, "The program's umask", "0027", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.umask = TRY(form::mode(v));
         return {};
     },
     [](JailSpec const& s) {
         return s.process.umask ? Values{fmt::format("{:04o}", *s.process.umask)} : Values{};
     }},
    {"terminal", "yes|no", k_program, "Whether the program gets a terminal of its own (no)", "yes",
     Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.terminal = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(!s.process.terminal, "yes"); }},
    {"terminal-size", "COLUMNSxROWS", k_program, "How large the terminal is at first", "80x24",
     Kind::one, [](JailSpec& s, Text v, Base) { return read_terminal_size(s, v); },
     write_terminal_size},
    {"rlimit", "NAME=SOFT[:HARD]", k_program, "A limit of getrlimit(2): a number, or unlimited",
     "nofile=1024:4096", Kind::list, [](JailSpec& s, Text v, Base) { return read_rlimit(s, v); },
     write_rlimits},
    {"oom-score-adjust", "N", k_program,
     "How readily the kernel ends the program when memory is short: -1000 never, 1000 first", "500",
     Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.oom_score_adjust = static_cast<int>(TRY(form::integer(v, -1000, 1000)));
         return {};
     },
     [](JailSpec const& s) {
         return s.process.oom_score_adjust ? Values{std::to_string(*s.process.oom_score_adjust)}
                                           : Values{};
     }},

    {"hook", "MOMENT,path=PATH,...", k_hooks,
     "A program of the host that is run at a moment of the jail's life, as OCI has them: path=, "
     "argument=, environment=, timeout=SECONDS",
     "poststop,path=/usr/local/bin/cleanup,timeout=10", Kind::list, read_hook, write_hooks},
};

} // namespace

std::span<Key const> process_keys() {
    return k_process_keys;
}

} // namespace iso::jail::tables
