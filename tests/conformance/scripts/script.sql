-- SQLite: files, locks, a journal, a write-ahead log with its shared memory.
CREATE TABLE numbers (n INTEGER PRIMARY KEY, square INTEGER, name TEXT);
WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 3000)
    INSERT INTO numbers SELECT n, n * n, 'name-' || (n * 7919 % 3001) FROM up;
CREATE INDEX by_name ON numbers (name);
SELECT count(*), sum(square), min(name), max(name) FROM numbers;
SELECT n FROM numbers WHERE name = 'name-1234';
BEGIN; DELETE FROM numbers WHERE n % 2 = 0; SELECT count(*) FROM numbers; ROLLBACK;
SELECT count(*) FROM numbers;
PRAGMA journal_mode = WAL;
BEGIN; UPDATE numbers SET square = -square WHERE n % 3 = 0; COMMIT;
SELECT sum(square), avg(length(name)) FROM numbers;
PRAGMA wal_checkpoint;
VACUUM;
PRAGMA integrity_check;
SELECT group_concat(n, ',') FROM (SELECT n FROM numbers ORDER BY name DESC LIMIT 10);
SELECT printf('%.3f', total(1.0 / n)) FROM numbers;
SELECT * FROM no_such_table;
