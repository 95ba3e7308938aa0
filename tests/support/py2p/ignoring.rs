//! Tests that need something which a machine may lack: there they are shown as ignored, with the
//! reason. The harness of Rust itself can ignore a test only when it is compiled.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use libtest_mimic::{Arguments, Completion, Trial};

/// A test with its name.
pub type Test = (&'static str, fn());

/// Lists the tests of a module. One that is forgotten is dead code, and warned about.
macro_rules! tests {
    ($($(#[$attribute:meta])* $test:ident),* $(,)?) => {
        pub const TESTS: &[$crate::ignoring::Test] =
            &[$($(#[$attribute])* (concat!(module_path!(), "::", stringify!($test)), $test)),*];
    };
}
pub(crate) use tests;

/// Why a test cannot run here.
struct Ignored(String);

/// Ends the test that calls this: something is missing here. Where `CI` is set the test fails.
pub fn ignore(why: impl Display) -> ! {
    assert!(std::env::var_os("CI").is_none(), "{why}, and nothing is ignored where CI is set");
    resume_unwind(Box::new(Ignored(why.to_string())))
}

/// Makes a trial of a test; the first part of its name is that of the program.
pub fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    Trial::ignorable_test(name, move || match catch_unwind(AssertUnwindSafe(test)) {
        Ok(()) => Ok(Completion::Completed),
        Err(panic) => match panic.downcast::<Ignored>() {
            Ok(ignored) => Ok(Completion::ignored_with(ignored.0)),
            Err(panic) => resume_unwind(panic),
        },
    })
}

/// Runs tests as the command line says, and ends the process.
pub fn run(trials: Vec<Trial>) -> ! {
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}
