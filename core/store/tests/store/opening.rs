//! What is opened, what is refused and why; and that what is refused is left as it was.

use std::fs;
use std::path::{Path, PathBuf};

use innsync_engine::{StoreError, StoreRead, Write};
use innsync_store::{OpenError, Query, Store};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::motel::{show, start, task, write};

#[test]
fn a_new_file_gets_its_tables_and_its_mark() {
    let (_folder, path) = place();
    drop(Store::open(&path).unwrap());
    let header = fs::read(&path).unwrap();
    assert_eq!(&header[68..72], b"InnS");
    assert_eq!(pragma(&path, "user_version"), "3");
    assert_eq!(pragma(&path, "journal_mode"), "wal");
    let loose: i64 = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0, "all tables are strict");
}

#[test]
fn an_empty_file_is_a_new_one() {
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    let mut store = Store::open(&path).unwrap();
    write(&mut store, [show(task("clean 101"))]);
}

/// The phone was switched off while the first tables were written: SQLite's journal takes back what got into the file.
#[test]
fn a_creation_that_was_cut_off_begins_anew() {
    let (folder, path) = place();
    let half_way = Connection::open(&path).unwrap();
    half_way.execute_batch("PRAGMA cache_size = 2; BEGIN; CREATE TABLE suites (note TEXT)").unwrap();
    half_way.execute("INSERT INTO suites VALUES (?1)", ["towels ".repeat(10_000)]).unwrap();
    let journal = fs::read(folder.path().join("motel.sqlite-journal")).unwrap();
    let (_finished_folder, finished) = filled();
    let first_page = fs::read(finished).unwrap()[..4096].to_vec();
    // Pages that come into the file in any order, and sectors of them half or not at all.
    let unwritten = fs::read(&path).unwrap();
    let half = [&first_page[..60], &[0; 4036]].concat();
    let (short, noise) = (first_page[..60].to_vec(), vec![0x5a; 8192]);
    for so_far in [unwritten, first_page, half, short, noise] {
        let copy = folder.path().join("copy.sqlite");
        fs::write(&copy, so_far).unwrap();
        fs::write(folder.path().join("copy.sqlite-journal"), &journal).unwrap();
        let mut store = Store::open(&copy).unwrap();
        write(&mut store, [show(task("clean 101"))]);
        assert_eq!(store.count(&Query::tasks()), Ok(1));
        drop(store);
        fs::remove_file(copy).unwrap();
    }
}

/// The phone was switched off while the file became one with a log: its first sector is torn, its journal has it.
#[test]
fn a_first_page_that_was_being_written_is_taken_back() {
    let (folder, path) = place();
    drop(Store::open(&path).unwrap());
    let sound = fs::read(&path).unwrap();
    let (page, pages) = (&sound[..4096], sound.len() as u32 / 4096);
    // A journal of one page, as SQLite writes it (sqlite.org/fileformat2.html §3): its header, padded to a sector; the
    // page's number, the page and its checksum.
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    journal.extend([1, 0, pages, 512, 4096].into_iter().flat_map(u32::to_be_bytes));
    journal.resize(512, 0);
    journal.extend(1u32.to_be_bytes());
    journal.extend(page);
    let checksum: u32 = (1..=20).map(|step| u32::from(page[4096 - 200 * step])).sum();
    journal.extend(checksum.to_be_bytes());

    fs::write(&path, [&[0x5a; 512], &sound[512..]].concat()).unwrap();
    refused(&path, |error| matches!(error, OpenError::NotOurs { .. }));
    fs::write(folder.path().join("motel.sqlite-journal"), journal).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.count(&Query::tasks()), Ok(0));
}

#[test]
fn an_empty_database_that_is_not_marked_is_not_ours() {
    let (_folder, path) = place();
    Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    refused(&path, |error| matches!(error, OpenError::NotOurs { .. }));
}

#[test]
fn a_newer_release_has_written_it() {
    let (_folder, path) = filled();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let before = everything_beside(&path);
    let error = Store::open(&path).unwrap_err();
    assert_eq!(error, OpenError::Newer { path: path.clone(), found: 9, supported: 3 });
    assert!(error.to_string().contains("update the app"), "{error}");
    assert_eq!(everything_beside(&path), before);
}

