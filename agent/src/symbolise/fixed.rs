//! Symbols of programs that always lie at the same addresses, for processes that are gone.
//!
//! What a process had mapped where is lost with it. But where a script's only events come from one program, and that program is linked to
//! fixed addresses, its addresses mean the same in every process.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use lang::compiled::{Attach, Compiled};

use super::UserSymbol;
use crate::user::{self, FixedFunction};

/// A program of which a script's events come, opened when it is first asked.
#[derive(Debug, Default)]
pub struct Fixed {
    path: Option<PathBuf>,
    functions: OnceCell<Vec<FixedFunction>>,
}

impl Fixed {
    /// The one program that all events of a script come from; none where there are others.
    pub fn of(compiled: &Compiled) -> Self {
        let mut paths: Vec<&str> = Vec::new();
        for point in compiled.programs.iter().flat_map(|program| &program.attach) {
            match point {
                Attach::Uprobe { path, .. } if !paths.contains(&path.as_str()) => paths.push(path),
                Attach::Uprobe { .. } | Attach::Interval { .. } => {}
                point if point.is_by_hand() => {}
                _ => return Self::default(),
            }
        }
        match paths.as_slice() {
            [path] => Self { path: Some(PathBuf::from(path)), functions: OnceCell::new() },
            _ => Self::default(),
        }
    }

    /// The symbol at an address of a process that is gone.
    pub fn find(&self, pid: u32, address: u64) -> Option<UserSymbol> {
        let path = self.path.as_deref()?;
        // One that has ended and that nobody has waited for is still there, without a program.
        if Path::new("/proc").join(pid.to_string()).join("exe").exists() {
            return None;
        }
        let functions = self.functions.get_or_init(|| user::fixed_functions(path).unwrap_or_default());
        let after = functions.partition_point(|function| function.address <= address);
        let function = functions.get(after.checked_sub(1)?)?;
        let offset = address - function.address;
        (offset < function.size).then(|| UserSymbol {
            name: function.name.clone(),
            offset,
            module: Some(path.display().to_string()),
        })
    }
}
