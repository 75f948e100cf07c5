//! What `uprobe` and `uretprobe` have in common: attach points that name functions of programs and libraries.

use std::rc::Rc;

use super::kernel_function::split;
use crate::ast::AttachPoint;
use crate::compiled::Attach;
use crate::diagnostic::Diagnostic;
use crate::expand::{Context, Expand, Function};
use crate::glob;
use crate::needs::{Needs, SourceLine, UserPattern, UserWhat};
use crate::target::{UserFile, UserFunction, WrongLine};
use crate::types::Space;

/// A place in a file as an attach point writes it.
struct Written {
    file: String,
    what: UserWhat,
    /// As it prints.
    function: String,
    /// Bytes from the function's start.
    offset: u64,
}

/// Notes the places an attach point stands for.
///
/// `parameters`: whether those of the functions are wanted.
pub fn needs(point: &AttachPoint, parameters: bool, needs: &mut Needs) {
    let parts = point.parts.iter().map(|part| part.node.clone()).collect();
    if let Some(written) = read(parts, needs.pid.is_some()) {
        needs.user.push(UserPattern { file: written.file, what: written.what, parameters });
    }
}

/// `path:function`, `path:cpp:function` or, with a process at hand, `function`, each perhaps with `+offset`; or `path@file:line`.
fn read(parts: Vec<String>, process: bool) -> Option<Written> {
    if let Some(written) = source_line(&parts) {
        return Some(written);
    }
    let (file, language, function) = match <[String; 1]>::try_from(parts) {
        Ok([function]) if process => (String::new(), None, function),
        Ok(_) => return None,
        Err(parts) => match <[String; 2]>::try_from(parts) {
            Ok([file, function]) => (file, None, function),
            Err(parts) => match <[String; 3]>::try_from(parts) {
                Ok([file, language, function]) => (file, Some(language), function),
                Err(_) => return None,
            },
        },
    };
    if language.as_deref().is_some_and(|language| language != "cpp") {
        return None;
    }
    let address = match function.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => function.parse().ok(),
    };
    if let Some(address) = address {
        return Some(Written { file, what: UserWhat::Address(address), function, offset: 0 });
    }
    let demangled = language.is_some() || function.contains(['(', ' ']) || function.contains("::");
    // A name of the source may have a plus in it: `operator+(int)`.
    let (name, offset) = if demangled { (function.as_str(), 0) } else { split(&function)? };
    let what = UserWhat::Functions { name: name.to_owned(), demangled, offset };
    Some(Written { file, what, function: name.to_owned(), offset })
}

/// `path@file:line` and `path@file:line:column`.
fn source_line(parts: &[String]) -> Option<Written> {
    let (file, line, column) = match parts {
        [file, line] => (file, line, None),
        [file, line, column] => (file, line, Some(column)),
        _ => return None,
    };
    let (file, source) = file.split_once('@').filter(|(file, source)| !file.is_empty() && !source.is_empty())?;
    let column = column.map_or(Some(0), |column| column.parse().ok())?;
    let wanted = SourceLine { file: source.to_owned(), line: line.parse().ok()?, column };
    let function = wanted.to_string();
    Some(Written { file: file.to_owned(), what: UserWhat::Line(wanted), function, offset: 0 })
}

/// Adds the places an attach point stands for.
pub fn expand(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, ret: bool) {
    let parts = (0..point.parts.len()).filter_map(|index| expand.part(point, index)).collect();
    let Some(written) = read(parts, expand.options.pid.is_some()) else {
        return expand.malformed(point, &format!("{provider}:path:function"));
    };
    if ret && (written.offset != 0 || matches!(written.what, UserWhat::Line(_))) {
        return expand.malformed(point, &format!("{provider}:path:function"));
    }
    let target = expand.target;
    let mut found = false;
    for file in target.user_files.get(&written.file).into_iter().flatten() {
        for function in functions(file, &written.what) {
            found = true;
            if is_inside(expand, point, &written, function) {
                site(expand, provider, file, function, &written, ret);
            }
        }
    }
    if found {
        return;
    }
    if !target.complete {
        let file = UserFile { name: written.file.clone(), path: written.file.clone(), ..UserFile::default() };
        let function = UserFunction { name: written.function.clone(), ..UserFunction::default() };
        return site(expand, provider, &file, &function, &written, ret);
    }
    missing(expand, point, provider, &written);
}

/// The functions of a file that are meant, each place in it once: a symbol may have several names.
fn functions<'f>(file: &'f UserFile, what: &UserWhat) -> Vec<&'f UserFunction> {
    let mut found: Vec<&UserFunction> = match what {
        UserWhat::Address(address) => {
            file.functions.iter().filter(|function| parsed(&function.name) == Some(*address)).collect()
        }
        UserWhat::Line(line) => {
            let name = line.to_string();
            file.functions.iter().filter(|function| function.name == name).collect()
        }
        what => file.functions.iter().filter(|f| what.is_function(&f.name, f.demangled.as_deref())).collect(),
    };
    found.sort_by_key(|function| function.offset);
    found.dedup_by_key(|function| function.offset);
    found
}

