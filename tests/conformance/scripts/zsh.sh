# zsh: its own parser and memory habits.
typeset -A map; map=(a 1 b 2); print -l ${(ok)map}
list=(one two three); print $#list $list[2] ${list[-1]} ${(U)list} ${(j:-:)list}
print -l ${(o)list}
for i in {1..3}; do (print "child $i"; exit $i); print "status $?"; done
repeat 2 print again
x=$(for ((i = 0; i < 3000; i++)); do print $i; done); print ${#${(f)x}}
(( y = 2 ** 40 + 0.5 )); print $y
print ${(s:,:)${:-a,b,c}}
f() { print "in $0 with $#"; return 4 }; f 1 2 3; print $?
{ print first; print second } | while read l; do print "<$l>"; done
(exit 7) & wait $!; print "job $?"
TRAPUSR1() { print "trap $1" }; kill -USR1 $$
case $(print -n abc) in a*) print matched;; esac
cat() { while read -r l; do print -r -- $l; done }; print piped | cat
print ${(l:8::0:)42} $(( 16#ff )) ${(V)$'\t'}
[[ -d $D && ! -e $D/none ]] && print tested
print -r -- ${(q):-it\'s}; print done
