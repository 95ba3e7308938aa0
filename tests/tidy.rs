//! Small rules of the house that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have, its tests not counted. See CONTRIBUTING.md: about 200 is the aim.
const MAX_LINES: usize = 300;

fn sources(dir: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut files);
    assert!(!files.is_empty(), "there is something in {dir}");
    files
}

fn collect(dir: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).expect("a folder of this crate") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            files.push((path, text));
        }
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("readable")
}

/// The part of a source file before its unit tests and models.
fn without_tests(text: &str) -> &str {
    let tests = ["#[cfg(test)]\nmod tests {", "#[cfg(all(test, rs2p_loom))]\nmod models {"];
    let end = tests.iter().filter_map(|tests| text.find(tests)).min();
    end.map_or(text, |end| &text[..end])
}

fn is_test(path: &Path) -> bool {
    // What is compiled for fuzzing and for loom alone is a test as well.
    let tests = ["tests", "tests.rs", "fuzzing", "fuzzing.rs", "mock.rs", "loom.rs"];
    path.components().any(|part| tests.iter().any(|test| part.as_os_str() == *test))
}

#[test]
fn every_file_says_what_it_is_for() {
    for dir in ["src", "tests", "examples"] {
        for (path, text) in sources(dir) {
            assert!(text.starts_with("//! "), "{} begins with its purpose", path.display());
        }
    }
}

#[test]
fn no_file_is_one_that_one_fears() {
    for (path, text) in sources("src") {
        let lines = without_tests(&text).lines().count();
        assert!(is_test(&path) || lines <= MAX_LINES, "{}: {lines} lines", path.display());
    }
}

#[test]
fn nothing_sleeps() {
    let sleep = ["thread::", "sleep"].concat();
    for dir in ["src", "tests", "examples"] {
        for (path, text) in sources(dir) {
            assert!(!text.contains(&sleep), "{} waits for an event instead", path.display());
        }
    }
}

#[test]
fn the_library_does_not_panic_on_purpose() {
    let panics = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !is_test(path)) {
        for line in without_tests(&text).lines() {
            let is_code = !line.trim_start().starts_with("//");
            let panic = panics.iter().find(|panic| is_code && line.contains(**panic));
            assert!(panic.is_none(), "{}: {line}", path.display());
        }
    }
}

#[test]
fn only_the_runtime_knows_sockets_threads_and_clocks() {
    let runtime_only = ["std::thread", "mio::", "Instant::now", "SystemTime::now", "parking_lot"];
    for dir in ["src/wire", "src/node", "src/link"] {
        for (path, text) in sources(dir).into_iter().filter(|(path, _)| !is_test(path)) {
            let known = runtime_only.iter().find(|word| text.contains(**word));
            assert!(known.is_none(), "{} knows {known:?}", path.display());
        }
    }
}

#[test]
fn what_the_documents_name_exists() {
    let code: String = sources("src").into_iter().map(|(_, text)| text).collect();
    let foreign = ["close_notify", "tls_server_end_point"];
    for file in ["README.md", "SECURITY.md", "BOUNDS.md", "src/lib.rs"] {
        let text = read(file);
        // Every second part stands between backticks.
        for name in text.split('`').skip(1).step_by(2) {
            let is_setting = name.contains('_')
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                && !foreign.contains(&name);
            let exists = ["fn ", "mod ", "pub use "].iter().any(|what| {
                code.contains(&format!("{what}{name}("))
                    || code.contains(&format!("{what}{name};"))
                    || code.contains(&format!("{what}{name}<"))
            });
            assert!(!is_setting || exists, "{file} names `{name}`, which does not exist");
        }
    }
}

#[test]
fn a_first_user_reads_that_a_node_is_open_and_how_debug_builds_become_fast() {
    let readme = read("README.md");
    let first_page = readme.split("\n## ").next().expect("a beginning");
    assert!(first_page.contains("plaintext and open by default"));
    for text in [&readme, &read("src/lib.rs")] {
        let snippet: String = text.lines().map(|line| line.trim_start_matches("//! ")).collect();
        assert!(snippet.contains("[profile.dev.package.sha2]opt-level = 3"));
    }
}

#[test]
fn the_packaged_crate_holds_what_its_tests_read() {
    let manifest = read("Cargo.toml");
    let exclude = manifest.lines().find(|line| line.starts_with("exclude")).expect("an exclude");
    for needed in ["src", "tests", "examples", "benches", "README.md", "SECURITY.md", "BOUNDS.md"] {
        assert!(!exclude.contains(&format!("\"{needed}")), "{exclude}");
    }
}