/// The newer release was killed: its mark is in the log alone.
#[test]
fn a_newer_release_has_written_it_and_crashed() {
    let (folder, path) = filled();
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 9).unwrap();
    let copy = folder.path().join("copy.sqlite");
    fs::copy(&path, &copy).unwrap();
    fs::copy(folder.path().join("motel.sqlite-wal"), folder.path().join("copy.sqlite-wal")).unwrap();
    let before = (fs::read(&copy).unwrap(), fs::read(folder.path().join("copy.sqlite-wal")).unwrap());
    assert!(matches!(Store::open(&copy), Err(OpenError::Newer { found: 9, .. })));
    let after = (fs::read(&copy).unwrap(), fs::read(folder.path().join("copy.sqlite-wal")).unwrap());
    assert_eq!(after, before);
}

/// G18: the app was updated and went back, with a column that this release does not know and a row that it cannot read.
#[test]
fn what_a_newer_release_wrote_is_read_and_left_alone() {
    let (_folder, path) = filled();
    let newer = Connection::open(&path).unwrap();
    newer
        .execute_batch(
            "ALTER TABLE tasks ADD COLUMN estimate INTEGER;
             INSERT INTO tasks SELECT x'01', title, description, task_type, priority, status, suite_id, assigned_to,
                department, due_at, created_by, created_at, version, updated_at, updated_by, extra, 30 FROM tasks;
             PRAGMA user_version = 9",
        )
        .unwrap();
    drop(newer);
    let before = everything_beside(&path);
    assert!(matches!(Store::open(&path), Err(OpenError::Newer { found: 9, .. })));
    let mut store = Store::open_newer(&path).unwrap();
    assert!(store.is_read_only());
    let task = task("clean 101");
    let reader = store.reader().unwrap();
    assert_eq!(store.query(&Query::tasks()), Ok(vec![task.clone().into()]));
    assert_eq!(reader.query(&Query::tasks()), Ok(vec![task.into()]));
    assert_eq!(store.outbox(), Ok(vec![start(1, "clean 101")]));
    assert_eq!(store.quarantined(), Ok(Vec::new()), "the newer release can read it");
    let batch = innsync_engine::Batch { writes: vec![Write::DeleteOp(start(1, "clean 101").op.id)] };
    assert_eq!(store.commit(&batch), Err(StoreError::ReadOnly));
    assert_eq!(store.outbox().unwrap().len(), 1);
    drop((store, reader));
    assert_eq!(everything_beside(&path), before, "not a byte, and nothing beside it");
}

/// G18: what the newer release wrote last is in its log alone.
#[test]
fn what_a_newer_release_wrote_before_it_crashed_is_read_and_left_alone() {
    let (folder, path) = filled();
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("UPDATE tasks SET title = 'clean 102'; PRAGMA user_version = 9").unwrap();
    let copy = folder.path().join("what? 100% copy.sqlite");
    let log = folder.path().join("what? 100% copy.sqlite-wal");
    fs::copy(&path, &copy).unwrap();
    fs::copy(folder.path().join("motel.sqlite-wal"), &log).unwrap();
    let before = (fs::read(&copy).unwrap(), fs::read(&log).unwrap());
    let store = Store::open_newer(&copy).unwrap();
    let titles = |store: &Store| -> Vec<String> {
        let tasks = store.query(&Query::tasks()).unwrap();
        tasks.iter().map(|task| task.field("title").unwrap().as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&store), ["clean 102"]);
    drop(store);
    assert_eq!((fs::read(&copy).unwrap(), fs::read(&log).unwrap()), before);

    // Once it is in the file, that is opened by the same name.
    drop(newer);
    fs::remove_file(&log).unwrap();
    fs::copy(&path, &copy).unwrap();
    assert_eq!(titles(&Store::open_newer(&copy).unwrap()), ["clean 102"]);
}

