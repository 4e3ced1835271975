#include "benchmarks/harness/environment.hpp"

#include "benchmarks/harness/environment_sources.hpp"
#include "common/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <sstream>
#include <unistd.h>

#include <sys/utsname.h>

namespace iso::bench {

namespace {

using namespace sources;

/// Collects facts; what is empty is said to be unknown rather than left out.
class Collector {
public:
    explicit Collector(Environment& environment)
        : facts_(environment.facts) {}

    void text(std::string key, std::string title, std::string value) {
        if (value.empty()) value = "unknown";
        facts_.push_back({std::move(key), std::move(title), std::move(value), {}});
    }
    void number(std::string key, std::string title, double value, std::string shown = {}) {
        if (shown.empty()) shown = fmt::format("{:g}", value);
        facts_.push_back({std::move(key), std::move(title), std::move(shown), value});
    }

private:
    std::vector<Fact>& facts_;
};

std::string utc_now() {
    std::time_t const now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

std::string distribution() {
    std::istringstream lines(line_of("/etc/os-release"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("PRETTY_NAME=\"")) return line.substr(13, line.size() - 14);
    return {};
}

void software(Collector& add) {
    utsname name{};
    ::uname(&name);
    add.text("date", "date", utc_now());
    add.text("isolab.version", "isolab", k_version);
    add.text("isolab.compiler", "compiler", fmt::format("GCC {}", __VERSION__));
    add.text("kernel", "kernel", fmt::format("{} {}", name.sysname, name.release));
    add.text("distribution", "distribution", distribution());
    add.text("user", "user", ::geteuid() == 0 ? "root" : fmt::format("uid {}", ::geteuid()));
}

void processor(Collector& add) {
    auto info = cpuinfo();
    add.text("cpu.model", "CPU", info["model name"]);
    add.text("cpu.family_model_stepping", "CPU family/model/stepping",
             fmt::format("{}/{}/{}", info["cpu family"], info["model"], info["stepping"]));
    add.text("cpu.microcode", "microcode", info["microcode"]);
    add.number("cpu.online", "CPUs online", static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)));
    add.number("cpu.allowed", "CPUs allowed", allowed_cpus());
    add.text("cpu.cores", "cores in a package", info["cpu cores"]);
    add.text("cpu.smt", "SMT", line_of("/sys/devices/system/cpu/smt/control"));
    std::string governor = line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    add.text("cpu.governor", "frequency governor",
             governor.empty() ? "not visible from here" : governor);
    add.text("cpu.turbo", "turbo", turbo());
    add.number("cpu.samples", "CPU of the samples", last_allowed_cpu());
    add.text("cpu.samples.core", "its core's CPUs", core_of(last_allowed_cpu()));
    std::string const isolated = line_of("/sys/devices/system/cpu/isolated");
    add.text("cpu.isolated", "CPUs without a scheduler", isolated.empty() ? "none" : isolated);
    std::string virtualization = "none";
    std::string const flags = " " + info["flags"] + " ";
    if (flags.find(" vmx ") != std::string::npos) virtualization = "VMX";
    if (flags.find(" svm ") != std::string::npos) virtualization = "SVM";
    add.text("cpu.virtualization", "hardware virtualization", virtualization);
    add.text("hypervisor", "hypervisor above us", hypervisor());
}

/// Whether guests of this machine's KVM are a hypervisor's second level.
std::string nesting() {
    if (kvm_backend().starts_with("none")) return "no KVM";
    std::string const above = hypervisor();
    return above == "none" ? "none: on hardware" : "nested under " + above;
}

void mitigations(Collector& add) {
    std::string const directory = "/sys/devices/system/cpu/vulnerabilities/";
    std::vector<std::string> names;
    if (DIR* const open = ::opendir(directory.c_str())) {
        while (dirent const* const entry = ::readdir(open))
            if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
        ::closedir(open);
    }
    std::sort(names.begin(), names.end());
    for (std::string const& name : names)
        add.text("mitigation." + name, "mitigation of " + name, line_of(directory + name));
}

void kernel_settings(Collector& add) {
    add.text("kvm.backend", "KVM backend", kvm_backend());
    add.text("kvm.nesting", "KVM's nesting", nesting());
    add.text("clocksource", "clock source",
             line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
    add.text("cgroup", "cgroups", cgroups());
    add.text("userns", "user namespaces", user_namespaces());
    add.text("thp", "transparent huge pages",
             chosen_word(line_of("/sys/kernel/mm/transparent_hugepage/enabled")));
    add.text("tmp", "file system of temporary files", sources::temporary_file_system());
    add.text("aslr", "address randomization", line_of("/proc/sys/kernel/randomize_va_space"));
}

void load(Collector& add) {
    double average[3] = {};
    if (::getloadavg(average, 3) == 3)
        add.number("load.1min", "load (1, 5, 15 min)", average[0],
                   fmt::format("{:.2f} {:.2f} {:.2f}", average[0], average[1], average[2]));
    for (auto const& [what, text] : pressure())
        add.text("pressure." + what, "pressure: " + what, text);
    if (auto const ticks = cpu_ticks())
        add.number("steal", "stolen since boot", ticks->stolen / ticks->total,
                   fmt::format("{:.2f} %", 100 * ticks->stolen / ticks->total));
    auto const megabytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
    add.number("memory.mib", "memory", megabytes, fmt::format("{:.0f} MiB", megabytes));
}

void warn(Environment& environment) {
    auto add = [&](std::string text) { environment.warnings.push_back(std::move(text)); };
    double const cpus = environment.number("cpu.allowed").value_or(1);
    double const load1 = environment.number("load.1min").value_or(0);
    if (cpus < 2) add("one CPU: the harness and what it measures share it");
    if (load1 > cpus / 2)
        add(fmt::format("the machine is busy: load {:.2f} on {:g} CPUs", load1, cpus));
    if (environment.number("steal").value_or(0) > 0.01)
        add("the hypervisor above takes CPU time away: " + environment.get("steal") +
            " since boot");
    std::string const governor = environment.get("cpu.governor");
    if (governor == "powersave" || governor == "ondemand" || governor == "schedutil")
        add("the CPU's frequency varies (governor " + governor +
            "); try: cpupower frequency-set -g performance");
    if (environment.get("cpu.turbo") == "on")
        add("the CPU runs faster while its other cores idle (turbo); try: echo 1 > "
            "/sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > "
            "/sys/devices/system/cpu/cpufreq/boost");
    std::string const core = environment.get("cpu.samples.core");
    if (core.find_first_of(",-") != std::string::npos)
        add("CPU " + environment.get("cpu.samples") +
            ", where samples run, is one of the threads " + core +
            " of a core (SMT): what runs on the other slows them; try: echo off > "
            "/sys/devices/system/cpu/smt/control");
    std::string const clock = environment.get("clocksource");
    if (clock == "hpet" || clock == "acpi_pm" || clock == "jiffies")
        add("reading the clock (" + clock + ") costs microseconds here; times are that coarse");
    if (environment.get("kvm.backend") == "kvm_pvm")
        add("KVM runs here on its PVM backend: guest code in ring 0 is emulated instruction by "
            "instruction; what that costs says nothing about hardware virtualization");
}

} // namespace

Environment Environment::capture() {
    Environment environment;
    Collector add(environment);
    software(add);
    processor(add);
    kernel_settings(add);
    load(add);
    mitigations(add);
    warn(environment);
    return environment;
}

std::string Environment::get(std::string_view key) const {
    auto const found =
        std::find_if(facts.begin(), facts.end(), [&](Fact const& fact) { return fact.key == key; });
    return found == facts.end() ? std::string() : found->text;
}

std::optional<double> Environment::number(std::string_view key) const {
    auto const found =
        std::find_if(facts.begin(), facts.end(), [&](Fact const& fact) { return fact.key == key; });
    return found == facts.end() ? std::nullopt : found->number;
}

} // namespace iso::bench
