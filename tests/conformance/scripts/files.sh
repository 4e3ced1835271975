# Files: trees, links, archives, compression, copying with dd.
mkdir -p tree/a/b/c tree/d; cd tree || exit 1
seq 1 5000 >a/numbers; echo text >a/b/text; : >d/empty; ln -s ../a/numbers d/link; ln a/b/text d/hard
chmod 640 a/numbers; chmod 755 d/empty
find . | sort
find . -type f -size +1k | sort
find . -name 'n*' -exec wc -l {} \;
find . -type l -print -exec readlink {} \;
stat -c '%n %s %a %h %F' a/numbers a/b/text d/empty; stat -c '%n %a %h %F' d
tar cf ../tree.tar --exclude=link .; tar tf ../tree.tar | sort
mkdir ../out; tar xf ../tree.tar -C ../out; (cd ../out && find . -type f | sort | xargs md5sum)
gzip -c a/numbers >../numbers.gz; gunzip -c ../numbers.gz | cmp - a/numbers && echo 'gzip: the same'
tar c a d | gzip >../tree.tgz; gunzip -c ../tree.tgz | tar t | sort | tail -n 3
bzip2 -c a/numbers | bunzip2 -c | md5sum
seq 1 5000 | gzip | gunzip | sha1sum
dd if=/dev/zero of=../holes bs=4096 seek=100 count=1 2>/dev/null; stat -c %s ../holes
dd if=a/numbers bs=100 skip=3 count=2 2>/dev/null
dd if=a/numbers of=../part bs=777 count=9 conv=notrunc 2>/dev/null; md5sum ../part
cp -a a ../copy; diff -r a ../copy && echo 'copies do not differ'
echo changed >>../copy/b/text; diff -r a ../copy | tail -n 2
mv ../copy ../moved; ls -1R ../moved
sort a/numbers | sha256sum; sort -n -r a/numbers | sed -n '1p;$p'
truncate -s 10 a/numbers; cat a/numbers | tr '\n' '.'; echo
rm -rf d; ls; rmdir a 2>/dev/null; echo "rmdir $?"
touch -d '2020-01-02 03:04:05' dated; date -u -r dated '+%Y-%m-%d %H:%M:%S'
test a/numbers -nt dated && echo newer; [ -x . ] && [ ! -e nothing ] && echo tested
umask 027; : >masked; stat -c %a masked
