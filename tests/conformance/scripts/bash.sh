# bash: what a plain shell does not have.
declare -a list=(zero one two); list+=(three); list[7]=seven
echo "${#list[@]} ${!list[@]} ${list[-1]} ${list[@]:1:2}"
declare -A map=([red]=1 [green]=2); map[blue]=3
for key in red green blue; do printf '%s=%s ' "$key" "${map[$key]}"; done; echo
text='The quick brown fox'
echo "${text,,}" "${text^^}" "${text/quick/slow}" "${text:4:5}" "${#text}" "${text// /_}"
[[ $text =~ ([a-z]+)\ (b[a-z]+) ]] && echo "${BASH_REMATCH[1]}-${BASH_REMATCH[2]}"
while read -r a b; do echo "$b:$a"; done < <(printf '1 x\n2 y\n')
paste_like() { while read -r l <&3 && read -r r <&4; do echo "$l+$r"; done 3<"$1" 4<"$2"; }
paste_like <(echo 1; echo 2) <(echo a; echo b)
exec 6> >(while read -r l; do echo "got: $l"; done); reader=$!
echo 'through a process' >&6; exec 6>&-; wait "$reader"
coproc MATH { while read -r l; do echo $((l * l)); done; }
echo 12 >&"${MATH[1]}"; read -r square <&"${MATH[0]}"; echo "coproc $square"
to=${MATH[1]}; exec {to}>&-; wait "$MATH_PID"; echo "coproc ended $?"
set -o pipefail; false | true | true; echo "pipefail $? ${PIPESTATUS[*]}"; set +o pipefail
(exit 3) | (exit 4) | (exit 5); echo "${PIPESTATUS[@]}"
trap 'echo "ERR at $?"' ERR; false; trap - ERR
f() { local -n ref=$1; ref=changed; }; target=old; f target; echo "$target"
printf -v padded '%05d|%-6s|%x' 42 left 255; echo "$padded"
echo {1..5} {a..e..2} x{1,2}y
((n = 5, n *= 3)); echo "$n $((n ** 2)) $((n > 10 && n < 20))"
mapfile -t lines <<<$'first\nsecond\nthird'; echo "${#lines[@]} ${lines[1]}"
select_like=(); for ((i = 0; i < 2000; i++)); do select_like+=("$i"); done; echo "${#select_like[@]}"
sum=0; for ((i = 1; i <= 20000; i++)); do ((sum += i)); done; echo "$sum"
set -m; (exit 6) & wait %1; echo "job $?"; set +m
/proc/self/exe -c 'while :; do read -rt 0.01 <> <(:); done' & job=$!
kill -STOP $job; kill -CONT $job; kill -TERM $job; wait $job; echo "job $?"
for n in 1 2 3 4 5; do (exit "$n") & pids[n]=$!; done
for n in 5 4 3 2 1; do wait "${pids[n]}"; printf '%s ' $?; done; echo
wait -n 2>/dev/null; echo "none left $?"
trap 'echo "USR2 in $FUNCNAME"' USR2; g() { kill -USR2 $BASHPID; }; g
read -t 0.05 -r nothing < <(exec 3<&0; read -r x <&3); echo "timed read $(($? > 0))"
exec 5<<<'a here-string'; read -r -u 5 l; echo "$l"; exec 5<&-
echo "$(<"$1")" | { read -r l; echo "$l"; }
shopt -s extglob
case foobar in foo@(bar|baz)) echo extglob ;; esac
printf '%(%Y)T\n' 0; echo "$((RANDOM >= 0)) ${BASH_VERSINFO[0]} $SHLVL ${0##*/}"
