# The language of the shell: loops, functions, here-documents, substitution, arithmetic, subshells.
count() {
    local n=0
    while [ "$n" -lt "$1" ]; do
        n=$((n + 1))
        [ "$n" -eq 3 ] && continue
        printf '%d ' "$n"
    done
    echo
    return "$n"
}
count 5
echo "returned $?"
for word in one 'two words' "three  spaces"; do echo "[$word]"; done
cat <<END
a here-document with $((6 * 7)) and $(echo substituted)
END
cat <<'END'
without $substitution `at all`
END
nested=$(echo "outer $(echo "middle $(echo inner)")")
echo "$nested"
(cd / && exit 7)
echo "subshell $? in $(basename "$PWD" | cut -c1-7)"
value=outside
(value=inside; echo "$value")
echo "$value"
{ echo grouped; echo lines; } | while read -r line; do echo "<$line>"; done
case abc.txt in *.c) echo C ;; a*.txt) echo text ;; esac
set -- x y z
echo "$# $1 $*" "${3:-none}" "${4:-none}" "${nested#outer }" "${nested%%m*}"
i=0; until [ $i -ge 3 ]; do i=$((i + 1)); done; echo "until $i"
false || echo or
true && echo and
! true; echo "not $?"
echo $((0x10 + 010 - 1)) $((7 / 2)) $((7 % 3)) $((1 << 20)) $((5 > 3 ? 10 : 20))
IFS=:; for part in a:b:c; do echo "$part"; done; unset IFS
for part in $(echo p q r); do printf '%s.' "$part"; done; echo
exec 3>"$D/three"; echo to-three >&3; exec 3>&-; cat "$D/three"
read -r first rest <"$D/three"; echo "$first|$rest"
eval 'echo "eval $((1 + 1))"'
nothing-of-this-name 2>/dev/null; echo "not found $?"
"$D/three" 2>/dev/null; echo "not executable $?"
sh -c 'kill -TERM $$'; echo "terminated $?"
sh -c 'kill -9 $$'; echo "killed $?"
sh -c 'exit 300'; echo "exit $?"
