# Pipelines of many programs, large and small.
seq 1 20000 | sort -r | head -n 5 | tr '0-9' 'a-j' | rev
seq 1 50000 | md5sum | cut -d' ' -f1
seq 1 3000 | sort -n -k1 | uniq | wc -l
seq 1 2000 | grep 7 | grep -v 77 | sed 's/7/seven/' | tail -n 3
seq 1 100 | xargs -n 7 echo | awk '{ sum += $1 } END { print NR, sum }'
printf 'b 2\na 1\nc 3\n' | sort | while read -r name n; do echo "$name=$n"; done
seq 1 1000 | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | tail -n 1
yes | head -n 100000 | wc -c
seq 1 500 | tee "$D/copy" | wc -l; cmp "$D/copy" "$D/copy" && wc -c <"$D/copy"
echo first | (cat; echo second) | (read -r a; read -r b; echo "$b $a")
seq 10 | sort -R | sort -n | tr '\n' ' '; echo
find /proc/self/fd -maxdepth 0 | wc -l
echo "a,b,c" | awk -F, '{ for (i = NF; i > 0; i--) printf "%s ", $i; print "" }'
awk 'BEGIN { for (i = 0; i < 20000; i++) a[i % 97] += i; for (i = 0; i < 97; i++) s = s a[i] % 10; print s }'
awk 'BEGIN { printf "%.6f %.3e %d\n", atan2(0, -1), exp(20), 2 ^ 31; print length("twelve chars"), toupper("up") }'
sed -n -e '/start/,/end/p' <<END
before
start
inside
end
after
END
false | true; echo "status $?"
seq 1 30 | xargs -n 1 -I X sh -c 'echo $((X * X))' | sort -n | tail -n 2
env A=1 B=2 sh -c 'echo "$A$B"'; env -i C=3 env
echo aGVsbG8gd29ybGQK | base64 -d; echo 'text to encode' | base64
printf '%s\n' zebra apple mango | sort | nl
dd if=/dev/zero bs=1000 count=77 2>/dev/null | od -An -tx1 | head -n 2
expr 6 \* 7; factor 1234567; echo "3 4 * p" | dc; echo 'scale=20; 4*a(1)' | bc -l