/// An address stands among the functions under its number.
fn parsed(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_prefix("0x")?, 16).ok()
}

/// Whether the offset lies within the function; reports where it does not.
fn is_inside(expand: &mut Expand<'_>, point: &AttachPoint, written: &Written, function: &UserFunction) -> bool {
    if expand.options.unsafe_allowed {
        return true;
    }
    let name = &function.name;
    if function.between.contains(&written.offset) {
        let plus = if written.offset == 0 { String::new() } else { format!("+{}", written.offset) };
        let message = format!("Could not add uprobe into middle of instruction: {}:{name}{plus}", written.file);
        let help =
            "a breakpoint there would make another instruction of it; `objdump -d` tells where the next one starts";
        expand.report(Diagnostic::error("E0408", point.span, message).help(help));
        return false;
    }
    if !matches!(written.what, UserWhat::Functions { .. }) {
        return true;
    }
    if function.size == 0 {
        // Of many functions, those of unknown size are only left out.
        if !glob::is_pattern(&written.function) {
            let message = format!(
                "Could not determine boundary for {name} (symbol has size 0).\nUse --unsafe to force attachment. \
                 WARNING: This option could lead to data corruption in the target process."
            );
            expand.report(Diagnostic::error("E0419", point.span, message));
        }
        return false;
    }
    if written.offset >= function.size {
        let message = format!("Offset outside the function bounds ('{name}' size is {})", function.size);
        expand.report(Diagnostic::error("E0408", point.span, message));
        return false;
    }
    true
}

fn site(
    expand: &mut Expand<'_>,
    provider: &str,
    file: &UserFile,
    function: &UserFunction,
    written: &Written,
    ret: bool,
) {
    let called = match &written.what {
        UserWhat::Functions { demangled: true, .. } => function.demangled.as_ref().unwrap_or(&function.name),
        UserWhat::Address(_) | UserWhat::Line(_) => &written.function,
        _ => &function.name,
    };
    let plus = if written.offset == 0 { String::new() } else { format!("+{}", written.offset) };
    let joint = if matches!(written.what, UserWhat::Line(_)) { '@' } else { ':' };
    let name = format!("{provider}:{}{joint}{called}{plus}", file.name);
    let at_entry = written.offset == 0 && matches!(written.what, UserWhat::Functions { .. });
    let skipped = if at_entry && expand.skips { function.skip.into() } else { written.offset };
    let offset = function.offset.saturating_add(skipped);
    let attach = Attach::Uprobe {
        path: file.path.clone(),
        function: format!("{called}{plus}"),
        offset,
        ret,
        semaphore: 0,
        again: false,
    };
    let context = match ret {
        false => Context::Entry { space: Space::User, typed: typed(expand, file, function, written) },
        true => Context::Return { space: Space::User, typed: None },
    };
    expand.site(attach, name, context);
}

/// The type of a function whose arguments the probe asks for by their names.
fn typed(expand: &Expand<'_>, file: &UserFile, function: &UserFunction, written: &Written) -> Option<Rc<Function>> {
    let at_entry = written.offset == 0 && matches!(written.what, UserWhat::Functions { .. });
    file.types.as_ref().filter(|_| at_entry && expand.uses.args)?;
    Some(Rc::new(Function { name: function.name.clone(), ty: function.ty?, ret: false }))
}

fn missing(expand: &mut Expand<'_>, point: &AttachPoint, provider: &str, written: &Written) {
    if let UserWhat::Address(address) = written.what {
        let message = format!("Could not resolve address: {}:{address:#x}", written.file);
        expand.report(
            Diagnostic::error("E0408", point.span, message).help("the address lies in no part of the file that runs"),
        );
        return;
    }
    if let UserWhat::Line(line) = &written.what {
        let files = expand.target.user_files.get(&written.file).into_iter().flatten();
        let wrong: Vec<WrongLine> =
            files.flat_map(|file| &file.wrong_lines).filter(|wrong| wrong.wanted == *line).cloned().collect();
        if !wrong.is_empty() {
            return report_lines(expand, point, wrong);
        }
    }
    let no_file = !expand.target.user_files.contains_key(&written.file);
    let help = match no_file {
        true => "the file is neither a path, nor a program in PATH, nor a library of this machine; name it in full",
        false => {
            "the file has no such function in its symbol tables: it may be inlined, or the file stripped; \
             `bpfleet probes 'uprobe:PATH:*'` lists what there is"
        }
    };
    expand.missing(point, &format!("{provider} {}:{}", written.file, written.function), help);
}

fn report_lines(expand: &mut Expand<'_>, point: &AttachPoint, wrong: Vec<WrongLine>) {
    for WrongLine { why, help, .. } in wrong {
        expand.report(Diagnostic::error("E0408", point.span, why).help(help));
    }
}
