//! A script's tests and benchmarks: each `test:` or `bench:` probe is run by hand, and what came of it is told.

use std::time::{Duration, Instant};

use lang::options::Trials;
use report::schema::PrintfTo;

use super::print::Printer;
use crate::session::{Output, Session, SessionError};

/// How long a benchmark runs, at least.
const LONG_ENOUGH: Duration = Duration::from_millis(1);

/// Runs all of them; whether all went well.
pub fn run(session: &mut Session, kind: Trials, printer: &mut Printer) -> Result<bool, SessionError> {
    let names = session.trials();
    match kind {
        Trials::Tests => tests(session, &names, printer),
        Trials::Benches => benches(session, &names, printer),
    }
}

/// A test fails that returns something else than 0, prints an error or ends the script with one.
fn tests(session: &mut Session, names: &[String], printer: &mut Printer) -> Result<bool, SessionError> {
    let mut failed = Vec::new();
    for name in names {
        let started = Instant::now();
        let result = session.try_out(name)?;
        let took = started.elapsed();
        let mut said = Vec::new();
        let gave_up = session.overhear(&mut said)?;
        let passed = result == 0 && !gave_up && !said.iter().any(is_error);
        if !passed {
            failed.push(name.clone());
        }
        printer.test(name, took, passed, said)?;
    }
    printer.tests(names.len(), &failed)?;
    Ok(failed.is_empty())
}

fn is_error(output: &Output) -> bool {
    matches!(output, Output::Printf { to: PrintfTo::Error(_), .. } | Output::Failed(_))
}

/// A benchmark runs more and more often, until that takes long enough. What one run takes includes asking the kernel for it.
fn benches(session: &mut Session, names: &[String], printer: &mut Printer) -> Result<bool, SessionError> {
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut good = true;
    for (index, name) in names.iter().enumerate() {
        let mut times = 1u32;
        let (took, went_well) = loop {
            let started = Instant::now();
            let mut skipped = false;
            for _ in 0..times {
                skipped |= session.try_out(name)? != 0;
            }
            let took = started.elapsed();
            let mut said = Vec::new();
            let gave_up = session.overhear(&mut said)?;
            if skipped || gave_up || said.iter().any(is_error) {
                break (None, skipped && !gave_up);
            }
            if took >= LONG_ENOUGH {
                break (Some(took), true);
            }
            times = times.saturating_mul(10);
        };
        good &= went_well;
        match took {
            Some(took) => printer.bench(name, (index == 0, width), took / times, times)?,
            None if went_well => {}
            None => printer.bench_failed(name)?,
        }
    }
    Ok(good)
}
