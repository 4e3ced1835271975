# Counts test cases in the JUnit file of `ctest --output-junit` and lists what failed or was skipped.
# A Catch2 program is one <testcase> here but many test cases: its own summary line says how many.
# A skip is a line "ISO_SKIP need: reason" (tests/support/catch_main.cpp prints it), or, for a test
# that is no Catch2 program, exit status 77.
# Variables: lane (a word for the listing), require (ISO_REQUIRE: needs whose skip is a failure).
# The last line of output is "TALLY passed failed skipped".

function unescape(text) {
    gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text)
    gsub(/&apos;/, "'", text); gsub(/&#x?[0-9a-fA-F]+;/, " ", text); gsub(/&amp;/, "\\&", text)
    return text
}
function number_before(text, word,    parts) { # the whole number in front of a word, or 0
    if (!match(text, "[0-9]+ " word)) return 0
    split(substr(text, RSTART, RLENGTH), parts, " ")
    return parts[1] + 0
}
function is_required(need,    list) {
    list = require
    gsub(/[; ]/, ",", list)
    return index("," list ",", "," need ",") > 0
}
function finish(    cases, bad, skips, i, need) {
    skips = skip_lines
    for (i = 1; i <= skip_lines; ++i) print "skipped  " lane "/" name ": " skip_text[i]
    if (total > 0) { # a Catch2 program; its test cases that skipped are among its passed ones
        cases = total
        bad = failed_cases
        if (status == "fail" && bad == 0) { bad = 1; if (cases < bad + skips) cases = bad + skips }
        if (skips > cases - bad) skips = cases - bad
    } else {
        cases = 1
        bad = status == "fail" ? 1 : 0
        skips = skip_lines
        if (status == "notrun" || status == "disabled") {
            if (skips == 0) {
                skips = 1
                print "skipped  " lane "/" name ": it gave no reason"
            }
        } else {
            cases += skip_lines
        }
        if (cases < skips) cases = skips
        for (i = 1; i <= skip_lines; ++i) {
            need = skip_text[i]
            sub(/:.*/, "", need)
            if (is_required(need)) { --skips; ++bad }
        }
        if (cases < bad + skips) cases = bad + skips
    }
    if (bad > 0) print "FAILED   " lane "/" name (total > 0 ? " (" bad " of " total " test cases)" : "")
    passed += cases - bad - skips; failed += bad; skipped += skips
}
/<testcase / {
    name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name); name = unescape(name)
    status = $0; sub(/.* status="/, "", status); sub(/".*/, "", status)
    total = failed_cases = skip_lines = 0
}
{
    line = $0
    sub(/.*<system-out>/, "", line)
}
line ~ /^ISO_SKIP / { text = unescape(line); sub(/^ISO_SKIP /, "", text); sub(/<\/system-out>.*/, "", text); skip_text[++skip_lines] = text }
line ~ /^All tests passed \(/ { total += number_before(line, "test case") }
line ~ /^test cases: / {
    text = line; sub(/^test cases: */, "", text); total += text + 0
    failed_cases += number_before(line, "failed")
}
/<\/testcase>/ { finish() }
/<testcase .*\/>/ { finish() }
END { print "TALLY " passed + 0, failed + 0, skipped + 0 }