/// G18: nothing is shown where half of it would be missing.
#[test]
fn what_a_newer_release_wrote_otherwise_is_refused() {
    for other in
        ["ALTER TABLE tasks DROP COLUMN due_at", "DROP TABLE outbox", "ALTER TABLE meta RENAME doc TO facts"]
    {
        let (_folder, path) = filled();
        Connection::open(&path).unwrap().execute_batch(&format!("{other}; PRAGMA user_version = 9")).unwrap();
        let before = everything_beside(&path);
        let error = Store::open_newer(&path).unwrap_err();
        assert_eq!(error, OpenError::Newer { path: path.clone(), found: 9, supported: 3 }, "{other}");
        assert_eq!(everything_beside(&path), before);
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let text: &[u8] = b"Dear diary, today we had 40 guests and a leaking tap in 204; I wrote it down here.";
    for content in [text, b"x", &[7; 5000]] {
        let (_folder, path) = place();
        fs::write(&path, content).unwrap();
        refused(&path, |error| matches!(error, OpenError::NotOurs { .. }));
    }
    for mark in [0, 0x4d79_4170] {
        let (_folder, path) = place();
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "application_id", mark).unwrap();
        other.execute_batch("CREATE TABLE guests (name TEXT); INSERT INTO guests VALUES ('Vera')").unwrap();
        drop(other);
        refused(&path, |error| matches!(error, OpenError::NotOurs { .. }));
    }
}

#[test]
fn a_damaged_header_is_told_from_a_strange_file() {
    let (_folder, path) = filled();
    let mut bytes = fs::read(&path).unwrap();
    bytes[..16].copy_from_slice(b"SQLite format X\0");
    fs::write(&path, &bytes).unwrap();
    refused(&path, |error| matches!(error, OpenError::Corrupt { .. }));
}

#[test]
fn a_file_that_was_cut_off_is_damaged() {
    for keep in [50, 99, 100, 4096, 5000, 20_000] {
        let (_folder, path) = filled();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..keep]).unwrap();
        refused(&path, |error| matches!(error, OpenError::Corrupt { .. }));
    }
}

#[test]
fn damage_further_in_is_found_when_it_is_read() {
    let (_folder, path) = filled();
    let root: u32 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'", [], |row| row.get(0))
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[(root as usize - 1) * 4096..root as usize * 4096].fill(0xAB);
    fs::write(&path, &bytes).unwrap();
    let mut store = Store::open(&path).unwrap();
    let error = store.query(&Query::tasks()).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(detail) if detail.len() > 20), "{error}");
    assert_eq!(store.outbox().unwrap().len(), 1, "what is not damaged can still be read, and sent");
    let batch =
        innsync_engine::Batch { writes: vec![Write::DeleteOp(start(1, "clean 101").op.id), show(task("x"))] };
    assert!(matches!(store.commit(&batch), Err(StoreError::Corrupt(_))));
    assert_eq!(store.outbox().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let io = |path: &Path| match Store::open(path) {
        Err(OpenError::Io { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    assert!(io(folder.path()).contains("directory"));
    assert!(!io(&folder.path().join("no such folder").join("motel.sqlite")).is_empty());
    fs::write(folder.path().join("file"), "text").unwrap();
    assert!(!io(&folder.path().join("file").join("motel.sqlite")).is_empty());
    #[cfg(target_os = "linux")]
    assert!(!io(Path::new("/proc/motel.sqlite")).is_empty(), "where nobody, not even root, may write");
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let may_write_all_the_same = fs::write(folder.path().join("probe"), "").is_ok();
    let opened = Store::open(&folder.path().join("motel.sqlite"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if !may_write_all_the_same {
        assert!(matches!(opened, Err(OpenError::Io { .. })), "{opened:?}");
    }
}

#[test]
fn a_file_that_another_process_holds_is_busy() {
    let (_folder, path) = place();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let opened = Store::open(&path);
    assert!(matches!(opened, Err(OpenError::Busy { .. })), "{opened:?}");
}

fn refused(path: &Path, expected: impl Fn(&OpenError) -> bool) {
    let before = everything_beside(path);
    let error = Store::open(path).unwrap_err();
    assert!(expected(&error), "{error:?}");
    assert_eq!(everything_beside(path), before, "nothing was touched");
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    (folder, path)
}

fn filled() -> (TempDir, PathBuf) {
    let (folder, path) = place();
    let mut store = Store::open(&path).unwrap();
    write(&mut store, [show(task("clean 101")), Write::PutOp(start(1, "clean 101"))]);
    (folder, path)
}

/// All files of the folder with their bytes.
fn everything_beside(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut files: Vec<_> =
        folder.map(|entry| entry.unwrap().path()).map(|it| (it.clone(), fs::read(it).unwrap())).collect();
    files.sort();
    files
}

fn pragma(path: &Path, name: &str) -> String {
    Connection::open(path)
        .unwrap()
        .pragma_query_value(None, name, |row| {
            row.get_ref(0).map(|value| match value {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str().unwrap().to_owned(),
            })
        })
        .unwrap()
}
